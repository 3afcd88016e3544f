"""Group the faces that nobody has seen or decided about anew."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.clusters.tending import regroup_event
from recognition.active_embedder import NoActiveEmbedder
from recognition.models import Event


class Command(BaseCommand):
    help = (
        "Group the open faces of an event, or of all, anew. Names, verdicts, rejections and every group that somebody has "
        "seen or decided about stay as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--event", metavar="NAME", help="the event's name")
        which.add_argument("--all", action="store_true", help="every event")

    def handle(self, *args: Any, event: str | None, **options: Any) -> None:
        events = Event.objects.filter(deleted_at=None).order_by("pk")
        if event is not None:
            events = events.filter(name=event)
            if not events.exists():
                raise CommandError(f"There is no event {event!r}.")
        for row in events:
            try:
                placed = regroup_event(row.pk)
            except NoActiveEmbedder as error:
                raise CommandError(str(error)) from error
            self.stdout.write(
                f"{row.name}: {placed.opened} groups opened, {placed.joined} faces joined a group, "
                f"{placed.left} left theirs"
            )
