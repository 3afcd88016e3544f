"""Count the decisions that an event takes: a labeler who knows the truth works through the queue, in a database of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from labeling.replay.report import as_numbers, as_table
from labeling.replay.running import ReplayFailed, replay
from labeling.replay.truth import TruthRefused
from recognition.embedders import WeightsRefused, embedders
from recognition.embedders.dlib_resnet import NAME as BUNDLED


class Command(BaseCommand):
    help = (
        "Replay the labeling of photos whose people are known, and count the decisions. The photos lie beside the truth, a "
        "CSV file: photo, identity, x, y, width, height. They are processed in a database and a folder of their own, "
        "which are removed at the end; this installation is not touched."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("truth", type=Path, metavar="TRUTH")
        parser.add_argument("--json", action="store_true", help="numbers for programs")
        parser.add_argument(
            "--embedder",
            default=BUNDLED,
            choices=sorted(embedders.names()),
            help=f"{BUNDLED}, which is bundled, if you name none",
        )
        parser.add_argument(
            "--keep",
            type=Path,
            metavar="DIR",
            help="keep the processed photos there, and use them again next time",
        )
        parser.add_argument(
            "--seed",
            type=int,
            metavar="S",
            help="one by one: faces in this random order, instead of the best first",
        )

    def handle(
        self,
        *args: Any,
        truth: Path,
        json: bool,
        embedder: str,
        keep: Path | None,
        seed: int | None,
        **options: Any,
    ) -> None:
        try:
            read, walks = replay(truth, embedder=embedder, keep=keep, seed=seed)
        except (TruthRefused, ReplayFailed, WeightsRefused) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        if json:
            self.stdout.write(_dumped(as_numbers(walks, listed=read.faces)))
        else:
            self.stdout.write(as_table(walks, listed=read.faces))


def _dumped(numbers: dict[str, Any]) -> str:
    return json.dumps(numbers, indent=2)
