"""A roster as its page and the API show it: who of the list is known, who can be recognized, and who was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from django.db.models import Count, Q

from access.roles import User
from recognition.models import Event, Person, RosterEntry, Sighting
from recognition.people.merged import read_kept

Show = Literal["", "seen", "missing", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """`photos` are those of the event that show the person; `enrolled`: a verified reference of them can answer a search.

    The person is none where nobody whom the user sees has the external id.
    """

    external_id: str
    person: Person | None = None
    enrolled: bool = False
    photos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterListing:
    rows: list[RosterRow]

    @property
    def total(self) -> int:
        return len(self.rows)

    @property
    def seen(self) -> int:
        return sum(row.photos > 0 for row in self.rows)

    @property
    def enrolled(self) -> int:
        return sum(row.enrolled for row in self.rows)

    @property
    def unknown(self) -> int:
        return sum(row.person is None for row in self.rows)

    @property
    def missing(self) -> int:
        return self.total - self.seen

    def choose(self, show: Show) -> list[RosterRow]:
        if show == "seen":
            return [row for row in self.rows if row.photos]
        if show == "missing":
            return [row for row in self.rows if not row.photos]
        return [row for row in self.rows if row.person is None] if show == "unknown" else self.rows


def list_roster(event: Event, *, user: User) -> RosterListing:
    """In the order of the external ids, in five queries for a list of any length.

    Whom the user sees nowhere is as good as unknown to them: whether somebody is at other events is not theirs to know.
    """
    entries = RosterEntry.objects.filter(event=event).order_by("external_id")
    ids = list(entries.values_list("external_id", flat=True))
    wanted = entries.order_by().values("external_id")
    listed = dict(Person.objects.filter(external_id__in=wanted).order_by().values_list("external_id", "pk"))
    kept = read_kept()
    owner = {external_id: kept.get(pk, pk) for external_id, pk in listed.items() if external_id}
    # Hardly anybody keeps an id of their own after a merge.
    merged = Q(pk__in={pk for external_id, pk in owner.items() if listed[external_id] != pk})
    people = Person.objects.visible_to(user).filter(Q(external_id__in=wanted) | merged)
    shown = people.in_bulk()
    sightings = Sighting.objects.visible_to(user).order_by()
    theirs = sightings.filter(person__in=people.order_by().values("pk"))
    enrolled = set(theirs.filter(is_reference=True).values_list("person", flat=True).distinct())
    here = theirs.filter(face__photo__event=event).values_list("person")
    photos = dict(here.annotate(count=Count("face__photo", distinct=True)))
    return RosterListing(
        rows=[
            RosterRow(
                external_id=external_id,
                person=shown.get(owner.get(external_id, 0)),
                enrolled=owner.get(external_id) in enrolled,
                photos=photos.get(owner.get(external_id, 0), 0),
            )
            for external_id in ids
        ]
    )
