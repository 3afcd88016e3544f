"""The centers of clusters, and how close each face is to the others of its cluster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sum_clusters(
    labels: NDArray[np.int64], vectors: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The labels there are (c,), each face's place among them (n,), and the sums of their vectors (c, d)."""
    found, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(places, kind="stable")
    if len(found) == 0:
        return found, places, np.zeros((0, vectors.shape[1]))
    sums = np.add.reduceat(vectors[order].astype(np.float64), np.cumsum(counts) - counts, axis=0)
    return found, places, sums


def closeness_to_others(
    vectors: NDArray[np.float32], places: NDArray[np.int64], sums: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Cosine (n,) of each face to the center of the others of its cluster; 1 where there are none."""
    others = sums[places] - vectors
    lengths = np.linalg.norm(others, axis=1)
    alone = lengths < 1e-5
    closeness = np.einsum("nd,nd->n", vectors, others) / np.where(alone, 1.0, lengths)
    return np.where(alone, 1.0, closeness)
