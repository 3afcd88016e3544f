"""Let failed photos be tried again: after more memory, a free disk, or a restored file."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.models import Event, Photo
from recognition.processing import retry_photos


class Command(BaseCommand):
    help = "Put every failed photo, or those of one event, back into the queue of the worker."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--event", metavar="NAME", help="only the photos of this event")

    def handle(self, *args: Any, event: str | None, **options: Any) -> None:
        photos = Photo.objects.all()
        if event is not None:
            row = Event.objects.filter(name__iexact=" ".join(event.split())).first()
            if row is None:
                raise CommandError(f"There is no event named {event!r}. Check the name on the Events page.")
            photos = photos.filter(event=row)
        retried = retry_photos(photos)
        self.stdout.write(
            f"{retried} photos wait for another attempt; the worker (`manage.py run_worker`) takes them."
            if retried
            else "No photo has failed."
        )
