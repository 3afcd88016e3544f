"""Curves of the share of strangers who get a name."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import norm

from recognition.calibration.curves import Curve, Tail, curve_between, gaussian_curve


def test_a_gaussian_curve_is_the_share_of_independent_people_who_pass() -> None:
    curve = gaussian_curve(enrolled=200, mean=0.1, deviation=0.15)
    for line in (0.5, 0.6, 0.7):
        one = norm.sf(line, 0.1, 0.15)
        assert curve.share(line) == pytest.approx(1 - (1 - one) ** 200, rel=0.05)


@pytest.mark.parametrize("share", [0.1, 0.01, 0.001, 1e-4, 1e-7])
def test_line_and_share_undo_each_other(share: float) -> None:
    curve = gaussian_curve(enrolled=50, mean=0.0, deviation=0.1)
    assert curve.share(curve.line(share)) == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize("enrolled", [5, 40, 1000, 20_000])
def test_growing_a_gaussian_curve_gives_the_curve_of_that_size(enrolled: int) -> None:
    grown = gaussian_curve(enrolled=100, mean=0.0, deviation=0.15).grown(enrolled)
    right = gaussian_curve(enrolled=enrolled, mean=0.0, deviation=0.15)
    assert grown.line(0.001) == pytest.approx(right.line(0.001), abs=0.004)


def test_a_size_between_two_lies_between_their_lines() -> None:
    curves = tuple(gaussian_curve(enrolled=size, mean=0.0, deviation=0.15) for size in (10, 1000))
    assert curve_between(curves, 10).line(0.01) < curve_between(curves, 100).line(0.01)
    assert curve_between(curves, 100).line(0.01) == pytest.approx(
        (curves[0].line(0.01) + curves[1].line(0.01)) / 2, abs=1e-4
    )


def test_the_line_rises_with_the_gallery_and_as_the_target_falls() -> None:
    tail = Tail(mean=0.1, deviation=0.15, curves=(), probes=0, people=0)
    lines = [tail.line(enrolled, 0.001) for enrolled in (1, 10, 100, 1000, 10_000)]
    assert lines == sorted(lines)
    assert tail.line(100, 0.0001) > tail.line(100, 0.001)


def test_nobody_enrolled_is_met_as_one_person() -> None:
    tail = Tail(mean=0.1, deviation=0.15, curves=(), probes=0, people=0)
    assert tail.line(0, 0.001) == tail.line(1, 0.001)


def test_points_that_do_not_rise_are_pushed_apart() -> None:
    curve = Curve.draw(enrolled=1, shares=np.array([0.1, 0.01, 0.001]), lines=np.array([0.5, 0.5, 0.4]))
    assert curve.lines[0] < curve.lines[1] < curve.lines[2]
    assert np.isfinite(curve.line(1e-6))


def test_a_tail_survives_json() -> None:
    curves = tuple(gaussian_curve(enrolled=size, mean=0.0, deviation=0.15) for size in (10, 1000))
    tail = Tail(mean=0.0, deviation=0.15, curves=curves, probes=7, people=3)
    assert Tail.load(json.loads(json.dumps(asdict(tail)))) == tail
