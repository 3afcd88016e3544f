"""Take a decision back, or do it again: the faces' rows become exactly what they were, today or next year."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from access.roles import LABELER, MANAGER, reach_of, roles_of
from labeling.decisions.caused import find_caused, take_back_caused
from labeling.decisions.snapshots import CannotRestore, restore_snapshots, take_snapshots
from labeling.decisions.writing import clusters_of, recount_clusters
from labeling.models import Cluster, DecidedFace, Decision, Look
from labeling.signals import decided
from recognition.gallery_journal import touch_gallery
from recognition.models import Face, Person

# What undoing and redoing a kind takes beside the rows of its faces.
Reverter = Callable[[Decision], None]
_undo_more: dict[str, Reverter] = {}
_redo_more: dict[str, Reverter] = {}
_AT_ONCE = 500


class UndoRefused(Exception):
    """Nothing was changed; the message says why. `later` is the decision that stands in the way, if one does."""

    def __init__(self, message: str, *, later: Decision | None = None) -> None:
        super().__init__(message)
        self.later = later


def register_kind(kind: Decision.Kind, *, undo: Reverter, redo: Reverter) -> None:
    """For a decision that changes more than faces. Both run inside the transaction, before the faces' rows are put back,
    and raise UndoRefused or CannotRestore where that cannot be."""
    _undo_more[kind], _redo_more[kind] = undo, redo


def may_undo(decision: Decision, user: User) -> bool:
    """One's own decisions, as long as one labels there; a manager of all its events anybody's."""
    events = set(
        DecidedFace.objects.filter(decision=decision, caused=False)
        .order_by()
        .values_list("face__photo__event", flat=True)
        .distinct()
    )
    if not events:
        return decision.actor_id == user.pk or MANAGER in roles_of(user)
    reach = reach_of(user, LABELER, MANAGER) if decision.actor_id == user.pk else reach_of(user, MANAGER)
    return all(event in reach for event in events)


def undo_decision(*, decision: Decision, actor: User, with_caused: bool = True) -> Decision:
    """Undo it and return it as it is now. Raises UndoRefused, and PermissionDenied for somebody else's decision.

    What the machine named only by this decision's references goes back into the queue with it, unless `with_caused` is
    off. A person that came with a decision is hidden with the undo of the last thing that used them.
    """
    if not may_undo(decision, actor):
        raise PermissionDenied("Only a manager may undo somebody else's decision.")
    with transaction.atomic():
        postponed = decision.kind in Decision.POSTPONING
        mine = [] if postponed else list(_faces_of(decision).values_list("face_id", flat=True))
        caused = list(find_caused(decision)) if with_caused and not postponed else []
        if not postponed:
            touch_gallery([*mine, *(sighting.face_id for sighting in caused)])
        undone = Decision.objects.filter(pk=decision.pk, undone_at=None).update(
            undone_at=timezone.now(), undone_by=actor
        )
        if undone != 1:
            raise UndoRefused("This decision was undone already.")
        if not postponed:
            _restore_before(decision, mine)
            take_back_caused(decision, caused)
            _hide_unused_people()
        decision.refresh_from_db()
        decided.send(Decision, decision=decision)
    return decision


def redo_decision(*, decision: Decision, actor: User) -> Decision:
    """Do an undone decision again, exactly, what it caused included. Raises UndoRefused if a face was touched since, and
    PermissionDenied as for an undo."""
    if not may_undo(decision, actor):
        raise PermissionDenied("Only a manager may redo somebody else's decision.")
    with transaction.atomic():
        rows = {row.face_id: row for row in DecidedFace.objects.filter(decision=decision)}
        if decision.kind not in Decision.POSTPONING:
            touch_gallery(rows)
        redone = Decision.objects.filter(pk=decision.pk, undone_at__isnull=False).update(
            undone_at=None, undone_by=None
        )
        if redone != 1:
            raise UndoRefused("This decision is in force already.")
        if decision.kind not in Decision.POSTPONING:
            _restore_after(decision, rows)
        decision.refresh_from_db()
        decided.send(Decision, decision=decision)
    return decision


def find_later(decision: Decision) -> Decision | None:
    """The decision in force that stands on one of this decision's faces, the first one made."""
    faces = _faces_of(decision).values("face")
    later = DecidedFace.objects.filter(
        face__in=faces, decision__gt=decision.pk, decision__undone_at=None, caused=False
    ).exclude(decision__kind__in=Decision.POSTPONING)
    found = later.select_related("decision__actor", "decision__person").order_by("decision_id").first()
    return found.decision if found else None


def _restore_before(decision: Decision, face_pks: list[int]) -> None:
    if decision.face_count and not face_pks:
        # Its photos may have been deleted since the decision was read.
        raise UndoRefused("The faces of this decision are gone.")
    if (later := find_later(decision)) is not None:
        raise UndoRefused("A face of it was decided about again later. Undo that first.", later=later)
    clusters = clusters_of(face_pks)
    after = take_snapshots(face_pks)
    Face.objects.filter(pk__in=face_pks).update(version=F("version") + 1)
    versions = dict(Face.objects.filter(pk__in=face_pks).values_list("pk", "version"))
    rows = list(_faces_of(decision))
    try:
        if more := _undo_more.get(decision.kind):
            more(decision)
        restore_snapshots({row.face_id: row.before for row in rows})
    except CannotRestore as error:
        raise UndoRefused(str(error)) from error
    for row in rows:
        row.after, row.undone_version = after[row.face_id], versions[row.face_id]
    DecidedFace.objects.bulk_update(rows, ["after", "undone_version"], batch_size=100)
    _settle_clusters(clusters | clusters_of(face_pks))


def _restore_after(decision: Decision, rows: dict[int, DecidedFace]) -> None:
    mine = [pk for pk, row in rows.items() if not row.caused]
    if decision.face_count and not mine:
        raise UndoRefused("The faces of this decision are gone.")
    versions = dict(Face.objects.filter(pk__in=rows).values_list("pk", "version"))
    if any(row.after is None or versions[pk] != row.undone_version for pk, row in rows.items()):
        raise UndoRefused("A face of it was changed since the undo. Decide anew.")
    clusters = clusters_of(list(rows))
    _show_again(decision)
    Face.objects.filter(pk__in=rows).update(version=F("version") + 1)
    try:
        if more := _redo_more.get(decision.kind):
            more(decision)
        restore_snapshots({pk: row.after for pk, row in rows.items() if row.after is not None})
    except CannotRestore as error:
        raise UndoRefused(str(error)) from error
    DecidedFace.objects.filter(decision=decision, caused=True).delete()
    DecidedFace.objects.filter(decision=decision).update(after=None, undone_version=None)
    _settle_clusters(clusters | clusters_of(list(rows)))


def _faces_of(decision: Decision) -> QuerySet[DecidedFace]:
    return DecidedFace.objects.filter(decision=decision, caused=False)


def _settle_clusters(cluster_pks: set[int]) -> None:
    """Count them anew; one that a split had made is gone with its last member."""
    Cluster.objects.filter(pk__in=cluster_pks, members=None).delete()
    recount_clusters(cluster_pks)


def _hide_unused_people() -> None:
    """Hide everybody whose creation was undone and whom nothing uses or describes.

    All of them and not only the decision's: the creation may have been undone while somebody still used the name.
    """
    created = Decision.objects.filter(created_person=True, undone_at__isnull=False, person__isnull=False)
    for person in Person.objects.current().filter(
        pk__in=created.order_by().values("person"), aliases=[], external_id=None
    ):
        if not _is_used(person):
            Person.objects.filter(pk=person.pk).update(hidden_at=timezone.now())


def _show_again(decision: Decision) -> None:
    """Bring back the person that came with the decision."""
    person = decision.person
    if person is None or person.hidden_at is None:
        return
    if Person.objects.named(person.name).exists():
        raise UndoRefused("Somebody else has this name by now. Name the faces again.")
    Person.objects.filter(pk=person.pk).update(hidden_at=None)


def _is_used(person: Person) -> bool:
    """Whether a row refers to the person, or would again after an undo. A look is a guess and no use."""
    in_force = Decision.objects.filter(undone_at=None)
    relations = [
        relation
        for relation in Person._meta.related_objects
        if relation.related_model not in {Decision, Look}
    ]
    return (
        any(
            relation.related_model._base_manager.filter(**{relation.field.name: person}).exists()
            for relation in relations
        )
        or in_force.filter(person=person).exists()
        or DecidedFace.objects.filter(
            decision__undone_at=None, before__sighting__person_id=person.pk
        ).exists()
    )
