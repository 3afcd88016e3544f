"""Made-up labeled faces whose figures can be counted by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.reading import LabeledFaces


def scattered_people(
    people: int, faces: int, *, dimension: int = 64, noise: float = 0.6, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """So many faces of so many people: a direction each, and noise of that length around it."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((people, dimension)) / np.sqrt(dimension)
    of = np.repeat(np.arange(people), faces)
    rows = centers[of] + noise * rng.standard_normal((len(of), dimension)) / np.sqrt(dimension)
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, of.astype(np.int64)


def as_labeled(
    vectors: NDArray[np.float32],
    people: NDArray[np.int64],
    *,
    references: NDArray[np.bool_] | None = None,
    poor: NDArray[np.bool_] | None = None,
    sizes: NDArray[np.float64] | None = None,
) -> LabeledFaces:
    count = len(people)
    return LabeledFaces(
        face_pks=np.arange(1, count + 1),
        vectors=vectors,
        people=people,
        events=np.ones(count, dtype=np.int64),
        references=np.ones(count, dtype=np.bool_) if references is None else references,
        poor=np.zeros(count, dtype=np.bool_) if poor is None else poor,
        sizes=np.full(count, 100.0) if sizes is None else sizes,
        sharpness=np.full(count, 100.0),
        yaws=np.zeros(count),
    )
