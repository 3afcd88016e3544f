"""Are two faces one person: ROC and DET points, and the share of true accepts at a share of false ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.pairs import Pairs

FARS = (1e-2, 1e-3, 1e-4)
# Below so many false accepts a share of them is an accident.
_ENOUGH = 10
_POINTS = 80
_ROUNDS = 200
# The false accepts of every share asked for are among the most alike different pairs.
_TAIL = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Above `line`, the share `far` of different pairs and the share `tar` of same pairs is accepted."""

    line: float
    far: float
    tar: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueAccepts:
    """`low` to `high` is the 95 % interval over people; all None where there are too few pairs to say."""

    far: float
    line: float | None = None
    tar: float | None = None
    low: float | None = None
    high: float | None = None


def trace_curve(pairs: Pairs) -> list[Point]:
    """Points of the ROC from few false accepts to all; a DET curve is the same with 1 - tar. Evenly apart in log(far)."""
    if not len(pairs.same) or not len(pairs.different):
        return []
    same = np.sort(pairs.same)
    different = np.sort(pairs.different)[::-1]
    accepted = np.unique(np.geomspace(1, len(different), _POINTS).astype(np.int64))
    points = []
    for count in accepted.tolist():
        line = float(different[count - 1])
        # Pairs that are equally alike are accepted together.
        far = np.searchsorted(-different, -line, side="right") / len(different)
        tar = 1 - np.searchsorted(same, line, side="left") / len(same)
        points.append(Point(line=line, far=float(far), tar=float(tar)))
    return points


def measure_true_accepts(
    pairs: Pairs,
    *,
    rng: np.random.Generator,
    fars: tuple[float, ...] = FARS,
    rounds: int = _ROUNDS,
) -> list[TrueAccepts]:
    """TAR at each FAR. The intervals draw people, not pairs: the pairs of one person come and go together.

    A drawn person counts as often as drawn, a pair of two people as often as the product; a person is never paired
    with their own second draw.
    """
    count = len(pairs.different)
    asked = [far for far in fars if far * count >= _ENOUGH and len(pairs.same)]
    if not asked:
        return [TrueAccepts(far=far) for far in fars]
    ranked = _Ranked(pairs)
    measured = ranked.measure(np.ones(pairs.people), asked)
    drawn = np.array(
        [
            [tar for _, tar in found]
            for _ in range(rounds)
            if (found := ranked.measure(_draw_people(pairs.people, rng), asked))
        ]
    )
    answers = {}
    for place, (far, (line, tar)) in enumerate(zip(asked, measured, strict=True)):
        low, high = np.nanquantile(drawn[:, place], [0.025, 0.975]).tolist() if len(drawn) else (tar, tar)
        answers[far] = TrueAccepts(far=far, line=line, tar=tar, low=low, high=high)
    return [answers.get(far, TrueAccepts(far=far)) for far in fars]


class _Ranked:
    """The pairs, most alike first, so that each draw of people only weighs them."""

    def __init__(self, pairs: Pairs) -> None:
        order = np.argsort(-pairs.different, kind="stable")
        self._different = pairs.different[order]
        self._first, self._second = pairs.first[order], pairs.second[order]
        order = np.argsort(-pairs.same, kind="stable")
        self._same, self._same_of = pairs.same[order], pairs.same_of[order]

    def measure(self, weights: NDArray[np.float64], fars: list[float]) -> list[tuple[float, float]]:
        """Line and TAR at each FAR, with people weighed so; empty where the draw has no pair of a kind."""
        total = float(weights[self._first] @ weights[self._second])
        same = np.cumsum(weights[self._same_of])
        if total == 0 or same[-1] == 0:
            return []
        allowed = [far * total for far in fars]
        tail = max(1, int(len(self._different) * _TAIL))
        accepted = np.cumsum(weights[self._first[:tail]] * weights[self._second[:tail]])
        if accepted[-1] <= max(allowed):
            accepted = np.cumsum(weights[self._first] * weights[self._second])
        found = []
        for share in allowed:
            # The first pair that would be one too many: a similarity must be above it.
            place = min(int(np.searchsorted(accepted, share, side="right")), len(accepted) - 1)
            line = float(self._different[place])
            above = int(np.searchsorted(-self._same, -line, side="left"))
            found.append((line, float(same[above - 1] / same[-1]) if above else 0.0))
        return found


def _draw_people(people: int, rng: np.random.Generator) -> NDArray[np.float64]:
    drawn: NDArray[np.float64] = np.bincount(rng.integers(0, people, size=people), minlength=people).astype(
        np.float64
    )
    return drawn
