"""Named right, suggested, missed or wrong: against the rule of matching, face by face."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.calibration.comparisons import Comparisons, compare
from recognition.embedders import Thresholds
from recognition.evaluation.breakdowns import split_by, split_by_event
from recognition.evaluation.outcomes import count_first_places, judge_faces, tally
from recognition.matching import PersonScore, Verdict, judge
from tests.recognition.evaluation.people import scattered_people

LINES = Thresholds(automatic=0.55, margin=0.08, suggest=0.35, strict=0.7)


def scores_of(
    vectors: NDArray[np.float32],
    people: NDArray[np.int64],
    references: NDArray[np.bool_],
    row: int,
    *,
    without: int | None = None,
) -> list[PersonScore]:
    """The people nearest to one face, best first, by a loop; the face itself never answers."""
    best: dict[int, float] = {}
    for other in np.flatnonzero(references).tolist():
        person = int(people[other])
        if other != row and person != without:
            best[person] = max(best.get(person, -2.0), float(vectors[row] @ vectors[other]))
    ordered = sorted(best.items(), key=lambda item: -item[1])
    return [PersonScore(person, score, (), 1) for person, score in ordered]


@pytest.fixture(scope="module")
def crowd() -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Sixty people whose faces scatter so much that all kinds of outcomes are there; the last has no reference."""
    vectors, people = scattered_people(60, 4, dimension=16, noise=0.75, seed=2)
    rng = np.random.default_rng(0)
    references = rng.random(len(people)) < 0.6
    references[people == 59] = False
    return vectors, people, references, rng.random(len(people)) < 0.2


@pytest.fixture(scope="module")
def comparisons(
    crowd: tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]],
) -> Comparisons:
    vectors, people, references, poor = crowd
    return compare(
        vectors=vectors, people=people, references=references, poor=poor, rng=np.random.default_rng(0)
    )


def test_every_face_comes_out_as_the_rule_of_matching_says(
    crowd: tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]],
    comparisons: Comparisons,
) -> None:
    vectors, people, references, poor = crowd
    found = judge_faces(comparisons, LINES)
    seen = set()
    for row in range(len(people)):
        scores = scores_of(vectors, people, references, row)
        own = next((rank for rank, score in enumerate(scores) if score.person_id == people[row]), None)
        named = judge(scores, LINES, strict=bool(poor[row])).verdict is Verdict.AUTOMATIC
        expected = ""
        if own is not None:
            if named:
                expected = "right" if own == 0 else "wrong"
            else:
                expected = "suggested" if own < 5 and scores[own].similarity >= LINES.suggest else "missed"
        said = [name for name in ("right", "wrong", "suggested", "missed") if getattr(found, name)[row]]
        assert said == ([expected] if expected else []), row
        seen.add(expected)
    assert seen == {"", "right", "wrong", "suggested", "missed"}


def test_a_stranger_is_the_same_face_without_its_person(
    crowd: tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]],
    comparisons: Comparisons,
) -> None:
    vectors, people, references, poor = crowd
    found = judge_faces(comparisons, LINES)
    for row in range(len(people)):
        scores = scores_of(vectors, people, references, row, without=int(people[row]))
        named = judge(scores, LINES, strict=bool(poor[row])).verdict is Verdict.AUTOMATIC
        assert bool(found.named[row]) == named
    assert found.named.any()
    assert found.asked.all()


def test_rank_one_counts_whose_own_person_comes_first(
    crowd: tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]],
    comparisons: Comparisons,
) -> None:
    vectors, people, references, _ = crowd
    faces = right = 0
    for row in range(len(people)):
        scores = scores_of(vectors, people, references, row)
        if any(score.person_id == people[row] for score in scores):
            faces += 1
            right += scores[0].person_id == people[row]
    told = count_first_places(comparisons)
    assert (told.faces, told.right) == (faces, right)
    assert 0 < right < faces


def test_the_parts_add_up_to_the_whole(comparisons: Comparisons) -> None:
    outcomes = judge_faces(comparisons, LINES)
    count = len(outcomes.rows)
    whole = tally(outcomes, strangers=outcomes)
    sizes = np.linspace(10, 300, count)
    parts = split_by(sizes, (40.0, 100.0), outcomes, strangers=outcomes)
    events = split_by_event(np.arange(count) % 3, outcomes, strangers=outcomes)
    assert [(part.low, part.high) for part in parts] == [(None, 40.0), (40.0, 100.0), (100.0, None)]
    for name in ("known", "right", "suggested", "missed", "wrong", "strangers", "strangers_named"):
        assert sum(getattr(part.tally, name) for part in parts) == getattr(whole, name)
        assert sum(getattr(event.tally, name) for event in events) == getattr(whole, name)


def test_a_range_without_faces_is_left_out(comparisons: Comparisons) -> None:
    outcomes = judge_faces(comparisons, LINES)
    parts = split_by(np.full(len(outcomes.rows), 70.0), (40.0, 60.0, 80.0), outcomes, strangers=outcomes)
    assert [(part.low, part.high) for part in parts] == [(60.0, 80.0)]


def test_a_doubtful_label_is_a_known_face_and_no_stranger(comparisons: Comparisons) -> None:
    outcomes = judge_faces(comparisons, LINES)
    trusted = judge_faces(comparisons.keep(np.arange(len(outcomes.rows)) >= 10), LINES)
    whole, told = tally(outcomes, strangers=outcomes), tally(outcomes, strangers=trusted)
    assert told.known == whole.known
    assert told.strangers == whole.strangers - 10


def test_only_the_events_with_the_most_faces_are_told(comparisons: Comparisons) -> None:
    outcomes = judge_faces(comparisons, LINES)
    events = np.where(np.arange(len(outcomes.rows)) < 5, 7, 9)
    assert [row.event for row in split_by_event(events, outcomes, strangers=outcomes, at_most=1)] == [9]
