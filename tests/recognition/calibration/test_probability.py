"""How likely the best person is the right one."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from recognition.calibration.comparisons import Comparisons, compare
from recognition.calibration.curves import Tail
from recognition.calibration.probability import (
    START,
    Probability,
    bin_reliability,
    fit_probability,
    make_cases,
    measure_reliability,
)
from recognition.calibration.tails import fit_tail
from tests.recognition.calibration.crowds import make_crowd


@pytest.fixture(scope="module")
def seen() -> Comparisons:
    crowd = make_crowd(60, rng=np.random.default_rng(4), noise=0.9)
    return compare(
        vectors=crowd.vectors,
        people=crowd.people,
        references=crowd.references,
        poor=crowd.poor,
        rng=np.random.default_rng(0),
    )


@pytest.fixture(scope="module")
def tail(seen: Comparisons) -> Tail:
    found = fit_tail(seen, margin=0.02, target=0.01)
    assert found is not None
    return found


def test_what_is_said_is_how_often_it_is_right(seen: Comparisons, tail: Tail) -> None:
    told = measure_reliability(seen, tail=tail)
    assert told.error < 0.04
    assert told.cases == 2 * len(seen)


def test_it_rises_with_score_and_lead(seen: Comparisons, tail: Tail) -> None:
    curve = fit_probability(seen, tail=tail)
    by_score = [curve.of(score=score, lead=0.1, enrolled=59, tail=tail) for score in (0.3, 0.5, 0.7)]
    by_lead = [curve.of(score=0.5, lead=lead, enrolled=59, tail=tail) for lead in (0.0, 0.1, 0.2, None)]
    assert by_score == sorted(by_score)
    assert by_lead == sorted(by_lead)


def test_the_same_score_means_less_among_more_people(seen: Comparisons, tail: Tail) -> None:
    curve = fit_probability(seen, tail=tail)
    few, many = (curve.of(score=0.55, lead=0.1, enrolled=n, tail=tail) for n in (59, 10_000))
    assert many < few


def test_more_strangers_make_every_name_less_likely(seen: Comparisons, tail: Tail) -> None:
    few, many = (fit_probability(seen, tail=tail, strangers=share) for share in (0.1, 0.9))
    assert many.of(score=0.5, lead=0.1, enrolled=59, tail=tail) < few.of(
        score=0.5, lead=0.1, enrolled=59, tail=tail
    )


def test_no_faces_leave_the_starting_curve(seen: Comparisons, tail: Tail) -> None:
    nothing = fit_probability(seen.keep(np.zeros(len(seen), dtype=np.bool_)), tail=tail)
    assert asdict(nothing) == pytest.approx(asdict(START))


def test_every_face_is_judged_once_as_a_stranger_and_once_as_itself(seen: Comparisons, tail: Tail) -> None:
    cases = make_cases(seen, tail=tail)
    assert not cases.right[: len(seen)].any()
    assert (cases.right[len(seen) :] == (seen.rank == 1)).all()
    assert cases.weight.sum() == pytest.approx(2 * len(seen))


def test_bins_hold_what_was_said_and_what_was_right() -> None:
    told = bin_reliability(np.array([0.1, 0.1, 0.9, 0.9]), np.array([False, True, True, True]), bins=2)
    assert [row.said for row in told.bins] == pytest.approx([0.1, 0.9])
    assert [row.right for row in told.bins] == pytest.approx([0.5, 1.0])
    assert told.error == pytest.approx((0.4 + 0.1) / 2)


def test_certainty_has_a_bin() -> None:
    assert bin_reliability(np.array([1.0]), np.array([True])).bins[0].high == 1.0


def test_coefficients_load_from_a_mapping() -> None:
    assert Probability.load(asdict(START)) == START
