"""ROC points and true accepts at false accepts, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.evaluation.curves import measure_true_accepts, trace_curve
from recognition.evaluation.pairs import Pairs, draw_pairs
from tests.recognition.evaluation.people import scattered_people


def by_hand() -> Pairs:
    """Of 1,000 different pairs the likest ten are at 0.51 to 0.60; two of four same pairs are above them."""
    different = np.concatenate([np.linspace(-0.5, 0.4, 990), np.linspace(0.51, 0.60, 10)]).astype(np.float32)
    return Pairs(
        same=np.array([0.9, 0.7, 0.55, 0.2], dtype=np.float32),
        same_of=np.array([0, 1, 2, 3]),
        different=different,
        first=np.zeros(1000, dtype=np.int64),
        second=np.ones(1000, dtype=np.int64),
        people=4,
        same_total=4,
        different_total=1000,
    )


def test_each_point_counts_the_pairs_at_or_above_its_line() -> None:
    vectors, people = scattered_people(12, 5)
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(0))
    points = trace_curve(pairs)
    assert points[-1].far == 1
    for point in points:
        assert point.far == pytest.approx(float((pairs.different >= np.float32(point.line)).mean()))
        assert point.tar == pytest.approx(float((pairs.same >= np.float32(point.line)).mean()))


def test_true_accepts_are_above_the_line_that_lets_no_more_than_the_share_through() -> None:
    (told,) = measure_true_accepts(by_hand(), rng=np.random.default_rng(0), fars=(1e-2,), rounds=50)
    # Ten of 1,000 may be accepted: the line is the eleventh, at 0.4, and a pair must be above it.
    assert told.line == pytest.approx(0.4)
    assert told.tar == pytest.approx(3 / 4)


def test_too_few_pairs_say_nothing() -> None:
    (told,) = measure_true_accepts(by_hand(), rng=np.random.default_rng(0), fars=(1e-3,))
    assert (told.far, told.tar, told.line, told.low, told.high) == (1e-3, None, None, None, None)


def test_true_accepts_agree_with_a_count_over_all_pairs() -> None:
    vectors, people = scattered_people(40, 6, noise=0.9)
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(0))
    for told in measure_true_accepts(pairs, rng=np.random.default_rng(0), fars=(1e-2, 1e-3), rounds=20):
        assert told.line is not None
        assert told.tar == pytest.approx(float((pairs.same > np.float32(told.line)).mean()))
        accepted = int((pairs.different > np.float32(told.line)).sum())
        assert accepted <= told.far * len(pairs.different) < accepted + 2


def test_the_interval_holds_the_value_and_is_wider_for_fewer_people() -> None:
    widths = []
    for count in (8, 60):
        vectors, people = scattered_people(count, 8, noise=1.0, seed=3)
        pairs = draw_pairs(vectors, people, rng=np.random.default_rng(0))
        (told,) = measure_true_accepts(pairs, rng=np.random.default_rng(0), fars=(1e-2,))
        assert told.tar is not None
        assert told.low is not None
        assert told.high is not None
        assert told.low <= told.tar <= told.high
        widths.append(told.high - told.low)
    assert widths[0] > 1.5 * widths[1]


def test_the_interval_draws_people_and_not_pairs() -> None:
    """All pairs of one person agree with each other: a draw of pairs would be nearly certain of their mean."""
    rng = np.random.default_rng(5)
    people, each = 20, 200
    level = np.repeat(np.where(np.arange(people) % 2, 0.9, 0.1), each).astype(np.float32)
    first, second = rng.integers(0, people, 5000), rng.integers(0, people, 5000)
    kept = first != second
    pairs = Pairs(
        same=level,
        same_of=np.repeat(np.arange(people), each),
        different=rng.uniform(0.2, 0.5, kept.sum()).astype(np.float32),
        first=first[kept],
        second=second[kept],
        people=people,
        same_total=len(level),
        different_total=int(kept.sum()),
    )
    (told,) = measure_true_accepts(pairs, rng=np.random.default_rng(0), fars=(1e-2,))
    assert told.tar == pytest.approx(0.5)
    assert told.low is not None
    assert told.high is not None
    # A draw of 20 people has a standard error of 0.11, one of 4,000 pairs of 0.008.
    assert told.high - told.low > 0.3
