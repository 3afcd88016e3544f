"""People as the pages list them: with their visits and the face that stands for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from access.roles import SEEING, User
from recognition.models import Event, Face, Person, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSightings:
    """The faces of one person at one event, those that people verified apart from those that FaceVault named."""

    event: Event
    verified: list[Sighting]
    machine: list[Sighting]


def with_cover(people: QuerySet[Person], user: User) -> QuerySet[Person]:
    """Each person with `cover`: the public id of the largest verified face that the user sees, else of the largest, or none."""
    faces = (
        Face.objects.for_role(user, *SEEING)
        .filter(sighting__person=OuterRef("pk"))
        .order_by("-sighting__is_reference", "-size", "pk")
    )
    return people.annotate(cover=Subquery(faces.values("face_id")[:1]))


def load_people(pks: Sequence[int], *, user: User) -> list[Person]:
    """These people in this order, with the visits and the cover that the user may see of them; of others the name alone.

    Counting is for the people of one page, never for all.
    """
    asked = Person.objects.filter(pk__in=pks)
    found = with_cover(asked.visible_to(user).with_visits(user), user).in_bulk()
    if len(found) < len(pks):
        found |= {
            pk: _name_alone(pk, name) for pk, name in asked.exclude(pk__in=found).values_list("pk", "name")
        }
    return [found[pk] for pk in pks if pk in found]


def _name_alone(pk: int, name: str) -> Person:
    """Somebody whom the user knows by a suggestion only: no alias, no number, no face, no count."""
    person = Person(pk=pk, name=name)
    person.visit_count, person.reference_count, person.cover = 0, 0, None  # type: ignore[attr-defined]
    person.first_seen = person.last_seen = None  # type: ignore[attr-defined]
    return person


def count_sightings(person: Person, *, user: User) -> dict[str, int]:
    """`photos`, `events`, and faces by who named them: `verified`, `machine`; of what the user sees."""
    return (
        Sighting.objects.visible_to(user)
        .filter(person=person)
        .aggregate(
            photos=Count("face__photo", distinct=True),
            events=Count("face__photo__event", distinct=True),
            verified=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.HUMAN)),
            machine=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.MACHINE)),
        )
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
