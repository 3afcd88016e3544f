"""Merge two people who are one. The other's row and number stay, seen by nobody, so that the undo gives the same person back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction

from labeling.decisions.errors import DecisionConflict, PersonGone
from labeling.decisions.reading import find_repeated
from labeling.decisions.undo import register_kind
from labeling.decisions.writing import Written, decide
from labeling.models import Decision, Rejection
from labeling.people.belongings import faces_of, redo_merge, take_over, undo_merge
from labeling.signals import decided
from recognition.gallery_journal import touch_gallery
from recognition.models import Face, Person, Photo, Sighting
from recognition.querysets import PhotoQuerySet

# Faces may get a name while they are being read; so often it is tried again.
_ATTEMPTS = 5


class SamePerson(Exception):
    """Nobody is merged into themselves."""


class TogetherOnPhotos(Exception):
    """Both are on the same photos, as two people would be. Nothing was written; `count` is how many photos."""

    def __init__(self, count: int) -> None:
        super().__init__("They are together on photos.")
        self.count = count


class _FacesMoved(Exception):
    """A face got or lost one of the names since it was read."""


def merge_people(
    *, keep: Person, other: Person, actor: User, key: UUID | None = None, together: bool = False
) -> Decision:
    """Everything of `other` becomes `keep`'s: faces, references, rejections, names, and what `keep` lacks of external id
    and cover. Rejections of the one on faces of the other fall: they were the same person.

    `together`: although both are on the same photos. A `key` that was used already returns its decision again. Raises
    SamePerson, TogetherOnPhotos, PersonGone, DecisionConflict.
    """
    if keep.pk == other.pk:
        raise SamePerson
    key = key or uuid4()
    for _ in range(_ATTEMPTS):
        if (repeated := _find_merge(key, keep, actor)) is not None:
            return repeated
        faces = list(faces_of(other).select_related("photo"))
        try:
            if not faces:
                return _merge_without_faces(keep, other, actor, key, together=together)
            return decide(
                Decision.Kind.MERGE,
                faces=faces,
                actor=actor,
                key=key,
                write=lambda faces=faces: _write(keep, other, faces, together=together),  # type: ignore[misc]
            )
        except (_FacesMoved, DecisionConflict):
            continue
    raise DecisionConflict(None)


def photos_together(one: Person, another: Person) -> PhotoQuerySet:
    """The photos that show both."""
    return Photo.objects.filter(
        pk__in=Sighting.objects.filter(person=one).order_by().values("face__photo")
    ).filter(pk__in=Sighting.objects.filter(person=another).order_by().values("face__photo"))


def _find_merge(key: UUID, keep: Person, actor: User) -> Decision | None:
    """By whom and for whom it was, not by its first face: after the merge the other has none."""
    found = Decision.objects.filter(key=key).select_related("actor", "person").first()
    if found is not None and (found.kind, found.person_id, found.actor_id) != (
        Decision.Kind.MERGE,
        keep.pk,
        actor.pk,
    ):
        raise DecisionConflict(None)
    return found


def _merge_without_faces(keep: Person, other: Person, actor: User, key: UUID, *, together: bool) -> Decision:
    with transaction.atomic():
        touch_gallery([])
        if (repeated := find_repeated(key, None, actor)) is not None:
            return repeated
        written = _write(keep, other, [], together=together)
        decision = Decision.objects.create(
            key=key,
            kind=Decision.Kind.MERGE,
            actor=actor,
            face=None,
            face_count=0,
            person=keep,
            details=written.details,
        )
        decided.send(Decision, decision=decision)
        return decision


def _write(keep: Person, other: Person, faces: Sequence[Face], *, together: bool) -> Written:
    """Within the gallery's lock. What was read before it may have changed meanwhile."""
    keep, other = _read_current(keep.pk), _read_current(other.pk)
    if set(faces_of(other).values_list("pk", flat=True)) != {face.pk for face in faces}:
        raise _FacesMoved
    if not together and (count := photos_together(keep, other).count()):
        raise TogetherOnPhotos(count)
    pks = [face.pk for face in faces]
    Sighting.objects.filter(person=other).update(person=keep)
    Rejection.objects.filter(person=other, face__rejections__person=keep).delete()
    Rejection.objects.filter(person=other).update(person=keep)
    Rejection.objects.filter(person=keep, face__in=pks, face__sighting__person=keep).delete()
    return Written(person=keep, details={"other": other.pk, **take_over(keep, other)})


def _read_current(pk: int) -> Person:
    person = Person.objects.current().filter(pk=pk).first()
    if person is None:
        raise PersonGone
    return person


def register_merges() -> None:
    """Once, when the apps are ready: whichever process undoes a merge knows how."""
    register_kind(Decision.Kind.MERGE, undo=undo_merge, redo=redo_merge)
