"""Make an event, change it, and put it away."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from recognition.models import Event


def create_event(*, name: str, held_on: date | None, place: str, user: AbstractBaseUser | None) -> Event:
    """Create an event. Raises ValidationError by field, also when another request takes the name at the same moment."""
    event = Event(name=name, held_on=held_on, place=place, created_by=user)  # type: ignore[misc]
    event.full_clean()
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        raise _name_is_taken() from None
    return event


def change_event(*, event: Event, name: str, held_on: date | None, place: str) -> Event:
    """Give the event another name, date and place. Raises ValidationError as `create_event` does."""
    event.name, event.held_on, event.place = name, held_on, place
    event.full_clean()
    try:
        with transaction.atomic():
            event.save(update_fields=["name", "held_on", "place"])
    except IntegrityError:
        raise _name_is_taken() from None
    return event


def archive_event(*, event: Event, archived: bool) -> Event:
    """Put the event out of the daily lists, or back; one that is archived already keeps the time when it was."""
    if archived != bool(event.archived_at):
        event.archived_at = timezone.now() if archived else None
        event.save(update_fields=["archived_at"])
    return event


def _name_is_taken() -> ValidationError:
    return ValidationError("There is an event of this name already.")
