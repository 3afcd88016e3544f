"""Choose the embedder again, while nothing is embedded yet: after fetching FaceNet's weights, or another one by its name."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.active_embedder import EmbedderInUse, change_active_embedder
from recognition.embedders import (
    EmbedderUnknown,
    WeightsMissing,
    WeightsRefused,
    choose_embedder,
    embedders,
    get_embedder,
    name_embedder,
)


class Command(BaseCommand):
    help = "Use the best embedder that this machine can load, or the one you name. Refused once faces are embedded."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", metavar="NAME", help=f"one of {', '.join(embedders.names())}")

    def handle(self, *args: Any, name: str | None, **options: Any) -> None:
        try:
            choice = choose_embedder() if name is None else name_embedder(name)
            if name is not None:
                # Whoever names one wants that one: better to learn here than from the first photo that it cannot be loaded.
                get_embedder(choice.embedder_id)
            active = change_active_embedder(choice)
        except (EmbedderInUse, EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The embedder is {active.embedder_id}: {active.reason} Restart the site.")
