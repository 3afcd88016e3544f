"""Names given and other decisions, by day: what the overview's chart is drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import CharField, Count, Q, QuerySet
from django.db.models.functions import Cast, Substr
from django.utils import timezone

from access.roles import SEEING, User, reach_of, sees_everything
from labeling.models import Decision
from recognition.models import Sighting

DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """`people` and `machine` named so many faces; `other` decisions named nobody. What was undone is not counted."""

    day: date
    people: int = 0
    machine: int = 0
    other: int = 0

    @property
    def total(self) -> int:
        return self.people + self.machine + self.other


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    days: list[Day] = field(default_factory=list)

    @property
    def people(self) -> int:
        return sum(day.people for day in self.days)

    @property
    def machine(self) -> int:
        return sum(day.machine for day in self.days)

    @property
    def other(self) -> int:
        return sum(day.other for day in self.days)

    @property
    def total(self) -> int:
        return self.people + self.machine + self.other


def read_activity(user: User, *, days: int = DAYS) -> Activity:
    """The last `days` days up to today in the installation's time zone, of the events that the user sees."""
    today = timezone.localdate()
    first = today - timedelta(days=days - 1)
    since = Q(created_at__gte=timezone.make_aware(datetime.combine(first, time.min)))
    sightings = Sighting.objects.filter(since, decided_by=Sighting.DecidedBy.MACHINE)
    decisions = Decision.objects.filter(since, undone_at=None)
    if not sees_everything(user):
        sightings = sightings.visible_to(user)
        decisions = decisions.filter(reach_of(user, *SEEING).within("face__photo__event"))
    found = [Day(day=first + timedelta(days=number)) for number in range(days)]
    for rows, kind in ((sightings, "decided_by"), (decisions, "kind")):
        for day, what, count in _count_by_day(rows, kind):
            number = (day - first).days
            if number < days:
                found[number] = _add(found[number], what, count)
    return Activity(days=found)


def _add(day: Day, what: str, count: int) -> Day:
    if what == Sighting.DecidedBy.MACHINE:
        return replace(day, machine=day.machine + count)
    if what == Decision.Kind.LABEL:
        return replace(day, people=day.people + count)
    return replace(day, other=day.other + count)


def _count_by_day(rows: QuerySet[Any], kind: str) -> Iterator[tuple[date, str, int]]:
    """Counted by minute in the database; a day may come in several parts. Where a day begins depends on the time zone,
    which SQLite does not know (Django's TruncDate would call Python for every row), and no zone is off by less."""
    minute = Substr(Cast("created_at", CharField()), 1, len("2026-07-11 15:04"))
    counts = rows.order_by().annotate(minute=minute).values_list("minute", kind).annotate(Count("pk"))
    for text, what, count in counts:
        yield timezone.localdate(datetime.fromisoformat(text).replace(tzinfo=UTC)), what, count
