"""What the page of a merge shows: whom a person may be merged with, and two people side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import Q

from access.roles import User
from labeling.people.alike import pairs_seen_by
from labeling.people.merging import photos_together
from recognition.models import Event, Person, Photo, Sighting
from recognition.people.audit import Closeness, describe_closeness, read_person_vectors
from recognition.people.loading import load_people
from recognition.text import fold

CANDIDATES = 12
FACES_SHOWN = 8
EVENTS_SHOWN = 5
PHOTOS_SHOWN = 6
# So many references of each say how alike two people are.
_COMPARED = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    person: Person
    face_count: int
    event_count: int
    faces: list[Sighting]
    events: list[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`keep` stays. `closeness`: how alike their references are; none where one has none."""

    keep: Side
    other: Side
    closeness: Closeness | None
    together_count: int
    together: list[Photo]
    new_names: list[str]


def find_candidates(person: Person, *, query: str, user: User) -> list[Person]:
    """Whom the query finds; without one, who looks like the person or has the same name."""
    people = Person.objects.editable_by(user).exclude(pk=person.pk)
    if query:
        pks = list(
            people.matching(query).order_by("search_text", "pk").values_list("pk", flat=True)[:CANDIDATES]
        )
    else:
        alike = pairs_seen_by(user).filter(Q(first=person.pk) | Q(second=person.pk))
        pairs = alike.values_list("first", "second")[:CANDIDATES]
        likest = [second if first == person.pk else first for first, second in pairs]
        same = people.named(person.name).values_list("pk", flat=True)[:CANDIDATES]
        pks = list(dict.fromkeys([*likest, *same]))[:CANDIDATES]
    return load_people(pks, user=user)


def compare_sides(keep: Person, other: Person, *, user: User) -> Compared:
    kept, gone = load_people([keep.pk, other.pk], user=user)
    together = photos_together(keep, other)
    known = {fold(name) for name in (kept.name, *kept.aliases)}
    return Compared(
        keep=_read_side(kept, user),
        other=_read_side(gone, user),
        closeness=_compare(keep, other, user),
        together_count=together.count(),
        together=list(together.visible_to(user).select_related("event")[:PHOTOS_SHOWN]),
        new_names=[name for name in dict.fromkeys((gone.name, *gone.aliases)) if fold(name) not in known],
    )


def _read_side(person: Person, user: User) -> Side:
    seen = Sighting.objects.visible_to(user).filter(person=person)
    events = Event.objects.visible_to(user).filter(pk__in=seen.order_by().values("face__photo__event"))
    return Side(
        person=person,
        face_count=seen.count(),
        event_count=events.count(),
        faces=list(
            seen.select_related("face__photo").order_by("-is_reference", "-face__size", "pk")[:FACES_SHOWN]
        ),
        events=list(events.order_by("-created_at")[:EVENTS_SHOWN]),
    )


def _compare(keep: Person, other: Person, user: User) -> Closeness | None:
    """A reference of one with a reference of the other, on average."""
    means = []
    for person in (keep, other):
        rows = Sighting.objects.visible_to(user).filter(person=person, is_reference=True).order_by("pk")
        pks = list(rows.values_list("pk", flat=True)[:_COMPARED])
        found = read_person_vectors(Sighting.objects.filter(pk__in=pks))
        if found is None:
            return None
        means.append((found.vectors.mean(axis=0, dtype=np.float64), found.thresholds))
    (one, thresholds), (another, _) = means
    return describe_closeness(float(one @ another), thresholds)
