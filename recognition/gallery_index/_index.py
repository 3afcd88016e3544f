"""The index of the gallery: what to pull, when to rebuild, and the lock around pulls and searches."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from recognition.gallery_index._members import Members, read_members
from recognition.gallery_index._types import (
    IndexOptions,
    IndexStatus,
    SearchResult,
    refuse_in_transaction,
)
from recognition.gallery_index._vectors import FlatVectors, IvfVectors
from recognition.gallery_journal import GalleryStamp, read_gallery_state
from recognition.models import GalleryChange
from recognition.vectors import check_vectors

logger = logging.getLogger(__name__)


class GalleryIndex:
    """Inner products over the gallery's unit vectors; ids are primary keys of faces, and live inside the index.

    Every method may be called from several threads. One lock covers pulls and searches, since faiss crashes when an
    index changes under a search.
    """

    def __init__(self, embedder_id: str, dimension: int, options: IndexOptions | None = None) -> None:
        self.embedder_id = embedder_id
        self.dimension = dimension
        self.options = options or IndexOptions.from_settings()
        self._lock = threading.Lock()
        self._vectors: FlatVectors | IvfVectors = FlatVectors(dimension)
        self._stamp: GalleryStamp | None = None  # None: what is loaded cannot be trusted, build anew
        self._skipped: dict[int, str] = {}
        self._loaded_seconds = 0.0
        self._builds = 0
        self._learning: threading.Thread | None = None

    def search(
        self, vectors: NDArray[np.floating], k: int, *, among: Collection[int] | None = None
    ) -> SearchResult:
        """The k nearest gallery faces of each unit vector (n, dimension), after pulling what was committed.

        With `among` only these faces may answer, as if the gallery held no others; that is exact for every kind.
        Raises BadVector for vectors that are not (n, dimension), finite and of unit length, SearchInsideTransaction
        within a business transaction. IVFFlat may miss a neighbor; the similarities it gives are exact.
        """
        queries = np.ascontiguousarray(vectors, dtype=np.float32)
        check_vectors(queries, self.dimension)
        if k < 1:
            raise ValueError("k must be at least 1")
        refuse_in_transaction()
        with self._lock:
            version = self._pull()
            size = len(self._vectors)
            if among is None:
                similarities, ids = self._vectors.search(queries, min(k, size))
            else:
                allowed = np.fromiter(among, dtype=np.int64, count=len(among))
                similarities, ids = self._vectors.search(queries, min(k, size, allowed.size), allowed)
        return SearchResult(version, *_order(similarities, ids))

    def refresh(self) -> int:
        """Pull without searching; return the gallery's version. Raises SearchInsideTransaction."""
        refuse_in_transaction()
        with self._lock:
            return self._pull()

    def rebuild(self) -> None:
        """Build anew from the database, whatever is loaded. Raises SearchInsideTransaction."""
        refuse_in_transaction()
        with self._lock:
            self._rebuild(read_gallery_state())

    def member_ids(self) -> set[int]:
        """Primary keys of the faces that are in the index now; without a pull."""
        with self._lock:
            return set(self._vectors.ids().tolist())

    def get_vectors(self, face_pks: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """The vectors (dimension,) of those of the faces that are in the index now; without a pull."""
        with self._lock:
            found = {pk: self._vectors.get(pk) for pk in face_pks}
        return {pk: vector for pk, vector in found.items() if vector is not None}

    def wait_until_settled(self) -> None:
        """Wait for cells that are being learned beside the searches."""
        if (learning := self._learning) is not None:
            learning.join()

    def status(self) -> IndexStatus:
        """What is loaded, and whether the database has moved on; without a pull."""
        now = read_gallery_state()
        with self._lock:
            stamp, vectors = self._stamp, self._vectors
            return IndexStatus(
                embedder_id=self.embedder_id,
                dimension=self.dimension,
                kind=vectors.kind,
                count=len(vectors),
                nlist=vectors.nlist,
                nprobe=vectors.nprobe,
                epoch=stamp.epoch if stamp else None,
                version=stamp.version if stamp else 0,
                fresh=stamp is not None and (stamp.epoch, stamp.version) == (now.epoch, now.version),
                loaded_seconds=self._loaded_seconds,
                skipped=dict(self._skipped),
            )

    def _pull(self) -> int:
        now, mine = read_gallery_state(), self._stamp
        if mine is None or mine.epoch != now.epoch or not now.floor <= mine.version <= now.version:
            return self._rebuild(now)
        if mine.version == now.version:
            return now.version
        changes = GalleryChange.objects.filter(version__gt=mine.version, version__lte=now.version)
        touched = np.unique(np.fromiter(changes.values_list("face", flat=True).iterator(), dtype=np.int64))
        members = self._read_touched(touched)
        after = read_gallery_state()
        if after.epoch != mine.epoch or after.floor > mine.version:
            return self._rebuild(after)  # the journal was pruned, or the gallery replaced, while it was read
        self._stamp = None  # stays so if anything below fails: half a change is not to be searched
        self._vectors.remove(touched)
        for pk in touched.tolist():
            self._skipped.pop(pk, None)
        self._take(self._vectors, members)
        self._stamp = now
        self._reshape()
        return now.version

    def _read_touched(self, face_pks: NDArray[np.int64], at_once: int = 1000) -> list[Members]:
        embeddings = self.options.membership(self.embedder_id)
        return [
            members
            for start in range(0, face_pks.size, at_once)  # a database limits the parameters of a statement
            for members in read_members(
                embeddings.filter(face_id__in=face_pks[start : start + at_once].tolist()), self.dimension
            )
        ]

    def _rebuild(self, now: GalleryStamp) -> int:
        """Build aside what the rows say, then swap. `now` was read before them: what commits meanwhile is pulled next."""
        started = time.monotonic()
        self._stamp = None
        self._builds += 1
        flat, self._skipped = FlatVectors(self.dimension), {}
        self._take(flat, read_members(self.options.membership(self.embedder_id), self.dimension))
        self._vectors, self._stamp = flat, now
        self._reshape()
        self._loaded_seconds = time.monotonic() - started
        logger.info(
            "gallery index built: %d faces of %s, %s, version %d, %.2f s",
            len(self._vectors), self.embedder_id, self._vectors.kind, now.version, self._loaded_seconds,
        )  # fmt: skip
        return now.version

    def _reshape(self) -> None:
        """Change the kind where the size asks for it. Until cells are learned, searches are exact and slower."""
        if not self._vectors.outgrown(self.options) or (self._learning and self._learning.is_alive()):
            return
        ids, matrix = self._vectors.ids(), self._vectors.matrix()
        if ids.size < self.options.ivf_from:
            flat = FlatVectors(self.dimension)
            flat.add(ids, matrix)
            self._vectors = flat
        elif ids.size < self.options.aside_from:
            self._vectors = IvfVectors(ids, matrix, self.options)
        else:
            assert self._stamp is not None
            learn = (ids, matrix, self._builds, self._stamp, dict(self._skipped))
            self._learning = threading.Thread(
                target=self._learn, args=learn, name="gallery-cells", daemon=True
            )
            self._learning.start()

    def _learn(
        self,
        ids: NDArray[np.int64],
        matrix: NDArray[np.float32],
        build: int,
        stamp: GalleryStamp,
        skipped: dict[int, str],
    ) -> None:
        started = time.monotonic()
        vectors = IvfVectors(ids, matrix, self.options)
        with self._lock:
            # It is as old as its beginning, and so is its stamp: the next pull brings what came since. An index that
            # was built meanwhile may have another history, and stays.
            if self._builds == build:
                self._vectors, self._stamp, self._skipped = vectors, stamp, skipped
        logger.info(
            "%d cells learned of %d faces in %.1f s", vectors.nlist, ids.size, time.monotonic() - started
        )

    def _take(self, vectors: FlatVectors | IvfVectors, chunks: Iterable[Members]) -> None:
        for members in chunks:
            vectors.add(members.ids, members.vectors)
            self._skipped.update(members.broken)


def _order(
    similarities: NDArray[np.float32], ids: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The best first, and equal ones by id, so that an answer does not depend on history."""
    order = np.lexsort((ids, -similarities))
    return (
        np.clip(np.take_along_axis(similarities, order, axis=1), -1, 1),
        np.take_along_axis(ids, order, axis=1),
    )
