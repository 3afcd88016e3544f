"""Does the index hold what the database says? Finds differences and prints nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from recognition.gallery_index import GalleryIndex, read_members
from recognition.gallery_journal import read_gallery_state
from recognition.models import Embedding

_ROUNDS = 5


class GalleryMoving(RuntimeError):
    """The gallery changed during every round of the comparison."""


@dataclass(slots=True, kw_only=True)
class IndexReport:
    """Primary keys of faces, ascending, by what is wrong with them."""

    version: int
    count: int  # faces in the index
    missing: list[int] = field(default_factory=list)  # in the database, not in the index
    extra: list[int] = field(default_factory=list)  # in the index, not in the database
    different: list[int] = field(default_factory=list)  # in both, with another vector
    broken: dict[int, str] = field(default_factory=dict)  # stored vectors that no index can hold, and why

    @property
    def ok(self) -> bool:
        return not (self.missing or self.extra or self.different or self.broken)


def check_gallery_index(index: GalleryIndex) -> IndexReport:
    """Pull, then compare the index with the stored rows. Not inside a transaction.

    Raises GalleryMoving where writers are so busy that no two readings belong together.
    """
    for _ in range(_ROUNDS):
        version = index.refresh()
        report = _compare(index, version)
        if read_gallery_state().version == version:
            return report
    raise GalleryMoving(f"the gallery changed during each of {_ROUNDS} comparisons; try again")


def _compare(index: GalleryIndex, version: int) -> IndexReport:
    held = index.member_ids()
    report = IndexReport(version=version, count=len(held))
    stored: set[int] = set()
    for members in read_members(Embedding.objects.gallery(index.embedder_id), index.dimension):
        report.broken.update(members.broken)
        ids = members.ids.tolist()
        stored.update(ids)
        vectors = index.get_vectors(ids)
        report.different += [
            pk
            for pk, row in zip(ids, members.vectors, strict=True)
            if pk in vectors and not np.array_equal(vectors[pk], row)
        ]
    report.missing = sorted(stored - held)
    report.extra = sorted(held - stored)
    report.different.sort()
    return report
