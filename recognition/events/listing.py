"""The list of events: which are on it and in which order."""

from __future__ import annotations

from django.db.models import DateField, F
from django.db.models.functions import Cast, Coalesce

from recognition.querysets import EventQuerySet
from recognition.text import fold


def find_events(events: EventQuerySet, query: str) -> EventQuerySet:
    """Those of which name and place hold every typed word; case and accents do not count."""
    words = fold(query).split()
    if not words:
        return events
    rows = events.order_by().values_list("pk", "name", "place")
    found = [pk for pk, name, place in rows if _holds(words, fold(f"{name} {place}"))]
    return events.filter(pk__in=found)


def newest_first(events: EventQuerySet) -> EventQuerySet:
    """By date; an event without one by the day on which it was created."""
    day = Coalesce(F("held_on"), Cast("created_at", DateField()))
    return events.order_by(day.desc(), "-pk")


def _holds(words: list[str], text: str) -> bool:
    return all(word in text for word in words)
