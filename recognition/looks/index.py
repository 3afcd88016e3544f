"""The process-wide index of looks: a cache that pulls from the database before every search. The only importer of faiss here.

Rows are written once and never changed: a photo that looks otherwise now has new rows. So how many there are and which
is the last one say whether anything came or went.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Collection
from typing import Any, NamedTuple

import faiss
import numpy as np
from django.db.models import Count, Max
from numpy.typing import NDArray

from recognition.gallery_index._types import refuse_in_transaction
from recognition.gallery_journal import read_gallery_state
from recognition.looks.descriptor import LOOK
from recognition.looks.plan import LookPlan, Weights
from recognition.looks.poses import POSE
from recognition.models import PhotoLook

_BYTES = LOOK * 4
_AT_ONCE = 2000
# What counts nothing is kept with so much weight, so that a search by other weights can still see it.
_LEAST = 1e-3


class LookHit(NamedTuple):
    """`pose` and `color` are the squared distances of the two parts, unweighted; `distance` is their weighted sum."""

    look_pk: int
    photo_pk: int
    distance: float
    pose: float
    color: float


_guard = threading.Lock()
_held: LookIndex | None = None


def get_look_index(plan: LookPlan) -> LookIndex:
    """The process's index of that descriptor, filled by its first search. One of another descriptor is let go."""
    global _held
    with _guard:
        if _held is None or (_held.descriptor_id, _held.given) != (plan.descriptor_id, plan.weights):
            _held = LookIndex(plan.descriptor_id, plan.weights)
        return _held


def reset_look_index() -> None:
    """Forget it, for tests."""
    global _held
    with _guard:
        _held = None


class LookIndex:
    """Squared distances to every stored look of one descriptor. Every method may be called from several threads."""

    def __init__(self, descriptor_id: str, weights: Weights) -> None:
        self.descriptor_id = descriptor_id
        self.given = weights
        self._kept = Weights(max(weights.pose, _LEAST), max(weights.color, _LEAST))
        self._scale = _scale_of(self._kept)
        self._lock = threading.Lock()
        self._epoch: uuid.UUID | None = None
        self._empty()

    def search(
        self,
        looks: NDArray[np.float32],
        k: int,
        *,
        weights: Weights,
        among: Collection[int] | None = None,
    ) -> list[LookHit]:
        """The k photos nearest to any of these looks (n, 578), each by its nearest look, best first.

        With `among` only these photos may answer. Not inside a transaction.
        """
        refuse_in_transaction()
        queries = np.ascontiguousarray(looks, dtype=np.float32)
        with self._lock:
            self._pull()
            if not self._photos.size:
                return []
            allowed = None
            if among is not None:
                allowed = np.isin(self._photos, np.fromiter(among, dtype=np.int64, count=len(among)))
            places = self._nearest(queries, k, weights, allowed)
            return self._tell(queries, places, weights)[:k]

    def __len__(self) -> int:
        return int(self._photos.size)

    def _empty(self) -> None:
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatL2(LOOK))
        # In the order of the index, which is that of the keys.
        self._photos: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._blank: NDArray[np.int64] = np.empty(0, dtype=np.int64)
        self._pose_lengths: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._color_lengths: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self._seen = (0, 0)

    def _ids(self) -> NDArray[np.int64]:
        ids: NDArray[np.int64] = faiss.vector_to_array(self._index.id_map)
        return ids

    def _rows(self) -> NDArray[np.float32]:
        """The weighted looks (n, 578) where they lie, valid while the lock is held."""
        flat: Any = faiss.downcast_index(self._index.index)
        view: NDArray[np.float32] = faiss.rev_swig_ptr(flat.get_xb(), self._photos.size * LOOK)
        return view.reshape(-1, LOOK)

    def _nearest(
        self,
        queries: NDArray[np.float32],
        k: int,
        weights: Weights,
        allowed: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64]:
        """Places of looks among which are the best of the k nearest photos."""
        if weights != self.given:
            return self._scan(queries, k, weights, allowed)
        size = self._photos.size if allowed is None else int(allowed.sum())
        if not size:
            return np.empty(0, dtype=np.int64)
        faiss.omp_set_num_threads(1)  # of this thread; a second one makes single queries slower
        parameters = None
        if allowed is not None:
            selector = faiss.IDSelectorBatch(self._ids()[allowed])
            parameters = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        asked = min(size, 4 * k)
        while True:
            _, found = self._index.search(queries * self._scale, asked, params=parameters)
            places = np.searchsorted(self._ids(), np.unique(found[found >= 0]))
            # A photo of many people has many looks; k photos are wanted.
            if asked >= size or np.unique(self._photos[places]).size >= k:
                return places
            asked = min(size, 4 * asked)

    def _scan(
        self,
        queries: NDArray[np.float32],
        k: int,
        weights: Weights,
        allowed: NDArray[np.bool_] | None,
    ) -> NDArray[np.int64]:
        """The same for weights that somebody just chose: one product over all rows, which are weighted otherwise."""
        factors = np.concatenate(
            [
                np.full(POSE, weights.pose / self._kept.pose, dtype=np.float32),
                np.full(LOOK - POSE, weights.color / self._kept.color, dtype=np.float32),
            ]
        )
        rows, scaled = self._rows(), queries * self._scale
        lengths = factors[0] * self._pose_lengths + factors[-1] * self._color_lengths
        distances = (lengths[:, None] - 2 * (rows @ (scaled * factors).T)).T
        distances += ((scaled**2) * factors).sum(axis=1)[:, None]
        best = distances.min(axis=0)
        places = np.arange(self._photos.size) if allowed is None else np.flatnonzero(allowed)
        asked = 4 * k
        while asked < places.size:
            nearest = places[np.argpartition(best[places], asked)[:asked]]
            if np.unique(self._photos[nearest]).size >= k:
                return nearest
            asked *= 4
        return places

    def _tell(
        self, queries: NDArray[np.float32], places: NDArray[np.int64], weights: Weights
    ) -> list[LookHit]:
        """Each photo by its nearest look, with the two parts of the distance."""
        rows = self._rows()[places] / self._scale
        apart = (rows[:, None, :] - queries[None, :, :]) ** 2
        pose, color = apart[..., :POSE].sum(axis=2), apart[..., POSE:].sum(axis=2)
        total = weights.pose * pose + weights.color * color
        nearest = total.argmin(axis=1)
        here = np.arange(len(places))
        pose, color, total = pose[here, nearest], color[here, nearest], total[here, nearest]
        ids, photos = self._ids()[places], self._photos[places]
        found: dict[int, LookHit] = {}
        for place in np.lexsort((ids, total)).tolist():
            photo = int(photos[place])
            if photo not in found:
                found[photo] = LookHit(
                    int(ids[place]), photo, float(total[place]), float(pose[place]), float(color[place])
                )
        return list(found.values())

    def _pull(self) -> None:
        stored = PhotoLook.objects.filter(descriptor_id=self.descriptor_id).order_by()
        facts = stored.aggregate(count=Count("pk"), last=Max("pk"))
        now = (int(facts["count"]), int(facts["last"] or 0))
        if (epoch := read_gallery_state().epoch) != self._epoch:
            # An older database was restored: the same keys may be other looks.
            self._empty()
            self._epoch = epoch
        if now == self._seen:
            return
        self._take(stored.filter(pk__gt=self._seen[1], pk__lte=now[1]))
        self._seen = (now[0], now[1])
        if len(self._known()) == now[0]:
            return
        # Something went, or was committed later than what has a higher key.
        there = np.fromiter(
            stored.filter(pk__lte=now[1]).values_list("pk", flat=True).iterator(), dtype=np.int64
        )
        known = self._known()
        self._drop(np.setdiff1d(known, there))
        late = np.setdiff1d(there, known)
        if late.size:
            self._empty()
            self._take(stored.filter(pk__lte=now[1]))
        self._seen = (int(there.size), now[1])

    def _known(self) -> NDArray[np.int64]:
        """The keys that are here, also of those that hold nothing to compare."""
        return np.union1d(self._ids(), self._blank)

    def _take(self, rows: Any) -> None:
        pending: list[tuple[int, int, bytes]] = []
        for row in rows.order_by("pk").values_list("pk", "photo_id", "vector").iterator(chunk_size=_AT_ONCE):
            pending.append(row)
            if len(pending) == _AT_ONCE:
                self._add(pending)
                pending = []
        self._add(pending)

    def _add(self, rows: list[tuple[int, int, bytes]]) -> None:
        whole = [row for row in rows if len(row[2]) == _BYTES]
        blank = [row[0] for row in rows if len(row[2]) != _BYTES]
        self._blank = np.union1d(self._blank, np.array(blank, dtype=np.int64))
        if not whole:
            return
        looks = np.frombuffer(b"".join(bytes(row[2]) for row in whole), dtype="<f4").reshape(-1, LOOK)
        weighted = np.ascontiguousarray(looks * self._scale, dtype=np.float32)
        self._index.add_with_ids(weighted, np.array([row[0] for row in whole], dtype=np.int64))
        self._photos = np.append(self._photos, [row[1] for row in whole])
        squares = weighted**2
        self._pose_lengths = np.append(self._pose_lengths, squares[:, :POSE].sum(axis=1))
        self._color_lengths = np.append(self._color_lengths, squares[:, POSE:].sum(axis=1))

    def _drop(self, gone: NDArray[np.int64]) -> None:
        self._blank = np.setdiff1d(self._blank, gone)
        stays = ~np.isin(self._ids(), gone)
        if stays.all():
            return
        self._index.remove_ids(gone)
        self._photos = self._photos[stays]
        self._pose_lengths, self._color_lengths = self._pose_lengths[stays], self._color_lengths[stays]


def _scale_of(weights: Weights) -> NDArray[np.float32]:
    """What to multiply looks by, so that their plain squared distance is the weighted sum of the parts'."""
    scale = np.full(LOOK, weights.color**0.5, dtype=np.float32)
    scale[:POSE] = weights.pose**0.5
    return scale


def _forget_after_fork() -> None:
    # A lock that another thread held at the fork stays locked in the child for ever.
    global _guard, _held
    _guard, _held = threading.Lock(), None


os.register_at_fork(after_in_child=_forget_after_fork)
