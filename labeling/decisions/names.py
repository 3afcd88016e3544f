"""Decisions about who faces are: a name for one or for many, who they are not, and which of them teach FaceVault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.contrib.auth.models import User

from labeling.decisions.caused import reopen_entries
from labeling.decisions.errors import (
    NameRefused,
    NameShared,
    NothingToDecide,
    PersonGone,
    ReferenceRefused,
)
from labeling.decisions.writing import Written, decide
from labeling.evidence import Evidence, weigh_faces
from labeling.models import Cluster, Decision, Rejection
from recognition.models import Face, Person, Sighting, UnlabeledFace
from recognition.text import clean_name

_AT_ONCE = 500


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
    """Name one face, whoever else of the photo has the name: see `label_faces`. Whoever calls has asked about that.

    The face becomes a reference even if it is poor: somebody looked at this very one.
    """
    return label_faces(
        faces=[face],
        actor=actor,
        person=person,
        name=name,
        new=new,
        versions=None if version is None else {face.pk: version},
        key=key,
        twice=True,
    )


def label_faces(
    *,
    faces: Sequence[Face],
    actor: User,
    person: Person | None = None,
    name: str | None = None,
    new: bool = False,
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
    cluster: Cluster | None = None,
    twice: bool = False,
    teach_poor: bool | None = None,
) -> Decision:
    """Name faces in one decision: the person given, or the one of that name, who is created if nobody has it.

    `new` creates another person of the name even so. `versions` are those that the caller saw, by primary key; a `key`
    that was used already returns its decision again. Without `twice` a face stays open whose photo shows the person
    already: nobody is on a photo twice. Poor faces are named and are no references, but for a face that is named alone,
    unless `teach_poor` says otherwise. The gallery is asked for evidence before the transaction, so call this outside of
    one. Raises DecisionConflict, NothingToDecide, NameShared, NameRefused, PersonGone.
    """
    if (person is None) == (name is None):
        raise ValueError("label_faces() takes either a person or a name")
    cleaned = _check_name(name) if name is not None else ""
    evidence = weigh_faces(faces)

    def write() -> Written:
        chosen, created = (person, False) if person is not None else _find_or_create(cleaned, new=new)
        if person is not None:
            require_current(person)
        left_out = set() if twice else _twice_in_photo(faces, chosen)
        named = [face for face in faces if face.pk not in left_out]
        _name(
            named, chosen, actor, evidence, teach_poor=len(named) == 1 if teach_poor is None else teach_poor
        )
        return Written(person=chosen, created=created, left_out=left_out)

    return decide(
        Decision.Kind.LABEL,
        faces=faces,
        actor=actor,
        versions=versions,
        key=key,
        cluster=cluster,
        write=write,
    )


def reject_person(
    *, face: Face, person: Person, actor: User, version: int | None = None, key: UUID | None = None
) -> Decision:
    """Say that one face is not this person: see `reject_faces`."""
    versions = None if version is None else {face.pk: version}
    return reject_faces(faces=[face], people=[person], actor=actor, versions=versions, key=key)


def reject_faces(
    *,
    faces: Sequence[Face],
    people: Sequence[Person],
    actor: User,
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
    cluster: Cluster | None = None,
) -> Decision:
    """Say that these faces are none of these people: nobody of them is suggested for them again, and their name is taken off.

    The decision carries the first of the people. Raises DecisionConflict, NothingToDecide, PersonGone.
    """

    if not people:
        raise NothingToDecide

    def write() -> Written:
        for person in people:
            require_current(person)
        named = Sighting.objects.filter(face__in=[face.pk for face in faces], person__in=people)
        unnamed = set(named.values_list("face_id", flat=True))
        named.delete()
        reopen_entries([face for face in faces if face.pk in unnamed])
        return Written(person=people[0], rejected=people)

    return decide(
        Decision.Kind.REJECT,
        faces=faces,
        actor=actor,
        versions=versions,
        key=key,
        cluster=cluster,
        write=write,
    )


def set_reference(
    *, face: Face, reference: bool, actor: User, version: int | None = None, key: UUID | None = None
) -> Decision:
    """Let one face that a person has named answer searches, or no longer: see `set_references`."""
    versions = None if version is None else {face.pk: version}
    return set_references(faces=[face], reference=reference, actor=actor, versions=versions, key=key)


def set_references(
    *,
    faces: Sequence[Face],
    reference: bool,
    actor: User,
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
) -> Decision:
    """Let faces of one person that people have named answer searches, or no longer; their name stays.

    Raises DecisionConflict, NothingToDecide, and ReferenceRefused if one of them is not such a face.
    """

    def write() -> Written:
        named = Sighting.objects.filter(
            face__in=[face.pk for face in faces], decided_by=Sighting.DecidedBy.HUMAN
        )
        people = set(named.values_list("person", flat=True))
        if len(people) != 1 or named.count() != len(faces):
            raise ReferenceRefused
        named.update(is_reference=reference)
        return Written(person=Person.objects.get(pk=people.pop()))

    kind = Decision.Kind.REFERENCE if reference else Decision.Kind.UNREFERENCE
    return decide(kind, faces=faces, actor=actor, versions=versions, key=key, write=write)


def require_current(person: Person) -> None:
    """Raise PersonGone unless the person is still there and was not merged into another one."""
    if not Person.objects.current().filter(pk=person.pk).exists():
        raise PersonGone


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


def _twice_in_photo(faces: Sequence[Face], person: Person) -> set[int]:
    """The faces whose photo shows the person on another face already, and of two of them on one photo the second."""
    mine = {face.pk for face in faces}
    there = Sighting.objects.filter(person=person, face__photo__in={face.photo_id for face in faces})
    taken = {
        photo for photo, face_pk in there.values_list("face__photo_id", "face_id") if face_pk not in mine
    }
    left_out = set()
    for face in faces:
        if face.photo_id in taken:
            left_out.add(face.pk)
        taken.add(face.photo_id)
    return left_out


def _name(
    faces: Sequence[Face],
    person: Person,
    actor: User,
    evidence: Mapping[int, Evidence],
    *,
    teach_poor: bool,
) -> None:
    pks = [face.pk for face in faces]
    Sighting.objects.filter(face__in=pks).delete()
    Sighting.objects.bulk_create(
        [
            Sighting(
                face=face,
                person=person,
                decided_by=Sighting.DecidedBy.HUMAN,
                decided_by_user=actor,
                is_reference=teach_poor or not face.poor,
                seen_at=face.photo.taken_at,
                **evidence[face.pk].about(person.pk),
            )
            for face in faces
        ],
        batch_size=_AT_ONCE,
    )
    UnlabeledFace.objects.filter(face__in=pks).update(reviewed=True, verdict=UnlabeledFace.Verdict.LABEL)
    # Whoever names the face so takes the earlier "not this person" back.
    Rejection.objects.filter(face__in=pks, person=person).delete()
