"""The vectors of the faces in the queue, kept by the worker between two looks at it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recognition.gallery_index import read_members
from recognition.models import Embedding

_AT_ONCE = 1000  # a database limits the parameters of a statement


class QueueVectors:
    """`face_pks` (n,) ascend and `matrix` (n, d) holds their vectors; a face without a sound vector is in neither."""

    def __init__(self, embedder_id: str, dimension: int) -> None:
        self.embedder_id = embedder_id
        self.dimension = dimension
        self.face_pks = np.empty(0, dtype=np.int64)
        self.matrix = np.empty((0, dimension), dtype=np.float32)

    def hold(self, face_pks: NDArray[np.int64]) -> None:
        """Keep exactly these faces, and read those that are not there yet."""
        wanted = np.unique(face_pks)
        kept = np.isin(self.face_pks, wanted, assume_unique=True)
        missing = np.setdiff1d(wanted, self.face_pks, assume_unique=True)
        if kept.all() and not missing.size:
            return
        pks, vectors = read_matrix(missing.tolist(), self.embedder_id, self.dimension)
        all_pks = np.concatenate([self.face_pks[kept], pks])
        order = np.argsort(all_pks)
        self.matrix = np.concatenate([self.matrix[kept], vectors])[order]
        self.face_pks = all_pks[order]

    def hold_also(self, face_pks: NDArray[np.int64]) -> None:
        """Read those of the faces that are not there yet."""
        self.hold(np.concatenate([self.face_pks, face_pks]))

    def forget(self, face_pks: Iterable[int]) -> None:
        """Their vectors may have changed."""
        kept = ~np.isin(self.face_pks, np.fromiter(face_pks, dtype=np.int64))
        self.face_pks, self.matrix = self.face_pks[kept], self.matrix[kept]

    def places_of(self, face_pks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Each face's row of `matrix`, or -1."""
        if not self.face_pks.size:
            return np.full(len(face_pks), -1, dtype=np.int64)
        places = np.searchsorted(self.face_pks, face_pks).clip(max=len(self.face_pks) - 1)
        return np.where(self.face_pks[places] == face_pks, places, -1)

    def look_up(self, face_pks: list[int]) -> tuple[list[int], NDArray[np.float32]]:
        """Of those that have a vector, read if they are not there yet: primary keys, and vectors (n, d) in that order."""
        wanted = np.array(face_pks, dtype=np.int64)
        self.hold_also(wanted)
        places = self.places_of(wanted)
        return wanted[places >= 0].tolist(), self.matrix[places[places >= 0]]


def read_matrix(
    face_pks: list[int], embedder_id: str, dimension: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Of those that have a sound vector: primary keys (n,) and vectors (n, d)."""
    rows = Embedding.objects.with_vectors().filter(embedder_id=embedder_id)
    parts = [
        part
        for start in range(0, len(face_pks), _AT_ONCE)
        for part in read_members(rows.filter(face__in=face_pks[start : start + _AT_ONCE]), dimension)
    ]
    return (
        np.concatenate([np.empty(0, np.int64), *(part.ids for part in parts)]),
        np.concatenate([np.empty((0, dimension), np.float32), *(part.vectors for part in parts)]),
    )


_current: tuple[uuid.UUID, QueueVectors] | None = None


def get_queue_vectors(embedder_id: str, dimension: int, *, epoch: uuid.UUID) -> QueueVectors:
    """The process's own; only whoever tends the queue uses it, one thread at a time. Another epoch is another gallery."""
    global _current
    if _current is None or _current[0] != epoch or _current[1].embedder_id != embedder_id:
        _current = (epoch, QueueVectors(embedder_id, dimension))
    return _current[1]


def _forget_after_fork() -> None:
    global _current
    _current = None


os.register_at_fork(after_in_child=_forget_after_fork)
