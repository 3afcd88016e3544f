"""Labeled faces against the gallery, with and without their own person."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.calibration.comparisons import NOBODY, Comparisons, compare
from tests.recognition.calibration.crowds import Crowd, make_crowd


def run(crowd: Crowd, **options: object) -> Comparisons:
    return compare(
        vectors=crowd.vectors,
        people=crowd.people,
        references=crowd.references,
        poor=crowd.poor,
        rng=np.random.default_rng(0),
        **options,  # type: ignore[arg-type]
    )


@pytest.fixture
def crowd() -> Crowd:
    rng = np.random.default_rng(3)
    made = make_crowd(12, rng=rng)
    # People with different numbers of references, and one with none.
    references = made.references & (rng.random(len(made.people)) < 0.7)
    references[made.people == 4] = False
    return Crowd(made.vectors, made.people, references, made.poor)


def test_scores_are_those_of_comparing_one_pair_at_a_time(crowd: Crowd) -> None:
    found = run(crowd)
    for row in range(len(crowd.people)):
        others: dict[int, float] = {}
        own = []
        for place in np.flatnonzero(crowd.references):
            similarity = float(crowd.vectors[row] @ crowd.vectors[place])
            person = int(crowd.people[place])
            if person != crowd.people[row]:
                others[person] = max(others.get(person, -1.0), similarity)
            elif place != row:
                own.append(similarity)
        first, second = sorted(others.values(), reverse=True)[:2]
        assert found.score[row] == pytest.approx(first, abs=1e-5)
        assert found.lead[row] == pytest.approx(first - second, abs=1e-5)
        assert others[int(found.other[row])] == max(others.values())
        assert found.own_references[row] == len(own)
        assert found.own[row] == pytest.approx(max(own), abs=1e-5) if own else np.isnan(found.own[row])
        if own:
            assert found.rank[row] == 1 + sum(score > max(own) for score in others.values())


def test_mean_and_deviation_are_those_of_all_scores_for_other_people(crowd: Crowd) -> None:
    found = run(crowd)
    scores = []
    for row in range(len(crowd.people)):
        for person in np.unique(crowd.people[crowd.references]):
            if person != crowd.people[row]:
                gallery = crowd.vectors[crowd.references & (crowd.people == person)]
                scores.append(float((gallery @ crowd.vectors[row]).max()))
    assert found.mean == pytest.approx(np.mean(scores), abs=1e-5)
    assert found.deviation == pytest.approx(np.std(scores), abs=1e-5)


def test_blocks_do_not_change_the_scores(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(crowd)
    monkeypatch.setattr("recognition.calibration.comparisons._BLOCK_CELLS", 30)
    parts = run(crowd)
    assert np.allclose(whole.score, parts.score, atol=1e-6)
    assert whole.deviation == pytest.approx(parts.deviation, abs=1e-6)


def test_a_known_face_is_a_stranger_to_one_person_fewer() -> None:
    assert run(make_crowd(9, rng=np.random.default_rng(1))).enrolled == 8


def test_a_face_of_a_person_without_references_is_a_stranger_to_all() -> None:
    crowd = make_crowd(9, rng=np.random.default_rng(1))
    crowd.references[crowd.people == 0] = False
    found = run(crowd, probes=np.flatnonzero(crowd.people == 0))
    assert found.enrolled == 8
    assert np.isnan(found.own).all()


def test_no_more_probes_are_compared_than_asked(crowd: Crowd) -> None:
    assert len(run(crowd, at_most=10)) == 10


def test_one_person_alone_meets_nobody() -> None:
    found = run(make_crowd(1, rng=np.random.default_rng(1)))
    assert (found.other == NOBODY).all()
    assert (found.score == -np.inf).all()
    assert found.enrolled == 0
    assert np.isnan(found.mean)
    assert (found.rank == 1).all()


def test_two_people_have_no_next_one_to_lead() -> None:
    assert (run(make_crowd(2, rng=np.random.default_rng(1))).lead == np.inf).all()


def test_a_single_reference_does_not_know_itself() -> None:
    found = run(make_crowd(5, rng=np.random.default_rng(1), faces=1, references=1))
    assert np.isnan(found.own).all()
    assert (found.rank == 0).all()


def test_an_empty_gallery_gives_no_rows() -> None:
    nobody = make_crowd(3, rng=np.random.default_rng(1))
    none = Crowd(nobody.vectors[:0], nobody.people[:0], nobody.references[:0], nobody.poor[:0])
    assert len(run(none)) == 0


def test_faces_without_any_reference_meet_nobody() -> None:
    crowd = make_crowd(3, rng=np.random.default_rng(1), references=0)
    found = run(crowd)
    assert (found.other == NOBODY).all()
    assert found.enrolled == 0
