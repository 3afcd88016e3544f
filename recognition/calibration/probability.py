"""How likely the best person is the right one: what a page may say beside a score.

A logistic curve of two things: how rare a stranger's score as high as this is (the normal deviate of the tail's share, which
knows the number of people enrolled), and the lead over the next person. It is fitted to the labeled faces, each once as itself
and once as a stranger, its own person taken out; strangers weigh as much as they come. The starting values are part of
the fit as a ridge: few labels bend them a little, many replace them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

from recognition.calibration.comparisons import Comparisons, Integers
from recognition.calibration.curves import Tail

Floats = NDArray[np.float64]

# Every second face at an event is nobody's: what nothing better is known about.
STRANGERS = 0.5
# A longer lead says no more, and one face among a single person has none.
_LONGEST_LEAD = 0.3
# Scores far beyond the tail's own faces say no more either.
_DEVIATES = (-2.0, 8.0)
# How far an installation strays from the starting values, per coefficient.
_STRAY = np.array([2.0, 0.7, 10.0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """Coefficients of the logistic curve; `lead` counts per 1.0 of similarity."""

    intercept: float
    deviate: float
    lead: float

    @classmethod
    def load(cls, stored: Mapping[str, float]) -> Probability:
        return cls(**stored)

    def of(self, *, score: float, lead: float | None, enrolled: int, tail: Tail) -> float:
        """Pr(the best person is the right one); `lead` None where there is no second person."""
        leads = np.array([np.inf if lead is None else lead])
        features = _features(np.array([score]), leads, enrolled=enrolled, tail=tail)
        return float(expit(features @ self._weights())[0])

    def of_many(self, *, scores: Floats, leads: Floats, enrolled: int, tail: Tail) -> Floats:
        """The same for many faces at once; `leads` inf where there is no second person."""
        features = _features(scores, leads, enrolled=enrolled, tail=tail)
        return np.asarray(expit(features @ self._weights()), dtype=np.float64)

    def of_all(self, cases: Cases) -> Floats:
        return np.asarray(expit(cases.features @ self._weights()), dtype=np.float64)

    def _weights(self) -> Floats:
        return np.array([self.intercept, self.deviate, self.lead])


# Measured on 480 faces of 48 people in galleries of 16 and 47 with the bundled embedder.
START = Probability(intercept=-8.0, deviate=2.3, lead=18.0)


@dataclass(frozen=True, slots=True)
class Cases:
    """Faces with an answer: is the best person the right one? `weight` makes strangers as frequent as they are."""

    features: Floats
    right: NDArray[np.bool_]
    weight: Floats
    person: Integers


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Cases of similar probability: what was said, and how often it was right."""

    low: float
    high: float
    weight: float
    said: float
    right: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reliability:
    """`error` is the expected calibration error: the mean gap between said and right, over cases."""

    error: float
    cases: int
    bins: tuple[ReliabilityBin, ...]


def fit_probability(comparisons: Comparisons, *, tail: Tail, strangers: float = STRANGERS) -> Probability:
    """The curve of this gallery's labeled faces; the starting one where there are none."""
    return _fit(make_cases(comparisons, tail=tail, strangers=strangers))


def measure_reliability(
    comparisons: Comparisons, *, tail: Tail, strangers: float = STRANGERS, folds: int = 5, bins: int = 10
) -> Reliability:
    """Said against right, each person's faces judged by a curve that was fitted without them."""
    cases = make_cases(comparisons, tail=tail, strangers=strangers)
    fold = np.unique(cases.person, return_inverse=True)[1].ravel() % folds
    said = np.zeros(len(cases.right))
    for held in range(folds):
        inside = fold != held
        curve = _fit(
            Cases(cases.features[inside], cases.right[inside], cases.weight[inside], cases.person[inside])
        )
        said[~inside] = curve.of_all(cases)[~inside]
    return bin_reliability(said, cases.right, cases.weight, bins=bins)


def bin_reliability(
    said: Floats, right: NDArray[np.bool_], weight: Floats | None = None, *, bins: int = 10
) -> Reliability:
    """Bins of equal width; empty ones are left out."""
    weight = np.ones(len(said)) if weight is None else weight
    place = np.minimum((said * bins).astype(int), bins - 1)
    found, gap = [], 0.0
    for one in range(bins):
        inside = place == one
        total = float(weight[inside].sum())
        if total <= 0:
            continue
        mean = float(weight[inside] @ said[inside] / total)
        share = float(weight[inside] @ right[inside] / total)
        gap += total * abs(mean - share)
        found.append(
            ReliabilityBin(low=one / bins, high=(one + 1) / bins, weight=total, said=mean, right=share)
        )
    error = gap / float(weight.sum()) if found else 0.0
    return Reliability(error=error, cases=len(said), bins=tuple(found))


def make_cases(comparisons: Comparisons, *, tail: Tail, strangers: float = STRANGERS) -> Cases:
    """Each face as a stranger, and once more as itself if its own person has another reference."""
    met = np.isfinite(comparisons.score)
    known = comparisons.known
    right = known & (comparisons.own > comparisons.score)
    # Where another person is ahead, the own one may be the next.
    behind = np.minimum(comparisons.lead, np.where(known & met, -comparisons.known_lead, np.inf))
    lead_as_known = np.where(right, comparisons.own - comparisons.score, behind)
    features = np.vstack(
        [
            _features(
                comparisons.score[met], comparisons.lead[met], enrolled=comparisons.enrolled, tail=tail
            ),
            _features(
                np.fmax(comparisons.own, comparisons.score)[known],
                lead_as_known[known],
                enrolled=comparisons.enrolled + 1,
                tail=tail,
            ),
        ]
    )
    count_met, count_known = int(met.sum()), int(known.sum())
    weight = np.concatenate(
        [
            np.full(count_met, strangers / max(count_met, 1)),
            np.full(count_known, (1 - strangers) / max(count_known, 1)),
        ]
    ) * (count_met + count_known)
    return Cases(
        features=features,
        right=np.concatenate([np.zeros(count_met, dtype=np.bool_), right[known]]),
        weight=weight,
        person=np.concatenate([comparisons.person[met], comparisons.person[known]]),
    )


def _features(scores: Floats, leads: Floats, *, enrolled: int, tail: Tail) -> Floats:
    deviate = np.clip(tail.curve(enrolled).rise(scores)[0], *_DEVIATES)
    return np.column_stack([np.ones(len(scores)), deviate, np.clip(leads, 0.0, _LONGEST_LEAD)])


def _fit(cases: Cases) -> Probability:
    start = START._weights()
    sign = np.where(cases.right, 1.0, -1.0)

    def loss(weights: Floats) -> tuple[float, Floats]:
        inner = sign * (cases.features @ weights)
        slope = -cases.weight * sign * expit(-inner)
        stray = (weights - start) / _STRAY
        total = float(cases.weight @ np.logaddexp(0, -inner)) + float(stray @ stray) / 2
        return total, slope @ cases.features + stray / _STRAY

    # A higher score and a longer lead never count against a person.
    bounds = [(None, None), (0.0, None), (0.0, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x
    return Probability(intercept=float(found[0]), deviate=float(found[1]), lead=float(found[2]))
