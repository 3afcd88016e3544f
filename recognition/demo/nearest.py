"""What the gallery would have said about a face whose person is known: similarity, margin, references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_REFERENCES_KEPT = 3


@dataclass(frozen=True, slots=True)
class Nearest:
    """Cosine to the nearest reference of the own person, its lead over the next person (None where there is nobody
    else), and up to three references of the own person, best first."""

    similarity: float
    margin: float | None
    references: list[int]


class References:
    """The references of a demo vault: unit vectors (r, d), the number of the person (r,) and the face's key of each."""

    def __init__(self, vectors: NDArray[np.float32], people: NDArray[np.int64], faces: Sequence[int]) -> None:
        order = np.argsort(people, kind="stable")
        self._vectors = vectors[order]
        self._faces = [faces[index] for index in order]
        self._starts = np.searchsorted(people[order], np.arange(int(people.max(initial=-1)) + 2))

    def find(self, vectors: NDArray[np.float32], people: NDArray[np.int64]) -> list[Nearest]:
        """For faces (n, d) of the people (n,), each of whom has a reference."""
        scores = vectors @ self._vectors.T
        best = np.maximum.reduceat(scores, self._starts[:-1], axis=1)
        rows = np.arange(len(people))
        own = best[rows, people].copy()
        best[rows, people] = -np.inf
        others = best.max(axis=1)
        found = []
        for row, person in enumerate(people):
            start, end = self._starts[person], self._starts[person + 1]
            ranked = np.argsort(-scores[row, start:end])[:_REFERENCES_KEPT]
            margin = round(float(own[row] - others[row]), 6) if len(self._starts) > 2 else None
            references = [self._faces[start + int(rank)] for rank in ranked]
            found.append(Nearest(round(float(own[row]), 6), margin, references))
        return found
