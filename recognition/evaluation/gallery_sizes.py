"""How many strangers get a name, and how many known people theirs, with fewer people enrolled: random galleries of the same people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import Comparisons, compare
from recognition.embedders import Thresholds
from recognition.evaluation.outcomes import Outcomes, judge_faces

# A draw of a size multiplies so many faces with all references of the people drawn.
_PROBES = 1_500
_DRAWS = 20
_PRODUCTS = 2_000_000_000
_STEPS = (10, 20, 50)

# (automatic, strict) for so many people.
LinesFor = Callable[[int], tuple[float, float]]
# Called with a share of the work done.
Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Shares of the faces that were asked about; None where there was nobody to ask about."""

    line: float
    fpir: float | None
    tpir: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfSize:
    """`strangers` and `known` count faces over all `draws`; `fixed` is the line in force, `fitted` the line for this size."""

    enrolled: int
    draws: int
    strangers: int
    known: int
    fixed: Rates
    fitted: Rates | None


@dataclass(frozen=True, slots=True, eq=False)
class Labeled:
    """Labeled faces as `compare` takes them."""

    vectors: NDArray[np.float32]
    people: NDArray[np.int64]
    references: NDArray[np.bool_]
    poor: NDArray[np.bool_]


def choose_sizes(enrolled: int) -> list[int]:
    """10, 20, 50, 100, ... below the number of people enrolled."""
    sizes, factor = [], 1
    while _STEPS[0] * factor < enrolled:
        sizes += [step * factor for step in _STEPS if step * factor < enrolled]
        factor *= 10
    return sizes


def measure_sizes(
    faces: Labeled,
    everybody: Comparisons,
    *,
    lines: Thresholds,
    lines_for: LinesFor | None,
    rng: np.random.Generator,
    tell: Tell,
) -> list[OfSize]:
    """Sizes below the gallery's, and at last `everybody`: there each face is asked about as if its person were not known."""
    enrolled = np.unique(faces.people[faces.references])
    sizes = choose_sizes(len(enrolled))
    found = []
    for place, size in enumerate(sizes):
        sums = _Sums(size, lines, lines_for)
        for _ in range(_count_draws(size, faces)):
            drawn = rng.choice(enrolled, size=size, replace=False)
            sums.add_draw(_compare_drawn(faces, drawn, rng), drawn)
        found.append(sums.rates())
        tell((place + 1) / len(sizes))
    if len(enrolled) > 1:
        sums = _Sums(len(enrolled), lines, lines_for)
        sums.add_everybody(everybody)
        found.append(sums.rates())
    return found


def _count_draws(size: int, faces: Labeled) -> int:
    """Small galleries differ more from each other, and cost less."""
    products = _PROBES * size * faces.vectors.shape[1] * 4
    return int(np.clip(_PRODUCTS // max(1, products), 3, _DRAWS))


def _compare_drawn(faces: Labeled, drawn: NDArray[np.int64], rng: np.random.Generator) -> Comparisons:
    """Half of the faces asked about are of people drawn, as far as there are so many: few are, in a small gallery."""
    inside = np.isin(faces.people, drawn)
    probes = np.concatenate(
        [_draw(np.flatnonzero(inside), _PROBES // 2, rng), _draw(np.flatnonzero(~inside), _PROBES // 2, rng)]
    )
    return compare(
        vectors=faces.vectors,
        people=faces.people,
        references=faces.references & inside,
        poor=faces.poor,
        probes=np.sort(probes),
        rng=rng,
    )


def _draw(rows: NDArray[np.int64], at_most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= at_most else rng.choice(rows, size=at_most, replace=False)


class _Sums:
    def __init__(self, size: int, lines: Thresholds, lines_for: LinesFor | None) -> None:
        self._size, self._draws = size, 0
        self._rules = [lines]
        if lines_for is not None:
            automatic, strict = lines_for(size)
            self._rules.append(replace(lines, automatic=automatic, strict=strict))
        self._strangers = self._known = 0
        self._named, self._right = [0] * len(self._rules), [0] * len(self._rules)

    def add_draw(self, comparisons: Comparisons, drawn: NDArray[np.int64]) -> None:
        strangers = ~np.isin(comparisons.person, drawn)
        self._add(comparisons, strangers, lambda outcomes: outcomes.named & strangers)

    def add_everybody(self, comparisons: Comparisons) -> None:
        self._add(comparisons, np.isfinite(comparisons.score), lambda outcomes: outcomes.named)

    def _add(
        self,
        comparisons: Comparisons,
        strangers: NDArray[np.bool_],
        named: Callable[[Outcomes], NDArray[np.bool_]],
    ) -> None:
        self._draws += 1
        self._strangers += int(strangers.sum())
        self._known += int(comparisons.known.sum())
        for place, rule in enumerate(self._rules):
            outcomes = judge_faces(comparisons, rule)
            self._named[place] += int(named(outcomes).sum())
            self._right[place] += int(outcomes.right.sum())

    def rates(self) -> OfSize:
        rates = [
            Rates(line=rule.automatic, fpir=_share(named, self._strangers), tpir=_share(right, self._known))
            for rule, named, right in zip(self._rules, self._named, self._right, strict=True)
        ]
        return OfSize(
            enrolled=self._size,
            draws=self._draws,
            strangers=self._strangers,
            known=self._known,
            fixed=rates[0],
            fitted=rates[1] if len(rates) > 1 else None,
        )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
