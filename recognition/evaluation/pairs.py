"""Pairs of faces: how alike two faces of one person are, and two faces of different people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

AT_MOST = 2_000_000
HISTOGRAM_STEP = 0.02
_ROWS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Similarities of pairs, with the people they are of as numbers from 0 to `people` - 1.

    `same_total` and `different_total` are all the pairs there are: the arrays hold a random sample where they are fewer.
    """

    same: NDArray[np.float32]
    same_of: NDArray[np.int64]
    different: NDArray[np.float32]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    people: int
    same_total: int
    different_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Similarities in numbers; `count` of `total` pairs were measured."""

    count: int
    total: int
    mean: float
    sd: float
    least: float
    most: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    """Shares of the pairs by similarity: bar i reaches from start + i * step to start + (i + 1) * step."""

    start: float
    step: float
    same: list[float]
    different: list[float]


def draw_pairs(
    vectors: NDArray[np.float32],
    people: NDArray[np.int64],
    *,
    rng: np.random.Generator,
    at_most: int = AT_MOST,
) -> Pairs:
    """All pairs of unit vectors (n, d) of `people` (n,), or a random sample of each kind where there are more than `at_most`."""
    ids, of = np.unique(people, return_inverse=True)
    counts = np.bincount(of, minlength=len(ids))
    same_total = int((counts * (counts - 1) // 2).sum())
    total = len(vectors) * (len(vectors) - 1) // 2
    if total <= at_most:
        left, right = np.triu_indices(len(vectors), k=1)
        is_same = of[left] == of[right]
        same_rows = left[is_same], right[is_same]
        other_rows = left[~is_same], right[~is_same]
    else:
        same_rows = _draw_same(of, counts, at_most=at_most, rng=rng)
        other_rows = _draw_different(of, at_most=at_most, rng=rng)
    return Pairs(
        same=_similarities(vectors, *same_rows),
        same_of=of[same_rows[0]],
        different=_similarities(vectors, *other_rows),
        first=of[other_rows[0]],
        second=of[other_rows[1]],
        people=len(ids),
        same_total=same_total,
        different_total=total - same_total,
    )


def spread_of(similarities: NDArray[np.float32], total: int) -> Spread | None:
    """None where there is no pair."""
    if not len(similarities):
        return None
    wide = similarities.astype(np.float64)
    return Spread(
        count=len(wide),
        total=total,
        mean=float(wide.mean()),
        sd=float(wide.std(ddof=1)) if len(wide) > 1 else 0.0,
        least=float(wide.min()),
        most=float(wide.max()),
    )


def count_by_similarity(pairs: Pairs, *, step: float = HISTOGRAM_STEP) -> Histogram:
    everything = np.concatenate([pairs.same, pairs.different]).astype(np.float64)
    if not len(everything):
        return Histogram(start=0.0, step=step, same=[], different=[])
    low = int(np.floor(everything.min() / step))
    high = max(low + 1, int(np.ceil(everything.max() / step)))
    edges = np.arange(low, high + 1) * step
    # A similarity on the last edge belongs to the last bar, and rounding must not push one over either end.
    edges[0], edges[-1] = min(edges[0], everything.min()), max(edges[-1], everything.max())
    return Histogram(
        start=low * step,
        step=step,
        same=_shares(pairs.same, edges),
        different=_shares(pairs.different, edges),
    )


def _shares(similarities: NDArray[np.float32], edges: NDArray[np.floating]) -> list[float]:
    counts, _ = np.histogram(similarities.astype(np.float64), bins=edges)
    shares: list[float] = (counts / max(1, len(similarities))).tolist()
    return shares


def _draw_same(
    of: NDArray[np.int64], counts: NDArray[np.int64], *, at_most: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    order = np.argsort(of, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    of_person = counts * (counts - 1) // 2
    total = int(of_person.sum())
    if total <= at_most:
        lefts, rights = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for person in np.flatnonzero(of_person):
            rows = order[starts[person] : starts[person] + counts[person]]
            left, right = np.triu_indices(len(rows), k=1)
            lefts.append(rows[left])
            rights.append(rows[right])
        return np.concatenate(lefts), np.concatenate(rights)
    drawn = rng.choice(len(counts), size=at_most, p=of_person / total)
    first = rng.integers(0, counts[drawn])
    # The second is one of the others: whoever comes at or after the first is one further.
    second = rng.integers(0, counts[drawn] - 1)
    second = second + (second >= first)
    return order[starts[drawn] + first], order[starts[drawn] + second]


def _draw_different(
    of: NDArray[np.int64], *, at_most: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if len(np.unique(of)) < 2:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    left = rng.integers(0, len(of), size=at_most)
    right = rng.integers(0, len(of), size=at_most)
    kept = of[left] != of[right]
    return left[kept], right[kept]


def _similarities(
    vectors: NDArray[np.float32], left: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.float32]:
    found = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(left), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        found[part] = np.einsum("ij,ij->i", vectors[left[part]], vectors[right[part]])
    return found
