"""Vectors of made-up people: how alike two faces are is chosen, not drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognition.embedders.base import Thresholds

THRESHOLDS = Thresholds(automatic=0.70, margin=0.05, suggest=0.50, strict=0.8)
DIMENSION = 64


def make_people(*people: tuple[int, float], seed: int = 1) -> NDArray[np.float32]:
    """For each (count, alikeness) that many unit vectors; two of one person are nearly that alike, of two people nearly 0.

    Each face has directions of its own, so that nothing is alike by chance.
    """
    count = sum(faces for faces, _ in people)
    wide, _ = np.linalg.qr(
        np.random.default_rng(seed).standard_normal((DIMENSION + count, len(people) + count))
    )
    rows, at = [], len(people)
    for number, (faces, alikeness) in enumerate(people):
        for _ in range(faces):
            rows.append(np.sqrt(alikeness) * wide[:, number] + np.sqrt(1 - alikeness) * wide[:, at])
            at += 1
    return np.asarray(rows, dtype=np.float32)


def between(one: NDArray[np.float32], other: NDArray[np.float32], *, to_one: float) -> NDArray[np.float32]:
    """A unit vector in the plane of two, with that cosine to the first."""
    aside = other - (other @ one) * one
    aside /= np.linalg.norm(aside)
    mixed: NDArray[np.float32] = (to_one * one + np.sqrt(1 - to_one**2) * aside).astype(np.float32)
    return mixed


def apart(count: int) -> NDArray[np.int64]:
    """Every face on a photo of its own."""
    return np.arange(count)
