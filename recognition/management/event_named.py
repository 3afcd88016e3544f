"""The --event of a command: by its name, created if there is none."""

from __future__ import annotations

from django.core.management.base import CommandError

from recognition.events.edits import create_event
from recognition.models import Event
from recognition.text import clean_name


def check_event_name(name: str) -> str:
    """The name as it is stored; raise CommandError where it is none."""
    name = clean_name(name)
    if not name or len(name) > 120:
        raise CommandError("An event's name has 1 to 120 characters.")
    return name


def event_named(name: str) -> Event:
    return Event.objects.filter(name__iexact=name, deleted_at=None).first() or create_event(
        name=name, held_on=None, place="", user=None
    )
