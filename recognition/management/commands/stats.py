"""Print what this installation holds."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.embedders import EmbedderUnknown
from recognition.stats import stats


class Command(BaseCommand):
    help = (
        "Print counts of events, photos, faces, people, sightings and the queue, and the state of the index."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            facts = stats()
        except EmbedderUnknown as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(facts, indent=2))
            return
        for name, value in facts.items():
            self.stdout.write(f"{name:<11}{_line(value)}")


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {part}" for name, part in value.items()) or "none"
    return "none" if value is None else str(value)
