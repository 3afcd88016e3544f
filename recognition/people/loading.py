"""People as the pages list them: with their visits and the face that stands for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, When

from access.roles import LABELER, MANAGER, SEEING, User, reach_of
from recognition.models import Event, Face, Person, Sighting
from recognition.people.namesakes import tell_apart
from recognition.quality import NOT_MEASURED


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSightings:
    """The faces of one person at one event: references, other faces that people verified, and what FaceVault named.

    `decides`: whether the user may decide about faces there.
    """

    event: Event
    references: list[Sighting]
    verified: list[Sighting]
    machine: list[Sighting]
    decides: bool


def with_cover(people: QuerySet[Person], user: User) -> QuerySet[Person]:
    """Each person with `cover`, the public id of a face that the user sees, or none: the one that was chosen, else the
    largest verified one, else the largest; a silhouette only where there is no other."""
    faces = Face.objects.for_role(user, *SEEING).filter(sighting__person=OuterRef("pk"))
    # One subquery and not the first of two: grouped by that, beside counts, it was asked for once per face.
    chosen = Case(When(pk=OuterRef("cover_face"), then=1), default=0)
    # A face of which there are no pixels is a silhouette: anything else says more.
    shown = Case(When(sharpness=NOT_MEASURED, then=0), default=1)
    best = faces.annotate(chosen=chosen, shown=shown).order_by(
        "-chosen", "-shown", "-sighting__is_reference", "-size", "pk"
    )
    return people.annotate(cover=Subquery(best.values("face_id")[:1]))


def load_people(pks: Sequence[int], *, user: User) -> list[Person]:
    """These people in this order, with the visits and the cover that the user may see of them, and what tells them apart
    from others of their name; of people whom the user does not see the name alone.

    Counting is for the people of one page, never for all.
    """
    asked = Person.objects.filter(pk__in=pks)
    found = with_cover(asked.visible_to(user).with_visits(user), user).in_bulk()
    if len(found) < len(pks):
        found |= {
            pk: _name_alone(pk, name) for pk, name in asked.exclude(pk__in=found).values_list("pk", "name")
        }
    people = [found[pk] for pk in pks if pk in found]
    tell_apart(people, user=user)
    return people


def _name_alone(pk: int, name: str) -> Person:
    """Somebody whom the user knows by a suggestion only: no alias, no number, no face, no count."""
    person = Person(pk=pk, name=name)
    person.visit_count, person.reference_count, person.cover = 0, 0, None  # type: ignore[attr-defined]
    person.first_seen = person.last_seen = None  # type: ignore[attr-defined]
    return person


def count_sightings(person: Person, *, user: User) -> dict[str, int]:
    """`photos`, `events`, and faces by who named them: `verified`, of these `references`, `machine`; of what the user sees."""
    return (
        Sighting.objects.visible_to(user)
        .filter(person=person)
        .aggregate(
            photos=Count("face__photo", distinct=True),
            events=Count("face__photo__event", distinct=True),
            verified=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.HUMAN)),
            references=Count("pk", filter=Q(is_reference=True)),
            machine=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.MACHINE)),
        )
    )


def by_event(sightings: Sequence[Sighting], *, user: User) -> list[EventSightings]:
    """Sightings that come ordered by event, in groups."""
    deciding = reach_of(user, LABELER, MANAGER)
    groups = []
    for event, group in groupby(sightings, key=lambda sighting: sighting.face.photo.event):
        found = list(group)
        human = [sighting for sighting in found if sighting.decided_by == Sighting.DecidedBy.HUMAN]
        groups.append(
            EventSightings(
                event=event,
                references=[sighting for sighting in human if sighting.is_reference],
                verified=[sighting for sighting in human if not sighting.is_reference],
                machine=[sighting for sighting in found if sighting.decided_by == Sighting.DecidedBy.MACHINE],
                decides=event.pk in deciding,
            )
        )
    return groups


def mark_decidable(sightings: Sequence[Sighting], *, user: User) -> bool:
    """Give each `decides`, whether the user may decide about its face; whether they may about any."""
    deciding = reach_of(user, LABELER, MANAGER)
    for sighting in sightings:
        sighting.decides = sighting.face.photo.event_id in deciding  # type: ignore[attr-defined]
    return any(sighting.face.photo.event_id in deciding for sighting in sightings)
