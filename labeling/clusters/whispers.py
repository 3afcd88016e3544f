"""Chinese whispers: every face takes the cluster that its neighbors favor, until nothing changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.neighbors import Graph

_ROUNDS = 30
_SEED = 20


def whisper(
    graph: Graph, *, weights: NDArray[np.float32], held: NDArray[np.int64] | None = None
) -> NDArray[np.int64]:
    """A cluster's number (n,) of each face; the same graph gives the same numbers.

    `weights` are of the graph's links. A face whose `held` is not -1 keeps that number whatever its neighbors say;
    the others start as clusters of their own, numbered from the largest held number on.
    """
    size = graph.size
    free = np.ones(size, dtype=bool) if held is None else held < 0
    first = 0 if held is None or not size else max(0, int(held.max()) + 1)
    numbers = np.arange(first, first + size)
    if held is not None:
        numbers[~free] = held[~free]
    labels: list[int] = numbers.tolist()
    starts: list[int] = graph.starts.tolist()
    others: list[int] = graph.others.tolist()
    strengths: list[float] = weights.tolist()
    moving: list[bool] = (free & (np.diff(graph.starts) > 0)).tolist()
    order: list[int] = np.random.default_rng(_SEED).permutation(size).tolist()
    # A face is asked again only when a neighbor of it has moved.
    asked = [face for face in order if moving[face]]
    for _ in range(_ROUNDS):
        again: set[int] = set()
        for face in asked:
            again.discard(face)
            links = range(starts[face], starts[face + 1])
            votes: dict[int, float] = {}
            for link in links:
                label = labels[others[link]]
                votes[label] = votes.get(label, 0.0) + strengths[link]
            mine = labels[face]
            best = max(votes.items(), key=lambda vote: (vote[1], vote[0] == mine, -vote[0]))[0]
            if best != mine:
                labels[face] = best
                again.update(others[link] for link in links if moving[others[link]])
        if not again:
            break
        asked = [face for face in order if face in again]
    return np.asarray(labels, dtype=np.int64)
