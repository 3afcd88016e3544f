"""Faces of made-up people on a sphere of 64 directions: small, and unlike anything that the calibration assumes by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import Comparisons


@dataclass(frozen=True)
class Crowd:
    vectors: NDArray[np.float32]
    people: NDArray[np.int64]
    references: NDArray[np.bool_]
    poor: NDArray[np.bool_]

    def renamed(self, rows: NDArray[np.int64], person: int) -> Crowd:
        people = self.people.copy()
        people[rows] = person
        return replace(self, people=people)


def make_crowd(
    people: int, *, rng: np.random.Generator, faces: int = 6, references: int = 3, noise: float = 0.45
) -> Crowd:
    """The same number of faces for each; the first of them are references."""
    means = _unit(rng.standard_normal((people, 64)))
    names = np.repeat(np.arange(people), faces)
    vectors = _unit(means[names] + noise * _unit(rng.standard_normal((len(names), 64))))
    return Crowd(
        vectors=vectors.astype(np.float32),
        people=names,
        references=np.tile(np.arange(faces) < references, people),
        poor=np.zeros(len(names), dtype=np.bool_),
    )


def make_strangers(
    scores: NDArray[np.float64], *, enrolled: int, mean: float = 0.0, deviation: float = 0.15
) -> Comparisons:
    """Probes of one face each, far ahead of the next person, and nothing known of themselves."""
    count = len(scores)
    return Comparisons(
        rows=np.arange(count),
        person=np.arange(count),
        poor=np.zeros(count, dtype=np.bool_),
        score=scores,
        lead=np.full(count, 0.2),
        other=np.arange(count) + count,
        references=np.ones(count, dtype=np.int64),
        own=np.full(count, np.nan),
        own_references=np.zeros(count, dtype=np.int64),
        rank=np.zeros(count, dtype=np.int64),
        enrolled=enrolled,
        mean=mean,
        deviation=deviation,
    )


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
