"""The graph of faces that look alike: each face's nearest neighbors above a line, by exact inner products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEIGHBORS = 20
# Similarities in hand at a time: 64 MB of float32.
_BLOCK = 1 << 24


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Graph:
    """Undirected, without loops: face i looks like `others[starts[i]:starts[i + 1]]`, by `similarities` there."""

    starts: NDArray[np.int64]
    others: NDArray[np.int64]
    similarities: NDArray[np.float32]

    @property
    def size(self) -> int:
        return len(self.starts) - 1


def link_faces(
    *,
    vectors: NDArray[np.float32],
    photos: NDArray[np.int64],
    line: float,
    count: int = NEIGHBORS,
    rows: NDArray[np.int64] | None = None,
) -> Graph:
    """Link each face of `rows`, or every one, to its `count` nearest from `line` on; never within one photo.

    vectors (n, d) of unit length, photos (n,).
    """
    wanted = np.arange(len(vectors), dtype=np.int64) if rows is None else rows
    step = max(1, _BLOCK // max(1, len(vectors)))
    sources, targets, values = [], [], []
    for start in range(0, len(wanted), step):
        block = wanted[start : start + step]
        near = vectors[block] @ vectors.T
        row, other = np.divmod(np.flatnonzero(near >= line), len(vectors))
        apart = photos[block[row]] != photos[other]
        row, other = row[apart], other[apart]
        similarity = near[row, other]
        best = _best_of_each(row, similarity, count)
        sources.append(block[row[best]])
        targets.append(other[best])
        values.append(similarity[best])
    return build_graph(
        size=len(vectors),
        sources=np.concatenate([*sources, np.empty(0, np.int64)]),
        targets=np.concatenate([*targets, np.empty(0, np.int64)]),
        similarities=np.concatenate([*values, np.empty(0, np.float32)]),
    )


def build_graph(
    *,
    size: int,
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    similarities: NDArray[np.float32],
) -> Graph:
    """The graph of those links, each taken both ways and once."""
    ends = np.concatenate([sources * size + targets, targets * size + sources])
    ends, first = np.unique(ends, return_index=True)
    origins, others = np.divmod(ends, max(1, size))
    starts = np.searchsorted(origins, np.arange(size + 1))
    both = np.concatenate([similarities, similarities])[first]
    return Graph(starts=starts, others=others, similarities=both)


def cut_graph(graph: Graph, *, nodes: NDArray[np.int64], line: float) -> Graph:
    """The links among `nodes` from `line` on; node k of the answer is nodes[k]."""
    places = np.full(graph.size, -1, dtype=np.int64)
    places[nodes] = np.arange(len(nodes))
    origins = np.repeat(np.arange(graph.size), np.diff(graph.starts))
    kept = (places[origins] >= 0) & (places[graph.others] >= 0) & (graph.similarities >= line)
    return build_graph(
        size=len(nodes),
        sources=places[origins[kept]],
        targets=places[graph.others[kept]],
        similarities=graph.similarities[kept],
    )


def _best_of_each(row: NDArray[np.int64], similarity: NDArray[np.float32], count: int) -> NDArray[np.int64]:
    """Places of the `count` largest of each row; of equal ones the first. `row` ascends."""
    if len(row) == 0:
        return np.empty(0, dtype=np.int64)
    sizes = np.bincount(row)
    if sizes.max() <= count:
        return np.arange(len(row))
    order = np.lexsort((-similarity, row))
    ranks = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    best: NDArray[np.int64] = order[ranks < count]
    return best
