"""Choose the face that stands for a person in lists; a decision like any other, though it changes no face."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction

from labeling.decisions.errors import NothingToDecide, PersonGone, UndoRefused
from labeling.decisions.reading import find_repeated
from labeling.decisions.undo import register_kind
from labeling.models import Decision
from labeling.signals import decided
from recognition.gallery_journal import touch_gallery
from recognition.models import Face, Person, Sighting


def choose_cover(*, person: Person, face: Face, actor: User, key: UUID | None = None) -> Decision:
    """Raises PersonGone, and NothingToDecide where the face is not the person's or is their cover already."""
    key = key or uuid4()
    with transaction.atomic():
        # The lock that every decision takes: nobody merges the person in between.
        touch_gallery([])
        if (repeated := find_repeated(key, face, actor)) is not None:
            return repeated
        now = Person.objects.current().filter(pk=person.pk).first()
        if now is None:
            raise PersonGone
        theirs = Sighting.objects.filter(face=face, person=person).exists()
        if not theirs or now.cover_face_id == face.pk:
            raise NothingToDecide
        decision = Decision.objects.create(
            key=key,
            kind=Decision.Kind.COVER,
            actor=actor,
            face=face,
            face_count=0,
            person=now,
            details={"before": now.cover_face_id},
        )
        Person.objects.filter(pk=now.pk).update(cover_face=face)
        decided.send(Decision, decision=decision)
        return decision


def _undo_cover(decision: Decision) -> None:
    before = decision.details.get("before")
    if before is not None and not Face.objects.filter(pk=before).exists():
        before = None
    _swap(decision, was=decision.face_id, now=before)


def _redo_cover(decision: Decision) -> None:
    if decision.face_id is None:
        raise UndoRefused("The face is gone.")
    _swap(decision, was=decision.details.get("before"), now=decision.face_id)


def _swap(decision: Decision, *, was: int | None, now: int | None) -> None:
    """Only where the cover is still the one that the decision left: else somebody chose another one since."""
    if decision.person_id is None:
        raise UndoRefused("The person is gone.")
    changed = Person.objects.current().filter(pk=decision.person_id, cover_face=was).update(cover_face=now)
    if not changed:
        raise UndoRefused("Another cover was chosen since.")


def register_covers() -> None:
    """Once, when the apps are ready: whichever process undoes a cover knows how."""
    register_kind(Decision.Kind.COVER, undo=_undo_cover, redo=_redo_cover)
