"""What rests on one face under one name, as far as one user may decide about it: for the page and the API that take it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User

from access.roles import LABELER, MANAGER
from labeling.decisions import Resting, Why, find_resting
from labeling.models import DecidedFace, Decision
from recognition.models import Face, Person, Sighting

# So many crops of one list; the others are counted.
CROPS_SHOWN = 48
# So many names of people to choose from at a time.
PEOPLE_SHOWN = 400
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PeoplesName:
    """A face that people named. `chosen`: it goes back unless somebody says that it shall not."""

    face: Face
    why: Why
    chosen: bool
    named: int

    @property
    def box(self) -> str:
        return f"{self.face.face_id}:{self.face.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crops:
    """Faces that the user labels: the first of them to show, and how many there are."""

    shown: list[Face]
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`direct` the machine named by the face itself, `through` by the names of `people`, of whom `later` are shown once
    the first are decided."""

    direct: Crops
    through: Crops
    settled: Crops
    behind: Crops
    people: list[PeoplesName]
    later: int

    @property
    def count(self) -> int:
        named = self.direct.count + self.through.count + self.settled.count
        return named + len(self.people) + self.later


def find_names(face: Face, *, user: User) -> list[Person]:
    """Everybody whose name people gave to the face, its name of now first: under each it may have caused something.

    Whoever became part of somebody whom the user does not see is left out: who that is was never said of this face.
    """
    sighting = Sighting.objects.filter(face=face).first()
    rows = DecidedFace.objects.filter(face=face, caused=False, decision__person__isnull=False)
    said = rows.filter(decision__kind=Decision.Kind.LABEL).order_by("-decision_id")
    pks = [
        *([sighting.person_id] if sighting is not None else []),
        *said.values_list("decision__person", flat=True),
        *rows.filter(before__sighting__decided_by=Sighting.DecidedBy.HUMAN)
        .order_by("-decision_id")
        .values_list("before__sighting__person_id", flat=True),
    ]
    found = Person.objects.select_related("merged_into__merged_into").in_bulk([pk for pk in pks if pk])
    people = dict.fromkeys(_current(found[pk]) for pk in dict.fromkeys(pks) if pk in found)
    others = [person.pk for person in people if person.pk not in found]
    seen = (
        set(Person.objects.visible_to(user).filter(pk__in=others).values_list("pk", flat=True))
        if others
        else set()
    )
    return [
        person for person in people if person.hidden_at is None and (person.pk in found or person.pk in seen)
    ]


def find_labeled(face: Face, person: Person, *, user: User) -> Resting:
    """What rests on the face at the events where the user labels.

    Of other events it does not tell how much there is either: how often somebody was there is not the user's to know.
    """
    resting = find_resting(face_pk=face.pk, person_pk=person.pk)
    through = [pk for one in resting.people for pk in one.named]
    people = [one.face_pk for one in resting.people]
    asked = dict.fromkeys([*resting.direct, *resting.settled, *resting.behind, *through, *people])
    labeled = _labeled_among(list(asked), user)
    return Resting(
        direct=_only(resting.direct, labeled),
        people=tuple(
            replace(one, named=_only(one.named, labeled)) for one in resting.people if one.face_pk in labeled
        ),
        settled=_only(resting.settled, labeled),
        behind=_only(resting.behind, labeled),
    )


def read_resting(face: Face, person: Person, *, user: User) -> Told:
    resting = find_labeled(face, person, user=user)
    through = [pk for one in resting.people for pk in one.named]
    people = resting.people[:PEOPLE_SHOWN]
    lists: list[Sequence[int]] = [resting.direct, through, resting.settled, resting.behind]
    wanted = [*(pk for pks in lists for pk in pks[:CROPS_SHOWN]), *(one.face_pk for one in people)]
    faces = Face.objects.select_related("photo").in_bulk(wanted)
    direct, named, settled, behind = (_crops(pks, faces) for pks in lists)
    return Told(
        direct=direct,
        through=named,
        settled=settled,
        behind=behind,
        people=[
            PeoplesName(
                face=faces[one.face_pk],
                why=one.why,
                chosen=one.why is Why.CONFIRMED,
                named=len(one.named),
            )
            for one in people
            if one.face_pk in faces
        ],
        later=len(resting.people) - len(people),
    )


def _crops(pks: Sequence[int], faces: dict[int, Face]) -> Crops:
    return Crops(shown=[faces[pk] for pk in pks[:CROPS_SHOWN] if pk in faces], count=len(pks))


def _labeled_among(pks: list[int], user: User) -> set[int]:
    faces = Face.objects.for_role(user, LABELER, MANAGER).order_by()
    return {
        pk
        for start in range(0, len(pks), _AT_ONCE)
        for pk in faces.filter(pk__in=pks[start : start + _AT_ONCE]).values_list("pk", flat=True)
    }


def _only(pks: Sequence[int], labeled: set[int]) -> tuple[int, ...]:
    return tuple(pk for pk in pks if pk in labeled)


def _current(person: Person) -> Person:
    while person.merged_into is not None:
        person = person.merged_into
    return person
