"""Read the names that other programs wrote into an event's photos; run again, it goes on, and changes nothing twice."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.models import Event, NamedRegion, RegionReading
from recognition.named_regions.reading import process_next_reading, request_reading, sweep_readings
from recognition.text import clean_name

POLL_SECONDS = 1.0
# When nothing moves for so long, the rest is left to the worker.
PATIENCE_SECONDS = 300.0
_AGAIN = "Run the same command again: it goes on where it stopped."
_OPEN = [RegionReading.State.QUEUED, RegionReading.State.PROCESSING]


class Command(BaseCommand):
    help = "Read the names in an event's photos (XMP face regions) as suggestions. Nobody is named by it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--event", required=True, metavar="NAME")

    def handle(self, *args: Any, event: str, **options: Any) -> None:
        found = Event.objects.filter(name__iexact=clean_name(event), deleted_at=None).first()
        if found is None:
            raise CommandError(f"There is no event of the name {event}.")
        reading = request_reading(event=found, user=None)
        try:
            self._read(reading)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        reading.refresh_from_db()
        if reading.state == RegionReading.State.FAILED:
            raise CommandError(reading.failure_reason)
        if reading.state in _OPEN:
            raise CommandError(f"{reading.failure_reason or 'It did not go on.'} {_AGAIN}")
        regions = NamedRegion.objects.filter(photo__event=found, dismissed_at=None)
        self.stdout.write(
            f"{reading.photos_done} photos read, {reading.regions_found} new names; {reading.photos_unreadable} photos could "
            f"not be read. {regions.filter(face=None).count()} names have no face."
        )

    def _read(self, reading: RegionReading) -> None:
        with tqdm(total=reading.photos_total, initial=reading.photos_done, unit="photo", disable=None) as bar:
            bar.set_description("Reading")
            moved_at = time.monotonic()
            while reading.state in _OPEN and time.monotonic() - moved_at < PATIENCE_SECONDS:
                # A running worker may have it already: whoever claims it first reads it.
                if process_next_reading(only=reading, tell=lambda done: _advance(bar, done)) is None:
                    time.sleep(POLL_SECONDS)
                    sweep_readings()
                before = reading.photos_done
                reading.refresh_from_db()
                _advance(bar, reading.photos_done)
                if reading.photos_done > before:
                    moved_at = time.monotonic()


def _advance(bar: tqdm[Any], done: int) -> None:
    bar.update(max(0, done - bar.n))
