"""Choose the embedder again, while nothing is embedded yet: after fetching FaceNet's weights, for example."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recognition.active_embedder import EmbedderInUse, change_active_embedder
from recognition.embedders import choose_embedder


class Command(BaseCommand):
    help = "Use the best embedder that this machine can load. Refused once faces are embedded."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            active = change_active_embedder(choose_embedder())
        except EmbedderInUse as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The embedder is {active.embedder_id}: {active.reason} Restart the site.")
