"""Take a decision back, or do it again: the faces' rows become exactly what they were, today or next year."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from labeling.decisions.caused import find_caused, is_restorable, take_back_caused
from labeling.decisions.errors import UndoRefused
from labeling.decisions.reading import find_later, may_undo
from labeling.decisions.snapshots import CannotRestore, Snapshot, differs, restore_snapshots, take_snapshots
from labeling.decisions.writing import clusters_of, recount_clusters
from labeling.models import Cluster, DecidedFace, Decision
from labeling.people.hidden import hide_unused_people, show_again
from labeling.signals import decided
from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state, touch_gallery
from recognition.models import Face

# What undoing and redoing a kind takes beside the rows of its faces.
Reverter = Callable[[Decision], None]
_undo_more: dict[str, Reverter] = {}
_redo_more: dict[str, Reverter] = {}
_AT_ONCE = 500


def register_kind(kind: Decision.Kind, *, undo: Reverter, redo: Reverter) -> None:
    """For a decision that changes more than faces. Both run inside the transaction, before the faces' rows are put back,
    and raise UndoRefused or CannotRestore where that cannot be."""
    _undo_more[kind], _redo_more[kind] = undo, redo


def undo_decision(*, decision: Decision, actor: User, with_caused: bool = True) -> Decision:
    """Undo it and return it as it is now. Raises UndoRefused, and PermissionDenied for somebody else's decision.

    What the machine named because of this decision's references goes back into the queue with it, unless `with_caused`
    is off. A person that came with a decision is hidden with the undo of the last thing that used them.
    """
    if not may_undo(decision, actor):
        raise PermissionDenied("Only a manager may undo somebody else's decision.")
    with transaction.atomic():
        if decision.kind not in Decision.POSTPONING:
            # Nobody names a face from here on, so what is read below is still so when it is written.
            lock_gallery_state()
        undone = Decision.objects.filter(pk=decision.pk, undone_at=None).update(
            undone_at=timezone.now(), undone_by=actor
        )
        if undone != 1:
            raise UndoRefused("This decision was undone already.")
        if decision.kind not in Decision.POSTPONING:
            _restore_before(decision, with_caused=with_caused)
            hide_unused_people()
        decision.refresh_from_db()
        decided.send(Decision, decision=decision)
        crash_point("undo_written")
    return decision


def redo_decision(*, decision: Decision, actor: User) -> Decision:
    """Do an undone decision again, exactly. Raises UndoRefused if somebody decided about a face of it since, and
    PermissionDenied as for an undo.

    What the undo took back with it returns too, but for faces that somebody decided about since.
    """
    if not may_undo(decision, actor):
        raise PermissionDenied("Only a manager may redo somebody else's decision.")
    with transaction.atomic():
        if decision.kind not in Decision.POSTPONING:
            lock_gallery_state()
        redone = Decision.objects.filter(pk=decision.pk, undone_at__isnull=False).update(
            undone_at=None, undone_by=None
        )
        if redone != 1:
            raise UndoRefused("This decision is in force already.")
        if decision.kind not in Decision.POSTPONING:
            _restore_after(decision)
        decision.refresh_from_db()
        decided.send(Decision, decision=decision)
        crash_point("redo_written")
    return decision


def _restore_before(decision: Decision, *, with_caused: bool) -> None:
    rows = list(DecidedFace.objects.filter(decision=decision, caused=False))
    mine = [row.face_id for row in rows]
    if decision.face_count and not mine:
        # Its photos may have been deleted since the decision was read.
        raise UndoRefused("The faces of this decision are gone.")
    if (later := find_later(decision)) is not None:
        raise UndoRefused("A face of it was decided about again later. Undo that first.", later=later)
    caused = find_caused(decision) if with_caused else []
    both = [*mine, *(sighting.face_id for sighting in caused)]
    touch_gallery(both)
    clusters = clusters_of(both)
    after = take_snapshots(mine)
    _restore(decision, {row.face_id: row.before for row in rows}, _undo_more)
    for row in rows:
        row.after = after[row.face_id]
    _save(rows)
    take_back_caused(decision, caused)
    _settle_clusters(decision, clusters | clusters_of(both))


def _restore_after(decision: Decision) -> None:
    rows = list(DecidedFace.objects.filter(decision=decision))
    mine = [row for row in rows if not row.caused]
    if decision.face_count and not mine:
        raise UndoRefused("The faces of this decision are gone.")
    if (later := find_later(decision)) is not None:
        raise UndoRefused("A face of it was decided about since. Undo that first.", later=later)
    now = take_snapshots([row.face_id for row in rows])
    grouped = decision.kind in Decision.REGROUPING
    if any(row.after is None or differs(row.before, now[row.face_id], grouped=grouped) for row in mine):
        raise UndoRefused("A face of it was changed since the undo. Decide anew.")
    # What a take-back itself took back is its own to find again.
    takes_back = decision.kind == Decision.Kind.TAKE_BACK
    caused = [row for row in rows if row.caused and not takes_back]
    again = [*mine, *(row for row in caused if is_restorable(row, now[row.face_id]))]
    pks = [row.face_id for row in again]
    touch_gallery(pks)
    clusters = clusters_of(pks)
    if not show_again(decision.person):
        raise UndoRefused("Somebody else has this name by now. Name the faces again.")
    _restore(decision, {row.face_id: row.after for row in again if row.after is not None}, _redo_more)
    for row in mine:
        # What FaceVault itself had named in between comes back with the next undo.
        row.before, row.after = now[row.face_id], None
    _save(mine)
    if not takes_back:
        DecidedFace.objects.filter(decision=decision, caused=True).delete()
    _settle_clusters(decision, clusters | clusters_of(pks))


def _restore(decision: Decision, snapshots: dict[int, Snapshot], more: dict[str, Reverter]) -> None:
    Face.objects.filter(pk__in=snapshots).update(version=F("version") + 1)
    try:
        if revert := more.get(decision.kind):
            revert(decision)
        restore_snapshots(snapshots, grouped=decision.kind in Decision.REGROUPING)
    except CannotRestore as error:
        raise UndoRefused(str(error)) from error


def _save(rows: Iterable[DecidedFace]) -> None:
    """As one upsert per batch: an UPDATE of many rows with values of their own takes several times as long."""
    DecidedFace.objects.bulk_create(
        rows,
        batch_size=_AT_ONCE,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["before", "after"],
    )


def _settle_clusters(decision: Decision, cluster_pks: set[int]) -> None:
    """Count them anew. One that this decision had made is gone with its last member."""
    made = decision.details.get("cluster")
    if made is not None:
        Cluster.objects.filter(pk=made, members=None).delete()
    recount_clusters(cluster_pks)
