"""How many strangers would be named, and how many known people, on people that the lines were not fitted to.

In every split the people fall into three equal parts: the lines are fitted to the first, the second is enrolled, the third are
strangers. No figures of the embedder are used: they may come from the same people.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import Comparisons, Flags, Integers, compare
from recognition.calibration.doubts import compare_trusted
from recognition.calibration.tails import fit_tail
from recognition.embedders.base import Thresholds

Floats = NDArray[np.float64]
Interval = tuple[float, float]

_BOOTSTRAPS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSet:
    """Pooled over all splits: shares of strangers' faces that were named, and of known faces that were named right.

    `fixed_` are the same at the lines that the embedder came with. Intervals cover 95 %, by drawing whole splits again; splits share
    people, so they say how far the number of splits matters, not the number of people.
    """

    splits: int
    target: float
    enrolled: int
    references: int
    probes: int
    fpir: float
    tpir: float
    wrong: float
    fixed_fpir: float
    fixed_tpir: float
    fpir_interval: Interval
    tpir_interval: Interval
    line: float
    line_deviation: float


def open_set_splits(
    *,
    vectors: NDArray[np.float32],
    people: Integers,
    thresholds: Thresholds,
    splits: int = 200,
    target: float = 0.01,
    references: int = 5,
    seed: int = 1,
) -> OpenSet | None:
    """Judge the method on labeled faces; None with fewer than six people who have a face more than `references`."""
    names, counts = np.unique(people, return_counts=True)
    names = names[counts > references]
    third = len(names) // 3
    if third < 2:
        return None
    rng = np.random.default_rng(seed)
    margin = thresholds.margin
    rows = np.zeros((splits, 6))
    lines, wrong = np.zeros(splits), 0
    faces_of = {name: np.flatnonzero(people == name) for name in names.tolist()}
    for place in range(splits):
        drawn = rng.permutation(names)
        parts = [drawn[part * third : (part + 1) * third] for part in range(3)]
        fitted, enrolled, strange = (np.concatenate([faces_of[n] for n in part.tolist()]) for part in parts)
        served = np.zeros(len(people), dtype=np.bool_)
        for name in np.concatenate(parts[:2]).tolist():
            served[rng.permutation(faces_of[name])[:references]] = True
        lines[place] = _fit_line(
            vectors[fitted],
            people[fitted],
            served[fitted],
            enrolled=third,
            target=target,
            margin=margin,
            rng=rng,
        )
        known = enrolled[~served[enrolled]]
        served[fitted] = False
        met = _compare(vectors, people, served, probes=strange, rng=rng)
        seen = _compare(vectors, people, served, probes=known, rng=rng)
        wrong += int(seen.named_wrong(lines[place], margin).sum())
        rows[place] = [
            len(strange), len(known),
            met.named(lines[place], margin).sum(), seen.named_right(lines[place], margin).sum(),
            met.named(thresholds.automatic, margin).sum(),
            seen.named_right(thresholds.automatic, margin).sum(),
        ]  # fmt: skip
    total = rows.sum(axis=0)
    drawn_again = rows[rng.integers(0, splits, size=(_BOOTSTRAPS, splits))].sum(axis=1)
    return OpenSet(
        splits=splits,
        target=target,
        enrolled=third,
        references=references,
        probes=int(total[0]),
        fpir=float(total[2] / total[0]),
        tpir=float(total[3] / total[1]),
        wrong=float(wrong / total[1]),
        fixed_fpir=float(total[4] / total[0]),
        fixed_tpir=float(total[5] / total[1]),
        fpir_interval=_interval(drawn_again[:, 2] / drawn_again[:, 0]),
        tpir_interval=_interval(drawn_again[:, 3] / drawn_again[:, 1]),
        line=float(lines.mean()),
        line_deviation=float(lines.std()),
    )


def _fit_line(
    vectors: NDArray[np.float32],
    people: Integers,
    references: Flags,
    *,
    enrolled: int,
    target: float,
    margin: float,
    rng: np.random.Generator,
) -> float:
    good = np.zeros(len(people), dtype=np.bool_)
    comparisons, _ = compare_trusted(
        vectors=vectors, people=people, references=references, poor=good, rng=rng
    )
    tail = fit_tail(comparisons, margin=margin, target=target)
    return np.inf if tail is None else tail.line(enrolled, target)


def _compare(
    vectors: NDArray[np.float32],
    people: Integers,
    references: Flags,
    *,
    probes: Integers,
    rng: np.random.Generator,
) -> Comparisons:
    return compare(
        vectors=vectors,
        people=people,
        references=references,
        poor=np.zeros(len(people), dtype=np.bool_),
        probes=probes,
        at_most=len(probes),
        rng=rng,
    )


def _interval(values: Floats) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)
