"""Take a decision back: the face's rows become exactly what they were before it, today or next year."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from access.roles import LABELER, MANAGER, reach_of, roles_of
from labeling.models import Decision
from labeling.snapshots import CannotRestore, restore_snapshot
from recognition.gallery_journal import touch_gallery
from recognition.models import Face, Person


class UndoRefused(Exception):
    """Nothing was changed; the message says why. `later` is the decision that stands in the way, if one does."""

    def __init__(self, message: str, *, later: Decision | None = None) -> None:
        super().__init__(message)
        self.later = later


def may_undo(decision: Decision, user: User) -> bool:
    """One's own decisions, as long as one labels there; a manager of the event anybody's."""
    event_pk = decision.face.photo.event_id if decision.face else None
    if event_pk is None:
        return decision.actor_id == user.pk or MANAGER in roles_of(user)
    if decision.actor_id == user.pk:
        return event_pk in reach_of(user, LABELER, MANAGER)
    return event_pk in reach_of(user, MANAGER)


def undo_decision(*, decision: Decision, actor: User) -> Decision:
    """Undo it and return it as it is now. Raises UndoRefused, and PermissionDenied for somebody else's decision.

    A person that came with a decision goes away with the undo of the last thing that used them.
    """
    if not may_undo(decision, actor):
        raise PermissionDenied("Only a manager may undo somebody else's decision.")
    with transaction.atomic():
        if decision.kind != Decision.Kind.SKIP and decision.face_id is not None:
            touch_gallery([decision.face_id])
        undone = Decision.objects.filter(pk=decision.pk, undone_at=None).update(
            undone_at=timezone.now(), undone_by=actor
        )
        if undone != 1:
            raise UndoRefused("This decision was undone already.")
        if decision.kind != Decision.Kind.SKIP:
            _restore(decision)
    decision.refresh_from_db()
    return decision


def _restore(decision: Decision) -> None:
    # Its photo may have been deleted since the decision was read.
    face_pk = decision.face_id
    if face_pk is None or not Face.objects.filter(pk=face_pk).update(version=F("version") + 1):
        raise UndoRefused("The face of this decision is gone.")
    later = (
        Decision.objects.filter(face=face_pk, pk__gt=decision.pk, undone_at=None)
        .exclude(kind=Decision.Kind.SKIP)
        .select_related("actor", "person")
        .first()
    )
    if later is not None:
        raise UndoRefused("This face was decided about again later. Undo that first.", later=later)
    try:
        restore_snapshot(face_pk, decision.before)
    except CannotRestore as error:
        raise UndoRefused(str(error)) from error
    _remove_unused_people()


def _remove_unused_people() -> None:
    """Remove everybody whose creation was undone and whom nothing uses or describes.

    All of them and not only the decision's: the creation may have been undone while somebody still used the name.
    """
    created = Decision.objects.filter(created_person=True, undone_at__isnull=False, person__isnull=False)
    for person in Person.objects.filter(
        pk__in=created.order_by().values("person"), aliases=[], external_id=None
    ):
        if not _is_used(person):
            person.delete()


def _is_used(person: Person) -> bool:
    """Whether a row refers to the person, or would again after an undo."""
    in_force = Decision.objects.filter(undone_at=None)
    relations = [
        relation for relation in Person._meta.related_objects if relation.related_model is not Decision
    ]
    return (
        any(
            relation.related_model._base_manager.filter(**{relation.field.name: person}).exists()
            for relation in relations
        )
        or in_force.filter(person=person).exists()
        or in_force.filter(before__sighting__person_id=person.pk).exists()
    )
