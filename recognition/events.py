"""Events: creating one."""

from datetime import date

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from recognition.models import Event


def create_event(*, name: str, held_on: date | None, place: str, user: AbstractBaseUser | None) -> Event:
    """Create an event. Raises ValidationError by field, also when another request takes the name at the same moment."""
    event = Event(name=name, held_on=held_on, place=place, created_by=user)  # type: ignore[misc]
    event.full_clean()
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        raise ValidationError("There is an event of this name already.") from None
    return event
