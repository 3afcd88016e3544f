"""The two kinds of FAISS index, with one face: exact (Flat) and by cells (IVFFlat). The only module that imports faiss."""

from __future__ import annotations

import math
from typing import Any, Literal

import faiss
import numpy as np
from numpy.typing import NDArray

from recognition.gallery_index._types import IndexOptions

# faiss 1.15 leaves small batches to a loop that reads the whole index once per query; from here on (queries times
# dimension) BLAS is several times faster, and below it slower.
faiss.cvar.distance_compute_blas_threshold = 8192

_HASHTABLE = 2  # faiss.DirectMap.Hashtable, which its type stubs do not know
_build_threads = faiss.omp_get_max_threads()


def stay_single_threaded() -> None:
    """After a fork: OpenMP's threads are gone, and a parallel region would wait for them for ever."""
    global _build_threads
    _build_threads = 1


class FlatVectors:
    """Exact search over every vector."""

    kind: Literal["Flat"] = "Flat"
    nlist = 0
    nprobe = 0

    def __init__(self, dimension: int) -> None:
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        if ids.size:
            self._index.add_with_ids(vectors, ids)

    def remove(self, ids: NDArray[np.int64]) -> None:
        # A removal moves the whole array, so all go in one call, and none goes for faces that are not here.
        present = ids[np.isin(ids, self.ids())]
        if present.size:
            self._index.remove_ids(present)

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        parameters = None
        if among is not None:
            parameters = faiss.SearchParameters(sel=faiss.IDSelectorBatch(among))  # type: ignore[call-arg]
        return _search(self._index, queries, k, parameters)

    def ids(self) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = faiss.vector_to_array(self._index.id_map)
        return ids

    def get(self, face_pk: int) -> NDArray[np.float32] | None:
        return _reconstruct(self._index, face_pk)

    def outgrown(self, options: IndexOptions) -> bool:
        return len(self) >= options.ivf_from

    def matrix(self) -> NDArray[np.float32]:
        """A copy of the vectors (n, d), in the order of `ids()`."""
        flat: Any = faiss.downcast_index(self._index.index)
        if not len(self):
            return np.empty((0, flat.d), dtype=np.float32)
        view: NDArray[np.float32] = faiss.rev_swig_ptr(flat.get_xb(), len(self) * flat.d)
        return view.reshape(len(self), flat.d).copy()


class IvfVectors:
    """Search over the nearest `nprobe` of `nlist` cells, learned from what it was made of.

    The inverted lists hold the ids. An IndexIDMap2 around them would not do: its removal assumes that positions move
    up, which those of an IVF index do not, and every later hit bears another face's id.
    """

    kind: Literal["IVFFlat"] = "IVFFlat"

    def __init__(self, ids: NDArray[np.int64], vectors: NDArray[np.float32], options: IndexOptions) -> None:
        self._made_of, dimension = vectors.shape
        wanted = options.nlist or round(4 * math.sqrt(self._made_of))
        self.nlist = max(1, min(wanted, self._made_of // 10))
        self.nprobe = min(options.nprobe or max(16, self.nlist // 32), self.nlist)
        self._quantizer = faiss.IndexFlatIP(dimension)  # faiss does not keep it alive
        self._index: Any = faiss.IndexIVFFlat(
            self._quantizer, dimension, self.nlist, faiss.METRIC_INNER_PRODUCT
        )
        self._index.cp.min_points_per_centroid = 1  # ten suffice here; the default prints a warning below 39
        self._index.cp.max_points_per_centroid = 64
        self._index.nprobe = self.nprobe
        faiss.omp_set_num_threads(_build_threads)
        self._index.train(vectors)
        self._index.set_direct_map_type(_HASHTABLE)  # removal and lookup by id without a scan
        self._index.add_with_ids(vectors, ids)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, ids: NDArray[np.int64], vectors: NDArray[np.float32]) -> None:
        if ids.size:
            self._index.add_with_ids(vectors, ids)

    def remove(self, ids: NDArray[np.int64]) -> None:
        if ids.size:
            self._index.remove_ids(faiss.IDSelectorArray(ids.size, faiss.swig_ptr(ids)))

    def search(
        self, queries: NDArray[np.float32], k: int, among: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        parameters = None
        if among is not None:
            # All cells: the few that count may lie in cells that the nearest of all others hide.
            parameters = faiss.SearchParametersIVF(  # type: ignore[call-arg]
                sel=faiss.IDSelectorBatch(among), nprobe=self.nlist
            )
        return _search(self._index, queries, k, parameters)

    def ids(self) -> NDArray[np.int64]:
        lists = self._index.invlists
        parts = [faiss.rev_swig_ptr(lists.get_ids(i), lists.list_size(i)).copy() for i in range(self.nlist)]
        return np.concatenate(parts)

    def matrix(self) -> NDArray[np.float32]:
        """A copy of the vectors (n, d), in the order of `ids()`."""
        lists, size = self._index.invlists, self._index.code_size
        parts = [
            faiss.rev_swig_ptr(lists.get_codes(i), lists.list_size(i) * size).view(np.float32)
            for i in range(self.nlist)
        ]
        return np.concatenate(parts).reshape(len(self), self._index.d)

    def get(self, face_pk: int) -> NDArray[np.float32] | None:
        return _reconstruct(self._index, face_pk)

    def outgrown(self, options: IndexOptions) -> bool:
        """Its cells no longer fit: twice what they were learned from, or so few that exact search is better."""
        return len(self) > 2 * self._made_of or len(self) < options.ivf_from // 2


def _search(
    index: Any, queries: NDArray[np.float32], k: int, parameters: Any
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Similarities and ids, both (n, k), best first; id -1 where there is no more."""
    if k == 0 or not len(queries):
        return np.empty((len(queries), 0), dtype=np.float32), np.empty((len(queries), 0), dtype=np.int64)
    faiss.omp_set_num_threads(1)  # of this thread; a second one makes single queries slower
    found: tuple[NDArray[np.float32], NDArray[np.int64]] = index.search(queries, k, params=parameters)
    return found


def _reconstruct(index: Any, face_pk: int) -> NDArray[np.float32] | None:
    try:
        vector: NDArray[np.float32] = index.reconstruct(face_pk)
    except RuntimeError:  # all that faiss says of an id that it does not hold
        return None
    return vector
