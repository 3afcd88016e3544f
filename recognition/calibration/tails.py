"""Where the line must be so that no more than a target share of strangers get a name, from few faces as from many.

The shape of the curve comes from outside: the embedder's shipped figures, or Gaussian scores where it has none. Two numbers
are fitted to this installation's own faces, where the curve lies (`at`) and how far it is stretched (`factor`):

- only the best scores count, from the share where about 20 independent ones remain (peaks over a threshold: Davison and
  Smith 1990): many faces are judged close to the target itself, whatever the shape, few faces further inside;
- faces of one pair of people come together, so the likelihood is raised to the power of effective over real count, with
  Kish's effective count (sum n)^2 / sum n^2 over the pairs;
- the prior says how far an installation strays from the shape, after mean and deviation of all its comparisons were matched;
- the share at a line is averaged over the posterior (predictive, not plugged in): E[FPIR(line)] = target is what is asked, and
  the plugged-in line lets more through, because the share is convex in the line's error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from recognition.calibration.comparisons import Comparisons
from recognition.calibration.curves import SHARES, Curve, Tail, curve_between, gaussian_curve, to_deviate
from recognition.calibration.peaks import Peaks, find_peaks

Floats = NDArray[np.float64]

_SPREAD_LEFT = 1e-3
# How far installations stray: a part of the deviation of all comparisons, and the logarithm of a factor.
_SHIPPED_STRAY, _GAUSSIAN_STRAY = (0.3, 0.2), (0.5, 0.35)
# So many people of one's own weigh as much as the shipped mean and deviation.
_PEOPLE_FOR_HALF = 10
_GRID = 31


def fit_tail(
    comparisons: Comparisons, *, margin: float, target: float, shipped: Tail | None = None
) -> Tail | None:
    """The tail of one gallery, which must be without doubtful labels; None where nothing at all is known."""
    seen = len(comparisons) > 0 and comparisons.enrolled > 0 and np.isfinite(comparisons.mean)
    if not seen:
        return shipped
    people = len(np.unique(comparisons.person))
    mean, deviation = _blend_moments(comparisons, people=people, shipped=shipped)
    if deviation <= 0:
        return shipped
    if shipped is None or not shipped.curves:
        shape = gaussian_curve(enrolled=comparisons.enrolled, mean=mean, deviation=deviation)
        curve = fit_curve(
            [comparisons],
            margin=margin,
            target=target,
            shape=shape,
            deviation=deviation,
            stray=_GAUSSIAN_STRAY if shipped is None else _SHIPPED_STRAY,
        )
        curves: tuple[Curve, ...] = (curve,)
    else:
        matched = tuple(
            curve.stretched(
                shift=mean - shipped.mean, factor=deviation / shipped.deviation, around=shipped.mean
            )
            for curve in shipped.curves
        )
        shape = curve_between(matched, comparisons.enrolled)
        curve = fit_curve(
            [comparisons],
            margin=margin,
            target=target,
            shape=shape,
            deviation=deviation,
            stray=_SHIPPED_STRAY,
        )
        curves = _carry_over(curve, shape=shape, others=matched)
    return Tail(mean=mean, deviation=deviation, curves=curves, probes=len(comparisons), people=people)


def measure_tail(galleries: Iterable[Comparisons], *, margin: float, target: float) -> Tail:
    """An embedder's figures to ship: a curve for each size among galleries of outside people.

    They are the likeliest curves, not the predictive ones: how far they may be off is for the fit that starts from them.
    """
    sizes: dict[int, list[Comparisons]] = {}
    for gallery in galleries:
        sizes.setdefault(gallery.enrolled, []).append(gallery)
    counts = {size: sum(len(gallery) for gallery in group) for size, group in sizes.items()}
    everything = [gallery for group in sizes.values() for gallery in group]
    mean = float(np.mean([gallery.mean for gallery in everything]))
    deviation = float(
        np.sqrt(np.mean([gallery.deviation**2 + (gallery.mean - mean) ** 2 for gallery in everything]))
    )
    curves = [
        fit_curve(
            group,
            margin=margin,
            target=target,
            shape=gaussian_curve(enrolled=size, mean=mean, deviation=deviation),
            deviation=deviation,
            stray=_GAUSSIAN_STRAY,
            predictive=False,
        )
        for size, group in sorted(sizes.items())
    ]
    people = max(len(np.unique(gallery.person)) for gallery in everything)
    return Tail(
        mean=mean, deviation=deviation, curves=tuple(curves), probes=sum(counts.values()), people=people
    )


def fit_curve(
    galleries: Sequence[Comparisons],
    *,
    margin: float,
    target: float,
    shape: Curve,
    deviation: float,
    stray: tuple[float, float],
    predictive: bool = True,
) -> Curve:
    """The curve of galleries of one size: counted where there are scores enough, fitted beyond."""
    peaks = find_peaks(galleries, margin=margin, target=target)
    shares = np.array(SHARES)
    if peaks is None:
        return shape
    posterior = _Posterior.fit(peaks, shape=shape, deviation=deviation, stray=stray)
    fitted = shares < peaks.share
    counted = peaks.all[np.minimum(np.ceil(shares * peaks.probes).astype(int), len(peaks.all)) - 1]
    reached = np.ceil(shares * peaks.probes) <= len(peaks.all)
    lines = np.where(
        fitted,
        posterior.lines(shares) if predictive else posterior.middle().lines_at(to_deviate(shares)),
        counted,
    )
    useful = fitted | reached
    return Curve.draw(enrolled=shape.enrolled, shares=shares[useful], lines=lines[useful])


@dataclass(frozen=True, slots=True)
class _Posterior:
    """Weights on a grid of places and factors of one shape."""

    shape: Curve
    origin: Floats
    factor: Floats
    weight: Floats

    @classmethod
    def fit(cls, peaks: Peaks, *, shape: Curve, deviation: float, stray: tuple[float, float]) -> _Posterior:
        known = shape.line(min(peaks.share, 0.5))
        spread = float(peaks.scores.std()) + _SPREAD_LEFT
        noise, prior = 1.3 * spread / np.sqrt(peaks.independent), stray[0] * deviation
        ends = np.array([known, peaks.start])
        reach = 4 * (noise**-2 + prior**-2) ** -0.5
        place = np.linspace(ends.min() - reach, ends.max() + reach, 2 * _GRID)
        factor = np.exp(np.linspace(-4 * stray[1], 4 * stray[1], _GRID))
        at, factors = (side.ravel() for side in np.meshgrid(place, factor, indexing="ij"))
        origin = at - factors * known
        likelihood = (peaks.probes - len(peaks.scores)) * log_ndtr(
            shape.rise((peaks.start - origin) / factors)[0]
        )
        for score in peaks.scores:
            z, slope = shape.rise((score - origin) / factors)
            likelihood += np.log(slope / factors) - z**2 / 2
        likelihood *= peaks.independent / len(peaks.scores)
        logarithm = likelihood - ((at - known) / prior) ** 2 / 2 - (np.log(factors) / stray[1]) ** 2 / 2
        weight = np.exp(logarithm - logarithm.max())
        kept = weight > 1e-7
        return cls(shape, origin[kept], factors[kept], weight[kept] / weight[kept].sum())

    def middle(self) -> Curve:
        """The shape at the mean place and factor."""
        origin, factor = float(self.weight @ self.origin), float(self.weight @ self.factor)
        return self.shape.stretched(shift=origin, factor=factor, around=0.0)

    def share(self, line: float) -> float:
        return float(self.weight @ ndtr(-self.shape.rise((line - self.origin) / self.factor)[0]))

    def lines(self, shares: Floats) -> Floats:
        """The lines with these expected shares."""
        low, high = np.full(len(shares), -2.0), np.full(len(shares), 4.0)
        for _ in range(26):
            middle = (low + high) / 2
            above = np.array([self.share(line) for line in middle]) > shares
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return high


def _blend_moments(comparisons: Comparisons, *, people: int, shipped: Tail | None) -> tuple[float, float]:
    if shipped is None:
        return comparisons.mean, comparisons.deviation
    weight = people / (people + _PEOPLE_FOR_HALF)
    return (
        weight * comparisons.mean + (1 - weight) * shipped.mean,
        weight * comparisons.deviation + (1 - weight) * shipped.deviation,
    )


def _carry_over(curve: Curve, *, shape: Curve, others: tuple[Curve, ...]) -> tuple[Curve, ...]:
    """The other sizes' curves, moved as far at every share as the fit moved the shape at the gallery's own size."""
    moved = [curve]
    for other in others:
        if not 2 / 3 < other.enrolled / curve.enrolled < 3 / 2:
            z = other.deviates()
            lines = np.array(other.lines) + curve.lines_at(z) - shape.lines_at(z)
            moved.append(Curve.draw(enrolled=other.enrolled, shares=np.array(other.shares), lines=lines))
    return tuple(sorted(moved, key=lambda one: one.enrolled))
