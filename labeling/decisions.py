"""The decisions of people about one face: who it is, who not, nobody to name, a reference or not. Each is a row that can be undone."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from access.roles import LABELER, MANAGER, reach_of
from labeling.models import Decision, Rejection
from labeling.snapshots import take_snapshot
from labeling.suggestions import Evidence, weigh_face
from recognition.gallery_journal import touch_gallery
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from recognition.quality import face_priority
from recognition.text import clean_name

CLOSING = {
    Decision.Kind.STRANGER: UnlabeledFace.Verdict.STRANGER,
    Decision.Kind.NOT_A_FACE: UnlabeledFace.Verdict.NOT_A_FACE,
}


class DecisionConflict(Exception):
    """Somebody else decided about the face first; nothing was written. `latest` is theirs, if it is still in force."""

    def __init__(self, latest: Decision | None) -> None:
        super().__init__("Somebody else decided about this face first.")
        self.latest = latest


class NameShared(Exception):
    """Several people have that name: say which of them."""

    def __init__(self, people: list[Person]) -> None:
        super().__init__("Several people have this name.")
        self.people = people


class NameRefused(Exception):
    """No name, or one that is too long to store."""


class PersonGone(Exception):
    """The person was removed since the page was drawn."""


class ReferenceRefused(Exception):
    """Only a face that a person has named teaches FaceVault; a guess of the machine must not spread."""


def label_face(
    *,
    face: Face,
    actor: User,
    person: Person | None = None,
    name: str | None = None,
    new: bool = False,
    version: int | None = None,
    key: UUID | None = None,
) -> Decision:
    """Name a face: the person given, or the one of that name, who is created if nobody has it.

    `new` creates another person of the name even so. `version` is the one that the caller saw of the face; a `key`
    that was used already returns its decision again. The gallery is asked for evidence before the transaction, so
    call this outside of one. Raises DecisionConflict, NameShared, NameRefused, PersonGone.
    """
    if (person is None) == (name is None):
        raise ValueError("label_face() takes either a person or a name")
    cleaned = _check_name(name) if name is not None else ""
    evidence = weigh_face(face)

    def write() -> tuple[Person, bool]:
        chosen, created = (person, False) if person is not None else _find_or_create(cleaned, new=new)
        if person is not None and not Person.objects.filter(pk=person.pk).exists():
            raise PersonGone
        _name(face, chosen, actor, evidence)
        return chosen, created

    return _decide(Decision.Kind.LABEL, face=face, actor=actor, version=version, key=key, write=write)


def record_verdict(
    *, face: Face, kind: str, actor: User, version: int | None = None, key: UUID | None = None
) -> Decision:
    """Close a face as `stranger` or `not_a_face`, or `skip` it: then only this user's queue leaves it out.

    A name that the face had is taken off it. A skip changes nothing that others see, so it moves no version and
    meets no conflict. Raises DecisionConflict.
    """
    if kind == Decision.Kind.SKIP:
        return _skip(face, actor, key or uuid4())
    verdict = CLOSING[Decision.Kind(kind)]

    def write() -> None:
        Sighting.objects.filter(face=face).delete()
        UnlabeledFace.objects.update_or_create(face=face, defaults={"reviewed": True, "verdict": verdict})

    return _decide(Decision.Kind(kind), face=face, actor=actor, version=version, key=key, write=write)


def reject_person(
    *, face: Face, person: Person, actor: User, version: int | None = None, key: UUID | None = None
) -> Decision:
    """Say that a face is not this person: they are never suggested for it again, and a name of theirs is taken off it.

    Raises DecisionConflict, PersonGone.
    """

    def write() -> tuple[Person, bool]:
        if not Person.objects.filter(pk=person.pk).exists():
            raise PersonGone
        if Sighting.objects.filter(face=face, person=person).delete()[0]:
            priority = face_priority(face.size, face.detector_score, face.yaw)
            UnlabeledFace.objects.update_or_create(
                face=face, defaults={"reviewed": False, "verdict": ""}, create_defaults={"priority": priority}
            )
        return person, False

    return _decide(Decision.Kind.REJECT, face=face, actor=actor, version=version, key=key, write=write)


def set_reference(
    *, face: Face, reference: bool, actor: User, version: int | None = None, key: UUID | None = None
) -> Decision:
    """Let a face that a person has named answer searches, or no longer; its name stays.

    Raises DecisionConflict, ReferenceRefused.
    """

    def write() -> tuple[Person, bool]:
        sighting = Sighting.objects.select_related("person").filter(face=face).first()
        if sighting is None or sighting.decided_by != Sighting.DecidedBy.HUMAN:
            raise ReferenceRefused
        Sighting.objects.filter(pk=sighting.pk).update(is_reference=reference)
        return sighting.person, False

    kind = Decision.Kind.REFERENCE if reference else Decision.Kind.UNREFERENCE
    return _decide(kind, face=face, actor=actor, version=version, key=key, write=write)


def decisions_seen_by(user: User) -> QuerySet[Decision]:
    """About faces of events where the user labels; who labels at all of them also sees those whose face is gone.

    An event that is being deleted is gone for everybody.
    """
    if not reach_of(user, LABELER, MANAGER).everywhere:
        return Decision.objects.filter(face__in=Face.objects.for_role(user, LABELER, MANAGER))
    doomed = list(Event.objects.filter(deleted_at__isnull=False).values_list("pk", flat=True))
    return Decision.objects.exclude(face__photo__event__in=doomed) if doomed else Decision.objects.all()


def latest_decision(face: Face) -> Decision | None:
    """The decision that made the face what it is; a skip made nothing."""
    return (
        Decision.objects.filter(face=face, undone_at=None)
        .exclude(kind=Decision.Kind.SKIP)
        .select_related("actor", "person")
        .first()
    )


def find_repeated(key: UUID, face: Face, actor: User) -> Decision | None:
    """The decision of a repeated request. A key of somebody else's, or of another face's, is no repetition."""
    found = Decision.objects.filter(key=key).select_related("actor", "person").first()
    if found is not None and (found.face_id, found.actor_id) != (face.pk, actor.pk):
        raise DecisionConflict(latest_decision(face))
    return found


def _decide(
    kind: Decision.Kind,
    *,
    face: Face,
    actor: User,
    version: int | None,
    key: UUID | None,
    write: Callable[[], tuple[Person, bool] | None],
) -> Decision:
    """One decision in one short transaction: nothing of it, or all of it and once."""
    key = key or uuid4()
    seen = version if version is not None else _version_now(face)
    with transaction.atomic():
        # Its row lock orders the writers, so whoever comes second sees below what the first one wrote.
        touch_gallery([face.pk])
        if (repeated := find_repeated(key, face, actor)) is not None:
            return repeated
        if Face.objects.filter(pk=face.pk, version=seen).update(version=F("version") + 1) != 1:
            raise DecisionConflict(latest_decision(face))
        before = take_snapshot(face.pk)
        person, created = write() or (None, False)
        decision = Decision.objects.create(
            key=key, kind=kind, actor=actor, face=face, person=person, created_person=created, before=before
        )
        if kind == Decision.Kind.REJECT:
            Rejection.objects.get_or_create(face=face, person=person, defaults={"decision": decision})
        return decision


def _version_now(face: Face) -> int:
    version = Face.objects.filter(pk=face.pk).values_list("version", flat=True).first()
    if version is None:
        raise DecisionConflict(None)
    return version


def _skip(face: Face, actor: User, key: UUID) -> Decision:
    try:
        with transaction.atomic():
            return Decision.objects.create(key=key, kind=Decision.Kind.SKIP, actor=actor, face=face)
    except IntegrityError:
        if (repeated := find_repeated(key, face, actor)) is not None:
            return repeated
        if not Face.objects.filter(pk=face.pk).exists():
            raise DecisionConflict(None) from None
        raise


def _check_name(name: str) -> str:
    cleaned = clean_name(name)
    longest = Person._meta.get_field("name").max_length
    if not cleaned:
        raise NameRefused("Type the name first.")
    if longest is not None and len(cleaned) > longest:
        raise NameRefused(f"A name has at most {longest} characters.")
    return cleaned


def _find_or_create(name: str, *, new: bool) -> tuple[Person, bool]:
    same = [] if new else list(Person.objects.named(name))
    if len(same) > 1:
        raise NameShared(same)
    return (same[0], False) if same else (Person.objects.create(name=name), True)


def _name(face: Face, person: Person, actor: User, evidence: Evidence) -> None:
    Sighting.objects.update_or_create(
        face=face,
        defaults={
            "person": person,
            "decided_by": Sighting.DecidedBy.HUMAN,
            "decided_by_user": actor,
            "is_reference": True,
            "seen_at": face.photo.taken_at,
            **evidence.about(person.pk),
        },
    )
    UnlabeledFace.objects.filter(face=face).update(reviewed=True, verdict=UnlabeledFace.Verdict.LABEL)
    # Whoever names the face so takes the earlier "not this person" back.
    Rejection.objects.filter(face=face, person=person).delete()
