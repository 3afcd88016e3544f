"""The rows that an index is made of: checked vectors, and the faces whose stored vector is broken."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.models import Embedding
from recognition.vectors import BadVector, check_vectors, decode_vector

_CHUNK = 2000
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Members:
    """Faces that may answer a search: `ids` (n,) int64 primary keys of faces, `vectors` (n, d) float32."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.float32]
    broken: dict[int, str]  # primary key of a face, and what is wrong with its vector


def read_members(embeddings: QuerySet[Embedding], dimension: int) -> Iterator[Members]:
    """These embeddings in chunks, from one consistent statement; a broken vector is logged and set apart."""
    rows = embeddings.order_by().values_list("face_id", "vector")
    chunk: list[tuple[int, bytes | memoryview]] = []
    for row in rows.iterator(chunk_size=_CHUNK):
        chunk.append(row)
        if len(chunk) == _CHUNK:
            yield _decode(chunk, dimension)
            chunk = []
    if chunk:
        yield _decode(chunk, dimension)


def _decode(rows: list[tuple[int, bytes | memoryview]], dimension: int) -> Members:
    try:
        ids, vectors = (
            [face_pk for face_pk, _ in rows],
            [decode_vector(bytes(data), dimension) for _, data in rows],
        )
        matrix = np.stack(vectors)
        check_vectors(matrix, dimension)
    except BadVector:
        return _decode_one_by_one(rows, dimension)
    return Members(np.array(ids, dtype=np.int64), matrix, {})


def _decode_one_by_one(rows: list[tuple[int, bytes | memoryview]], dimension: int) -> Members:
    ids: list[int] = []
    vectors = np.empty((0, dimension), dtype=np.float32)
    broken: dict[int, str] = {}
    for face_pk, data in rows:
        try:
            vector = decode_vector(bytes(data), dimension)[np.newaxis]
            check_vectors(vector, dimension)
        except BadVector as error:
            broken[face_pk] = str(error)
            logger.error("the stored vector of face %d is broken and left out: %s", face_pk, error)
        else:
            ids.append(face_pk)
            vectors = np.concatenate([vectors, vector])
    return Members(np.array(ids, dtype=np.int64), vectors, broken)
