"""What a gallery index takes and gives: options, hits, its status, and when it refuses."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.models import Embedding


class SearchInsideTransaction(RuntimeError):
    """A pull would take uncommitted rows into the index of the whole process, where a rollback cannot reach them."""

    def __init__(self) -> None:
        super().__init__(
            "The gallery is searched outside transactions: search first, then open atomic(), lock_gallery_state(), "
            "and search again if the version moved."
        )


class FaceHit(NamedTuple):
    face_pk: int
    similarity: float


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """Per query a row of `similarities` and `face_pks` (n, k), best first; -1 in place of a face where the index holds no
    more. `version` is that of the gallery that was searched."""

    version: int
    similarities: NDArray[np.float32]
    face_pks: NDArray[np.int64]

    @property
    def hits(self) -> list[list[FaceHit]]:
        """The same as lists, for few: fewer than asked for where the index holds no more."""
        rows = zip(self.face_pks.tolist(), self.similarities.tolist(), strict=True)
        return [
            [FaceHit(pk, similarity) for pk, similarity in zip(*row, strict=True) if pk >= 0] for row in rows
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexStatus:
    embedder_id: str
    dimension: int
    kind: Literal["Flat", "IVFFlat"]
    count: int
    nlist: int  # 0 for Flat
    nprobe: int
    epoch: uuid.UUID | None  # None before the first load
    version: int
    fresh: bool  # nothing was committed since the last pull
    loaded_seconds: float  # what the last build took
    skipped: dict[int, str]  # primary keys of faces whose stored vector is broken, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexOptions:
    ivf_from: int  # from this many faces on: IVFFlat
    nlist: int = 0  # 0: 4 * sqrt(n)
    nprobe: int = 0  # 0: nlist / 32, 16 at least
    # From this many faces on cells are learned beside the searches (a minute at 300,000), below it at once.
    aside_from: int = 20_000
    # Whose embeddings answer, by embedder_id; a change of this membership must be journaled like any other.
    membership: Callable[[str], QuerySet[Embedding]] = Embedding.objects.gallery

    @classmethod
    def from_settings(cls) -> Self:
        return cls(
            ivf_from=settings.FACEVAULT_IVF_FROM,
            nlist=settings.FACEVAULT_IVF_NLIST,
            nprobe=settings.FACEVAULT_IVF_NPROBE,
        )


def refuse_in_transaction() -> None:
    """Raise SearchInsideTransaction within any atomic() but the one that a test case wraps around a whole test."""
    connection = transaction.get_connection()
    blocks = connection.atomic_blocks
    # Django's own mark, by which it lets durable blocks into tests.
    if connection.in_atomic_block and not (blocks and blocks[-1]._from_testcase):
        raise SearchInsideTransaction
