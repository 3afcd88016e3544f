"""The lines of a gallery from its labeled faces, so that the target share of strangers' faces get a name.

`automatic` is fitted to faces of good quality. `strict` stands for it where more speaks against a name: it lets a tenth of the
target through, and is never below the line that poor faces need for the target itself, because poor faces may be alike by
their blur. `suggest` is where the lowest hundredth of the right people score.

While few people are known, neither line falls below the one that the embedder came with: two or three people say next to
nothing about the best of many strangers, and a line that is too high costs a look at a card, one too low a wrong name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recognition.calibration.comparisons import Comparisons
from recognition.calibration.curves import Tail
from recognition.calibration.probability import Probability, fit_probability
from recognition.calibration.tails import fit_tail
from recognition.embedders.base import Thresholds

STRICTER = 0.1
_LEFT_OUT = 0.01
# So many known faces of one's own weigh as much as the shipped line for suggestions.
_FACES_FOR_HALF = 50
# Below so many people, subsets of 48 real ones gave lines from 0.05 to 0.99 where 0.69 was right; from here on 0.71 at least.
_FEW_PEOPLE = 30
# Beyond it, two files hold the same picture.
_HIGHEST = 0.995


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Lines in ascending order, what they rest on, and how likely a name is right. `tail` None: nothing to go by yet."""

    thresholds: Thresholds
    target: float
    enrolled: int
    probes: int
    known: int
    tail: Tail | None
    probability: Probability | None

    def expected_share(self) -> float | None:
        """The share of strangers' good faces that get a name at the automatic line."""
        return None if self.tail is None else self.tail.share(self.thresholds.automatic, self.enrolled)

    def probability_of(self, *, score: float, lead: float | None) -> float | None:
        """Pr(the best person is the right one)."""
        if self.tail is None or self.probability is None:
            return None
        return self.probability.of(score=score, lead=lead, enrolled=self.enrolled, tail=self.tail)

    def figures(self) -> dict[str, Any]:
        """All of it for a JSON field; `load` reads it back."""
        return asdict(self)

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> Fit:
        tail, probability = stored["tail"], stored["probability"]
        return cls(
            **{
                **stored,
                "thresholds": Thresholds(**stored["thresholds"]),
                "tail": None if tail is None else Tail.load(tail),
                "probability": None if probability is None else Probability.load(probability),
            }
        )


def fit_lines(
    comparisons: Comparisons,
    *,
    enrolled: int,
    target: float,
    thresholds: Thresholds,
    shipped: Tail | None = None,
) -> Fit:
    """Fit the lines of a gallery of `enrolled` people; `comparisons` are its own without doubtful labels.

    `thresholds` are those that the embedder came with: its margin is kept, its other lines hold until something is known,
    and are the least that a name takes while few people are.
    """
    margin = thresholds.margin
    good = comparisons.keep(~comparisons.poor)
    tail = fit_tail(good, margin=margin, target=target, shipped=shipped)
    if tail is None:
        return Fit(
            thresholds=thresholds, target=target, enrolled=enrolled,
            probes=0, known=0, tail=None, probability=None,
        )  # fmt: skip
    few = len(np.unique(good.person)) < _FEW_PEOPLE
    automatic = max(tail.line(enrolled, target), thresholds.automatic if few else -1.0)
    strict = max(tail.line(enrolled, target * STRICTER), thresholds.strict if few else -1.0)
    poor = comparisons.keep(comparisons.poor)
    if len(poor):
        tail_of_poor = fit_tail(poor, margin=margin, target=target, shipped=tail)
        if tail_of_poor is not None:
            strict = max(strict, tail_of_poor.line(enrolled, target))
    automatic = min(automatic, _HIGHEST)
    strict = min(max(strict, automatic), _HIGHEST)
    suggest = min(_fit_suggest(good, shipped=thresholds.suggest), automatic)
    return Fit(
        thresholds=Thresholds(
            automatic=round(automatic, 4), margin=margin, suggest=round(suggest, 4), strict=round(strict, 4)
        ),
        target=target,
        enrolled=enrolled,
        probes=len(good),
        known=int(good.known.sum()),
        tail=tail,
        probability=fit_probability(good, tail=tail),
    )


def _fit_suggest(comparisons: Comparisons, *, shipped: float) -> float:
    """The score that 99 of 100 known faces reach whose own person comes first."""
    right = comparisons.own[comparisons.rank == 1]
    if not len(right):
        return shipped
    weight = len(right) / (len(right) + _FACES_FOR_HALF)
    return float(weight * np.quantile(right, _LEFT_OUT) + (1 - weight) * shipped)
