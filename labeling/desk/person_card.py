"""A person's card: the open faces that may be them, the likeliest first, beside faces that are them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef

from access.roles import SEEING
from labeling.models import Look
from labeling.queue import QueueItem
from labeling.queue.people import open_looks
from labeling.queue.scope import Scope
from recognition.active_embedder import find_active_info
from recognition.events.roster import find_off_roster
from recognition.matching import Word, doubt_of, reasons_for, words_for
from recognition.models import Event, Face, Person, Sighting

PER_PAGE = 60
_REFERENCES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFace:
    """`blocked` says why it cannot be chosen: nobody is on one photo twice."""

    face: Face
    similarity: float
    word: Word
    chosen: bool
    doubt: str = ""
    blocked: Literal["", "better", "named"] = ""

    @property
    def value(self) -> str:
        """What its box posts: the face, and the version of it that the card showed."""
        return f"{self.face.face_id}:{self.face.version}"

    @property
    def words(self) -> str:
        """Below its crop."""
        if self.blocked:
            return "named beside" if self.blocked == "named" else "same photo"
        return self.word

    @property
    def details(self) -> str:
        """For whoever wants to know more."""
        return f"{self.similarity:.2f}, {self.doubt}" if self.doubt else f"{self.similarity:.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCard:
    """`faces` are at most a page; `rest` more come when these are decided. `name_alone` as in a suggestion."""

    kind = "person"
    person: Person
    item: QueueItem
    key: UUID
    faces: list[ListedFace]
    rest: int
    references: list[Face]
    reference_count: int
    name_alone: bool
    ahead: list[Face] = field(default_factory=list)
    asked_by: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return any(not listed.blocked for listed in self.faces)

    @property
    def count(self) -> int:
        return len(self.faces) + self.rest

    @property
    def chosen(self) -> int:
        return sum(listed.chosen for listed in self.faces)

    @property
    def title(self) -> str:
        if not self.faces:
            return f"Nothing left that may be {self.person.name}"
        return f"{self.count} face{'' if self.count == 1 else 's'} that may be {self.person.name}"


def may_list(person_pk: int, user: User) -> bool:
    """Whether the user may open a person's list: somebody they see, or whom one of their open faces looks like.

    Else names of other events could be had by counting ids.
    """
    return (
        Person.objects.visible_to(user).filter(pk=person_pk).exists()
        or open_looks(Scope(user)).filter(person=person_pk).exists()
    )


def read_person_card(person: Person, *, user: User, event: Event | None = None) -> PersonCard:
    """As the worker last looked at the faces; what was decided or rejected since is not on it."""
    scope = Scope.of(user, event)
    beside = Sighting.objects.filter(person=person, face__photo=OuterRef("face__photo")).order_by()
    looks = (
        open_looks(scope)
        .filter(person=person)
        .annotate(named=Exists(beside))
        .select_related("face__photo")
        .order_by("-similarity", "pk")
    )
    page = list(looks[: PER_PAGE + 1])
    rest = looks.count() - PER_PAGE if len(page) > PER_PAGE else 0
    known = Person.objects.visible_to(user).filter(pk=person.pk).exists()
    references = _references(person, user) if known else []
    return PersonCard(
        person=person,
        item=QueueItem(kind="person", pk=person.pk, count=len(page)),
        key=uuid4(),
        faces=_listed(page[:PER_PAGE], person),
        rest=rest,
        references=references[:_REFERENCES],
        reference_count=len(references)
        if len(references) <= _REFERENCES
        else Sighting.objects.visible_to(user).filter(person=person, is_reference=True).count(),
        name_alone=not known,
    )


def _listed(looks: Sequence[Look], person: Person) -> list[ListedFace]:
    info = find_active_info()
    off_roster = find_off_roster(person, {look.face.photo.event_id for look in looks})
    found: list[ListedFace] = []
    photos: set[int] = set()
    for look in looks:
        similarity = look.similarity or 0.0
        close = look.verdict != Look.Verdict.SUGGEST
        blocked: Literal["", "better", "named"] = (
            "named" if look.named else "better" if look.face.photo_id in photos else ""  # type: ignore[attr-defined]
        )
        photos.add(look.face.photo_id)
        reasons = reasons_for(poor=look.face.poor, on_roster=look.face.photo.event_id not in off_roster)
        word: Word = "unlikely"
        doubt = ""
        if info is not None:
            word = words_for(similarity, look.margin, info.thresholds, strict=bool(reasons))
            doubt = doubt_of(similarity, word, info.thresholds, reasons)
        if close and word in {"strong", "possible"}:
            word, doubt = "close call", ""
        found.append(
            ListedFace(
                face=look.face,
                similarity=similarity,
                word=word,
                doubt=doubt,
                # Down to the line from which the machine names by itself, and nothing that is a close call.
                chosen=not blocked and word == "strong",
                blocked=blocked,
            )
        )
    return found


def _references(person: Person, user: User) -> list[Face]:
    """One more than are shown, so that the caller knows whether there are more."""
    seen = Face.objects.for_role(user, *SEEING).filter(sighting__person=person, sighting__is_reference=True)
    return list(seen.order_by("-size", "pk")[: _REFERENCES + 1])


def has_list(person: Person, *, user: User, event: Event | None = None) -> bool:
    """Whether any open face of these events may still be the person, on a photo that does not show them already."""
    beside = Sighting.objects.filter(person=person, face__photo=OuterRef("face__photo")).order_by()
    return open_looks(Scope.of(user, event)).filter(~Exists(beside), person=person).exists()
