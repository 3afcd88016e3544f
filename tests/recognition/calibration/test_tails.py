"""The line at which no more than the target share of strangers get a name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from recognition.calibration.comparisons import compare
from recognition.calibration.curves import Tail, gaussian_curve
from recognition.calibration.peaks import count_independent
from recognition.calibration.tails import fit_tail, measure_tail
from tests.recognition.calibration.crowds import make_crowd, make_strangers

ENROLLED, MEAN, DEVIATION = 100, 0.05, 0.15
Scores = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def draw_best(count: int, rng: np.random.Generator, deviation: float = DEVIATION) -> Scores:
    """The best of ENROLLED Gaussian scores, drawn through its own distribution."""
    return np.asarray(norm.isf(-np.expm1(np.log(rng.random(count)) / ENROLLED), MEAN, deviation))


def share_above(line: float, deviation: float = DEVIATION) -> float:
    return float(-np.expm1(ENROLLED * np.log1p(-norm.sf(line, MEAN, deviation))))


def expected_share(
    probes: int, target: float, shipped: Tail | None = None, deviation: float = DEVIATION
) -> float:
    """The mean true share at the fitted line, over many samples."""
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(25):
        seen = make_strangers(
            draw_best(probes, rng, deviation), enrolled=ENROLLED, mean=MEAN, deviation=deviation
        )
        tail = fit_tail(seen, margin=0.05, target=target, shipped=shipped)
        assert tail is not None
        shares.append(share_above(tail.line(ENROLLED, target), deviation))
    return float(np.mean(shares))


@pytest.mark.parametrize(("probes", "target"), [(100, 0.01), (500, 0.001), (5000, 0.001)])
def test_the_expected_share_is_the_target_from_few_faces_and_from_many(probes: int, target: float) -> None:
    assert 0.5 * target < expected_share(probes, target) < 1.4 * target


def test_the_plain_quantile_of_few_faces_lets_more_through_than_the_target() -> None:
    """What the tail is for: the quantile is the yardstick that it has to beat."""
    rng = np.random.default_rng(5)
    plain = [share_above(float(np.quantile(draw_best(200, rng), 0.999))) for _ in range(200)]
    assert np.mean(plain) > 3 * 0.001
    assert expected_share(200, 0.001) < 1.5 * 0.001


def test_many_faces_outweigh_wrong_shipped_figures() -> None:
    wrong = Tail(
        mean=MEAN,
        deviation=DEVIATION,
        curves=(gaussian_curve(enrolled=ENROLLED, mean=MEAN, deviation=0.7 * DEVIATION),),
        probes=1,
        people=1,
    )
    assert 0.5 * 0.01 < expected_share(5000, 0.01, wrong) < 1.5 * 0.01


def test_shipped_figures_of_another_spread_are_matched_to_the_own_comparisons() -> None:
    narrow = Tail(
        mean=0.0,
        deviation=0.10,
        curves=(gaussian_curve(enrolled=ENROLLED, mean=0.0, deviation=0.10),),
        probes=1,
        people=1,
    )
    assert 0.4 * 0.001 < expected_share(300, 0.001, narrow) < 1.6 * 0.001


def test_few_faces_leave_the_shipped_line_where_it_is() -> None:
    shipped = Tail(
        mean=MEAN,
        deviation=DEVIATION,
        curves=(gaussian_curve(enrolled=ENROLLED, mean=MEAN, deviation=DEVIATION),),
        probes=1,
        people=1,
    )
    rng = np.random.default_rng(1)
    tail = fit_tail(
        make_strangers(draw_best(6, rng), enrolled=ENROLLED, mean=MEAN, deviation=DEVIATION),
        margin=0.05,
        target=0.001,
        shipped=shipped,
    )
    assert tail is not None
    assert tail.line(ENROLLED, 0.001) == pytest.approx(shipped.line(ENROLLED, 0.001), abs=0.1)


def test_scores_without_the_lead_name_nobody() -> None:
    scores = draw_best(2000, np.random.default_rng(2))
    seen = make_strangers(scores, enrolled=ENROLLED, mean=MEAN, deviation=DEVIATION)
    close = replace(seen, lead=np.where(np.arange(2000) % 2 == 0, 0.2, 0.01))
    all_lead, half_lead = (fit_tail(one, margin=0.05, target=0.01) for one in (seen, close))
    assert all_lead is not None
    assert half_lead is not None
    assert share_above(half_lead.line(ENROLLED, 0.01)) == pytest.approx(0.02, rel=0.4)
    assert share_above(all_lead.line(ENROLLED, 0.01)) == pytest.approx(0.01, rel=0.4)


def test_the_same_faces_of_fewer_people_leave_more_doubt_and_a_higher_line() -> None:
    scores = draw_best(300, np.random.default_rng(4))
    apart = make_strangers(scores, enrolled=ENROLLED, mean=MEAN, deviation=DEVIATION)
    order = np.argsort(scores)
    # Ten neighbors in rank are one pair of people.
    pair = np.empty(300, dtype=np.int64)
    pair[order] = np.arange(300) // 10
    together = replace(apart, person=pair, other=pair + 1000)
    free, tied = (fit_tail(one, margin=0.05, target=0.001) for one in (apart, together))
    assert free is not None
    assert tied is not None
    assert tied.line(ENROLLED, 0.001) > free.line(ENROLLED, 0.001)


def test_labeled_faces_of_a_gallery_tell_what_strangers_will_do() -> None:
    """Exchangeability: people of the same crowd who are not enrolled, pooled over galleries."""
    rng = np.random.default_rng(8)
    named = met = 0
    for _ in range(20):
        crowd = make_crowd(80, rng=rng)
        inside = crowd.people < 40
        seen = compare(
            vectors=crowd.vectors[inside],
            people=crowd.people[inside],
            references=crowd.references[inside],
            poor=crowd.poor[inside],
            rng=rng,
        )
        tail = fit_tail(seen, margin=0.02, target=0.02)
        assert tail is not None
        strangers = compare(
            vectors=crowd.vectors,
            people=crowd.people,
            references=crowd.references & inside,
            poor=crowd.poor,
            probes=np.flatnonzero(~inside),
            rng=rng,
        )
        line = tail.line(40, 0.02)
        named += int(((strangers.score >= line) & (strangers.lead >= 0.02)).sum())
        met += len(strangers)
    assert 0.5 * 0.02 < named / met < 1.5 * 0.02


def test_nothing_seen_and_nothing_shipped_is_no_tail() -> None:
    assert fit_tail(make_strangers(np.empty(0), enrolled=5), margin=0.05, target=0.01) is None


@pytest.mark.parametrize("people", [1, 2, 3])
def test_the_smallest_galleries_have_a_finite_line(people: int) -> None:
    rng = np.random.default_rng(1)
    crowd = make_crowd(people, rng=rng)
    seen = compare(
        vectors=crowd.vectors, people=crowd.people, references=crowd.references, poor=crowd.poor, rng=rng
    )
    shipped = Tail(mean=MEAN, deviation=DEVIATION, curves=(), probes=0, people=0)
    tail = fit_tail(seen, margin=0.05, target=0.001, shipped=shipped)
    assert tail is not None
    assert MEAN < tail.line(people, 0.001) < 1.2


def test_where_no_score_has_the_lead_the_shape_stands() -> None:
    scores = draw_best(50, np.random.default_rng(4))
    seen = replace(make_strangers(scores, enrolled=ENROLLED), lead=np.zeros(50))
    tail = fit_tail(seen, margin=0.05, target=0.01)
    assert tail is not None
    assert np.isfinite(tail.line(ENROLLED, 0.01))


def test_measured_figures_hold_a_curve_for_each_size() -> None:
    rng = np.random.default_rng(6)
    galleries = [
        make_strangers(draw_best(4000, rng), enrolled=size, mean=MEAN, deviation=DEVIATION)
        for size in (50, 100)
    ]
    tail = measure_tail(galleries, margin=0.05, target=0.001)
    assert [curve.enrolled for curve in tail.curves] == [50, 100]
    assert share_above(tail.line(100, 0.01)) == pytest.approx(0.01, rel=0.3)


def test_other_sizes_move_with_the_fit() -> None:
    shipped = Tail(
        mean=MEAN,
        deviation=DEVIATION,
        curves=tuple(gaussian_curve(enrolled=n, mean=MEAN, deviation=DEVIATION) for n in (20, 100, 1000)),
        probes=1,
        people=1,
    )
    scores = draw_best(4000, np.random.default_rng(6)) + 0.05
    tail = fit_tail(
        make_strangers(scores, enrolled=ENROLLED, mean=MEAN, deviation=DEVIATION),
        margin=0.05,
        target=0.001,
        shipped=shipped,
    )
    assert tail is not None
    assert tail.line(1000, 0.001) > shipped.line(1000, 0.001) + 0.02


def test_equal_groups_count_once_each_and_one_big_group_counts_as_one() -> None:
    assert count_independent(np.repeat(np.arange(8), 5)) == pytest.approx(8)
    assert count_independent(np.zeros(40, dtype=np.int64)) == pytest.approx(1)
