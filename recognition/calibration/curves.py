"""The share of strangers that a line lets through, as a curve, and how it moves when the gallery grows.

A curve is drawn through a few points on probability paper: the normal deviate z of the share, z = Q^-1(share), against the line.
There a Gaussian is a straight line, and what lies between two points or beyond the last is read off straight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

SHARES = (0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 5e-3, 2e-3, 1e-3, 5e-4, 2e-4, 1e-4, 1e-5, 1e-6, 1e-8)
# Two points of a curve must not share a line: the slope between them would be infinite.
_STEP = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Lines, rising, and the shares of strangers who get a name at each of them in a gallery of `enrolled` people."""

    enrolled: int
    shares: tuple[float, ...]
    lines: tuple[float, ...]

    @classmethod
    def draw(cls, *, enrolled: int, shares: Floats, lines: Floats) -> Curve:
        """A curve through points whose shares fall; lines that do not rise are pushed apart."""
        rising = np.maximum.accumulate(lines - _STEP * np.arange(len(lines))) + _STEP * np.arange(len(lines))
        return cls(
            enrolled=enrolled,
            shares=tuple(float(share) for share in shares),
            lines=tuple(round(float(line), 6) for line in rising),
        )

    def deviates(self) -> Floats:
        return to_deviate(np.array(self.shares))

    def line(self, share: float) -> float:
        """The line that lets this share of strangers through."""
        return float(self.lines_at(to_deviate(np.array([share])))[0])

    def lines_at(self, z: Floats) -> Floats:
        return _read(z, self.deviates(), np.array(self.lines))[0]

    def share(self, line: float) -> float:
        return float(ndtr(-self.rise(np.array([line]))[0][0]))

    def rise(self, lines: Floats) -> tuple[Floats, Floats]:
        """z at each line, and its slope there."""
        return _read(lines, np.array(self.lines), self.deviates())

    def stretched(self, *, shift: float, factor: float, around: float) -> Curve:
        """The curve of scores that are moved and spread out."""
        lines = around + shift + factor * (np.array(self.lines) - around)
        return Curve.draw(enrolled=self.enrolled, shares=np.array(self.shares), lines=lines)

    def grown(self, enrolled: int) -> Curve:
        """The curve among more or fewer people, were they met one by one: the share s becomes 1 - (1 - s)^ratio.

        That is Pr(none of N passes) = Pr(one does not)^N, the textbook's rule for open sets. It ignores that two people who
        both pass spoil each other's lead, so that it errs towards a higher line.
        """
        ratio = max(enrolled, 1) / max(self.enrolled, 1)
        shares = -np.expm1(ratio * np.log1p(-np.array(self.shares)))
        useful = np.flatnonzero(shares <= 0.6)
        first = min(int(useful[0]) if len(useful) else len(shares) - 2, len(shares) - 2)
        return Curve.draw(enrolled=enrolled, shares=shares[first:], lines=np.array(self.lines)[first:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The share of strangers who get a name, by line and gallery size. JSON-able through asdict and `load`.

    `mean` and `deviation` are those of a face's scores for people that it is not; without curves they are taken as Gaussian.
    `probes` and `people` say what it rests on.
    """

    mean: float
    deviation: float
    curves: tuple[Curve, ...]
    probes: int
    people: int

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Tail:
        """What asdict wrote, also when JSON has made lists of the tuples."""
        curves = tuple(
            Curve(enrolled=curve["enrolled"], shares=tuple(curve["shares"]), lines=tuple(curve["lines"]))
            for curve in stored["curves"]
        )
        return cls(**{**stored, "curves": curves})

    def line(self, enrolled: int, target: float) -> float:
        """The line at which this share of strangers gets a name among so many people."""
        return self.curve(enrolled).line(target)

    def share(self, line: float, enrolled: int) -> float:
        """The expected share of strangers who get a name at this line."""
        return self.curve(enrolled).share(line)

    def curve(self, enrolled: int) -> Curve:
        if not self.curves:
            return gaussian_curve(enrolled=max(enrolled, 1), mean=self.mean, deviation=self.deviation)
        return curve_between(self.curves, max(enrolled, 1))


def curve_between(curves: tuple[Curve, ...], enrolled: int) -> Curve:
    """The curve for a gallery's size from those of other sizes, in ascending order: straight in the logarithm of the size."""
    if enrolled <= curves[0].enrolled:
        return curves[0].grown(enrolled)
    if enrolled >= curves[-1].enrolled:
        return curves[-1].grown(enrolled)
    above = next(place for place, curve in enumerate(curves) if curve.enrolled >= enrolled)
    low, high = curves[above - 1], curves[above]
    weight = math.log(enrolled / low.enrolled) / math.log(high.enrolled / low.enrolled)
    shares = np.array(low.shares if low.shares[0] < high.shares[0] else high.shares)
    z = to_deviate(shares)
    lines = (1 - weight) * low.lines_at(z) + weight * high.lines_at(z)
    return Curve.draw(enrolled=enrolled, shares=shares, lines=lines)


def gaussian_curve(*, enrolled: int, mean: float, deviation: float) -> Curve:
    """The curve if the scores of other people were independent and Gaussian: where nothing better is known."""
    shares = np.array(SHARES)
    one = -np.expm1(np.log1p(-shares) / max(enrolled, 1))
    return Curve.draw(enrolled=enrolled, shares=shares, lines=mean + deviation * to_deviate(one))


def to_deviate(share: Floats) -> Floats:
    """z with Pr(Z > z) = share."""
    return -np.asarray(ndtri(np.clip(share, 1e-300, 1 - 1e-12)), dtype=np.float64)


def _read(at: Floats, xs: Floats, ys: Floats) -> tuple[Floats, Floats]:
    """y at each place, straight between the points and beyond the last ones, and the slope there."""
    piece = np.clip(np.searchsorted(xs, at) - 1, 0, len(xs) - 2)
    slope = (ys[1:] - ys[:-1]) / (xs[1:] - xs[:-1])
    chosen = slope[piece]
    return ys[piece] + (at - xs[piece]) * chosen, chosen
