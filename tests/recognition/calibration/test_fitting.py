"""From labeled faces to the lines of a gallery."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from recognition.calibration.comparisons import Comparisons, compare
from recognition.calibration.curves import Tail
from recognition.calibration.fitting import Fit, fit_lines
from recognition.embedders.base import Thresholds
from tests.recognition.calibration.crowds import Crowd, make_crowd

SHIPPED_LINES = Thresholds(automatic=0.7, margin=0.02, suggest=0.5, strict=0.8)
SHIPPED = Tail(mean=0.05, deviation=0.13, curves=(), probes=0, people=0)


def see(crowd: Crowd) -> Comparisons:
    return compare(
        vectors=crowd.vectors,
        people=crowd.people,
        references=crowd.references,
        poor=crowd.poor,
        rng=np.random.default_rng(0),
    )


def fit(comparisons: Comparisons, *, target: float = 0.01, shipped: Tail | None = None) -> Fit:
    return fit_lines(comparisons, enrolled=50, target=target, thresholds=SHIPPED_LINES, shipped=shipped)


@pytest.fixture(scope="module")
def seen() -> Comparisons:
    return see(make_crowd(50, rng=np.random.default_rng(4)))


def test_the_lines_stand_in_order_and_keep_the_margin(seen: Comparisons) -> None:
    lines = fit(seen).thresholds
    assert lines.suggest <= lines.automatic <= lines.strict
    assert lines.margin == SHIPPED_LINES.margin


def test_the_automatic_line_lets_the_target_through(seen: Comparisons) -> None:
    assert fit(seen, target=0.01).expected_share() == pytest.approx(0.01, rel=0.01)


def test_a_lower_target_needs_a_higher_line(seen: Comparisons) -> None:
    assert fit(seen, target=0.001).thresholds.automatic > fit(seen, target=0.01).thresholds.automatic


def test_the_strict_line_lets_a_tenth_through(seen: Comparisons) -> None:
    found = fit(seen, target=0.02)
    assert found.tail is not None
    assert found.tail.share(found.thresholds.strict, 50) == pytest.approx(0.002, rel=0.05)


def test_poor_faces_that_are_alike_raise_the_strict_line_only(seen: Comparisons) -> None:
    poor = np.arange(len(seen)) % 5 == 0
    marked = replace(seen, poor=poor)
    blurred = replace(marked, score=np.where(poor, np.minimum(seen.score + 0.3, 0.95), seen.score))
    plain, raised = fit(marked).thresholds, fit(blurred).thresholds
    assert raised.strict > plain.strict + 0.05
    assert raised.automatic == plain.automatic


def test_nearly_all_known_faces_are_suggested(seen: Comparisons) -> None:
    right = seen.own[seen.rank == 1]
    assert (right >= fit(seen).thresholds.suggest).mean() > 0.95


def test_nothing_labeled_and_nothing_shipped_keeps_the_shipped_lines(seen: Comparisons) -> None:
    nothing = fit(seen.keep(np.zeros(len(seen), dtype=np.bool_)))
    assert nothing.thresholds == SHIPPED_LINES
    assert nothing.expected_share() is None
    assert nothing.probability_of(score=0.9, lead=0.2) is None


def test_shipped_figures_alone_give_lines(seen: Comparisons) -> None:
    figures = replace(SHIPPED, deviation=0.2)
    alone = fit(seen.keep(np.zeros(len(seen), dtype=np.bool_)), shipped=figures)
    assert alone.probes == 0
    assert alone.thresholds.automatic == pytest.approx(figures.line(50, 0.01), abs=1e-4)


def test_one_person_with_one_face_gets_lines() -> None:
    lonely = fit(see(make_crowd(1, rng=np.random.default_rng(1), faces=1, references=1)), shipped=SHIPPED)
    assert 0 < lonely.thresholds.suggest <= lonely.thresholds.automatic < 1


@pytest.mark.parametrize("people", [1, 2, 3, 5, 10, 29])
@pytest.mark.parametrize("faces", [1, 2, 5])
@pytest.mark.parametrize("shipped", [None, SHIPPED], ids=["unmeasured", "shipped"])
def test_few_people_never_bring_a_line_below_the_shipped_one(
    people: int, faces: int, shipped: Tail | None
) -> None:
    for seed in range(5):
        crowd = make_crowd(people, rng=np.random.default_rng(seed), faces=faces, references=faces)
        lines = fit_lines(
            see(crowd), enrolled=people, target=0.05, thresholds=SHIPPED_LINES, shipped=shipped
        ).thresholds
        assert SHIPPED_LINES.automatic <= lines.automatic <= lines.strict <= 1
        assert lines.strict >= SHIPPED_LINES.strict
        assert 0 < lines.suggest <= lines.automatic


@pytest.mark.parametrize("shipped", [None, SHIPPED], ids=["unmeasured", "shipped"])
def test_one_picture_under_many_names_keeps_the_shipped_line(shipped: Tail | None) -> None:
    crowd = make_crowd(5, rng=np.random.default_rng(1), faces=4, references=4)
    same = replace(crowd, vectors=np.repeat(crowd.vectors[:1], len(crowd.people), axis=0))
    lines = fit_lines(
        see(same), enrolled=5, target=0.01, thresholds=SHIPPED_LINES, shipped=shipped
    ).thresholds
    assert SHIPPED_LINES.automatic <= lines.automatic <= lines.strict <= 1


def test_people_with_a_single_reference_get_lines() -> None:
    found = fit(see(make_crowd(50, rng=np.random.default_rng(1), faces=1, references=1)))
    assert found.known == 0
    assert found.thresholds.suggest == min(SHIPPED_LINES.suggest, found.thresholds.automatic)


def test_a_fit_survives_json(seen: Comparisons) -> None:
    found = fit(seen)
    again = Fit.load(json.loads(json.dumps(found.figures())))
    assert again == found
    assert again.probability_of(score=0.8, lead=0.2) == found.probability_of(score=0.8, lead=0.2)
