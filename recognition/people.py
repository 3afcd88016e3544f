"""People as the pages list them: with their visits and the face that stands for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from recognition.models import Event, Face, Person, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSightings:
    """The faces of one person at one event, those that people verified apart from those that FaceVault named."""

    event: Event
    verified: list[Sighting]
    machine: list[Sighting]


def with_cover(people: QuerySet[Person]) -> QuerySet[Person]:
    """Each person with `cover`, the public id of their largest verified face, else of their largest; none without faces."""
    faces = Face.objects.filter(sighting__person=OuterRef("pk")).order_by(
        "-sighting__is_reference", "-size", "pk"
    )
    return people.annotate(cover=Subquery(faces.values("face_id")[:1]))


def load_people(pks: Sequence[int]) -> list[Person]:
    """These people in this order, with visits and cover. Counting is for the people of one page, never for all."""
    found = with_cover(Person.objects.filter(pk__in=pks).with_visits()).in_bulk()
    return [found[pk] for pk in pks if pk in found]


def count_sightings(person: Person) -> dict[str, int]:
    """`photos`, `events`, and faces by who named them: `verified`, `machine`."""
    return person.sightings.aggregate(
        photos=Count("face__photo", distinct=True),
        events=Count("face__photo__event", distinct=True),
        verified=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.HUMAN)),
        machine=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.MACHINE)),
    )


def by_event(sightings: Sequence[Sighting]) -> list[EventSightings]:
    """Sightings that come ordered by event, in groups."""
    groups = []
    for event, group in groupby(sightings, key=lambda sighting: sighting.face.photo.event):
        found = list(group)
        groups.append(
            EventSightings(
                event=event,
                verified=[sighting for sighting in found if sighting.decided_by == Sighting.DecidedBy.HUMAN],
                machine=[sighting for sighting in found if sighting.decided_by == Sighting.DecidedBy.MACHINE],
            )
        )
    return groups
