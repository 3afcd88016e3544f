"""The writers' side of the gallery: its version, its epoch, and the journal of faces to look at again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.db.transaction import TransactionManagementError

from recognition.models import GalleryChange, GalleryState

_ROW = 1
_NO_EPOCH = uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class GalleryStamp:
    """What the one row of GalleryState said. The journal holds every version above `floor`."""

    epoch: uuid.UUID
    version: int
    floor: int


def touch_gallery(face_pks: Iterable[int]) -> int:
    """Move the gallery's version on and journal the faces under it; return the new version.

    Call it first in the transaction that adds, changes or removes gallery faces (a sighting's `is_reference`, an
    embedding, a face): the row lock that the UPDATE takes is what makes versions commit in their order. A rollback
    takes the version and the journal back together. Without faces it still locks and moves on: a merge of people needs
    no pull, but a worker that matched before it must match again.
    """
    _require_transaction()
    _update_state(version=F("version") + 1)
    version = GalleryState.objects.values_list("version", flat=True).get(pk=_ROW)
    GalleryChange.objects.bulk_create(
        [GalleryChange(version=version, face=pk) for pk in sorted(set(face_pks))], batch_size=5000
    )
    return version


def read_gallery_state() -> GalleryStamp:
    """The gallery's stamp now. Reads only: before the first write there is no row, and the epoch is all zeros."""
    row = GalleryState.objects.filter(pk=_ROW).values_list("epoch", "version", "floor").first()
    return GalleryStamp(*row) if row else GalleryStamp(_NO_EPOCH, 0, 0)


def lock_gallery_state() -> GalleryStamp:
    """The stamp, held until the end of the transaction: no other writer moves the version in the meantime.

    For a caller that searched first and writes what it found: if `version` is not the one that the search returned,
    search again outside the transaction.
    """
    _require_transaction()
    _update_state(version=F("version"))
    return read_gallery_state()


def start_new_epoch() -> uuid.UUID:
    """Make every process build its index anew before its next search: after a restore, a switch, or a repair."""
    epoch = uuid.uuid4()
    with transaction.atomic():
        _update_state(epoch=epoch, version=F("version") + 1)
    return epoch


def prune_journal(*, keep_versions: int) -> int:
    """Drop all but the newest `keep_versions` versions of the journal; return how many entries went.

    An index that is further behind than that builds itself anew.
    """
    if keep_versions < 0:
        raise ValueError("keep_versions must not be negative")
    with transaction.atomic():
        state = lock_gallery_state()
        floor = max(state.floor, state.version - keep_versions)
        GalleryState.objects.filter(pk=_ROW).update(floor=floor)
        deleted, _ = GalleryChange.objects.filter(version__lte=floor).delete()
    return deleted


def _update_state(**changes: object) -> None:
    if not GalleryState.objects.filter(pk=_ROW).update(**changes):
        # Of two first writers one inserts and the other waits for it; both then update the same row.
        GalleryState.objects.bulk_create([GalleryState(pk=_ROW)], ignore_conflicts=True)
        GalleryState.objects.filter(pk=_ROW).update(**changes)


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise TransactionManagementError("The gallery changes only inside transaction.atomic().")
