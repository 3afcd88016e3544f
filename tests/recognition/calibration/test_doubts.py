"""Labels that would spoil a calibration are left out and told."""

from __future__ import annotations

import numpy as np

from recognition.calibration.comparisons import Comparisons
from recognition.calibration.doubts import Doubts, compare_trusted
from recognition.calibration.tails import fit_tail
from tests.recognition.calibration.crowds import Crowd, make_crowd


def trust(crowd: Crowd, *told_apart: tuple[int, int]) -> tuple[Comparisons, Doubts]:
    return compare_trusted(
        vectors=crowd.vectors,
        people=crowd.people,
        references=crowd.references,
        poor=crowd.poor,
        told_apart=told_apart,
        rng=np.random.default_rng(0),
    )


def line(comparisons: Comparisons) -> float:
    tail = fit_tail(comparisons, margin=0.02, target=0.001)
    assert tail is not None
    return tail.line(60, 0.001)


def clean() -> Crowd:
    return make_crowd(60, rng=np.random.default_rng(2), faces=8, references=4)


def entered_twice() -> Crowd:
    """Every second face of person 7 stands under 100."""
    crowd = clean()
    return crowd.renamed(np.flatnonzero(crowd.people == 7)[::2], 100)


def wrongly_named() -> tuple[Crowd, int]:
    """A face of person 7 stands under 9, among other faces of 9."""
    crowd = clean()
    row = int(np.flatnonzero(crowd.people == 7)[0])
    return crowd.renamed(np.array([row]), 9), row


def look_alikes() -> Crowd:
    """Person 8 shares half of what makes person 7 special."""
    crowd = clean()
    seven, eight = (np.flatnonzero(crowd.people == person) for person in (7, 8))
    mean = crowd.vectors[seven].mean(axis=0)
    vectors = crowd.vectors.copy()
    mixed = vectors[eight] + mean / np.linalg.norm(mean)
    vectors[eight] = mixed / np.linalg.norm(mixed, axis=1, keepdims=True)
    return Crowd(vectors, crowd.people, crowd.references, crowd.poor)


def test_clean_labels_raise_no_doubt() -> None:
    trusted, doubts = trust(clean())
    assert doubts == Doubts()
    assert len(trusted) == len(clean().people)


def test_a_person_entered_twice_is_found_and_left_out() -> None:
    trusted, doubts = trust(entered_twice())
    assert [pair.people for pair in doubts.pairs] == [(7, 100)]
    assert not np.isin(trusted.person, [7, 100]).any()


def test_a_person_entered_twice_does_not_move_the_line() -> None:
    trusted, _ = trust(entered_twice())
    assert abs(line(trusted) - line(trust(clean())[0])) < 0.03
    assert line(trust(entered_twice(), (100, 7))[0]) > line(trusted) + 0.1


def test_twins_whom_staff_told_apart_stay_in() -> None:
    trusted, doubts = trust(entered_twice(), (100, 7))
    assert doubts == Doubts()
    assert np.isin([7, 100], trusted.person).all()


def test_look_alikes_are_not_doubted() -> None:
    trusted, doubts = trust(look_alikes())
    assert doubts == Doubts()
    alike = trusted.score[trusted.person == 8]
    assert alike.mean() > np.quantile(trusted.score, 0.95)


def test_a_face_under_the_wrong_name_is_found_and_serves_no_more() -> None:
    crowd, row = wrongly_named()
    trusted, doubts = trust(crowd)
    assert [(face.row, face.person, face.other) for face in doubts.faces] == [(row, 9, 7)]
    assert doubts.pairs == ()
    assert row not in trusted.rows
    # Person 7's other faces met it as a reference of person 9.
    assert trusted.score[trusted.person == 7].max() < 0.7


def test_a_wrong_name_that_staff_stand_by_is_kept() -> None:
    crowd, row = wrongly_named()
    trusted, doubts = trust(crowd, (7, 9))
    assert doubts.faces == ()
    assert row in trusted.rows


def test_too_few_known_faces_raise_no_doubt() -> None:
    crowd = make_crowd(3, rng=np.random.default_rng(2), faces=4)
    trusted, doubts = trust(crowd.renamed(np.flatnonzero(crowd.people == 1)[:2], 50))
    assert doubts == Doubts()
    assert len(trusted) == 12


def test_an_empty_gallery_raises_no_doubt() -> None:
    crowd = clean()
    none = Crowd(crowd.vectors[:0], crowd.people[:0], crowd.references[:0], crowd.poor[:0])
    trusted, doubts = trust(none)
    assert len(trusted) == 0
    assert doubts == Doubts()
