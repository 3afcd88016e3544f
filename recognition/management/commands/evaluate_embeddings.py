"""Print how good the names are: on this installation's labeled faces, or on a folder of photos."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.calibration.lines import describe_calibrated
from recognition.embedders import (
    EmbedderInfo,
    EmbedderUnknown,
    WeightsMissing,
    WeightsRefused,
    choose_embedder,
    describe_embedder,
    get_embedder,
    name_embedder,
)
from recognition.evaluation.measuring import TooFewFaces, measure_faces, measure_installation, measure_splits
from recognition.evaluation.photo_folders import FolderFaces, NoPeople, embed_folders
from recognition.evaluation.text import as_text

# For photos of a few dozen people; a share of one in a thousand could not be seen on them.
_FOLDER_TARGET = 0.01


class Command(BaseCommand):
    help = (
        "Measure how well faces are told apart: similarities, true accepts at false accepts, rank 1, and strangers and "
        "known people named, by the number enrolled. Without --photos on the faces that people named here; nothing is "
        "changed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="numbers for programs")
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help="measure a folder of folders instead, one of each person; nothing of it is stored",
        )
        parser.add_argument(
            "--embedder",
            metavar="NAME",
            help="an embedder's name or id; without it the active one, or the one that would be chosen",
        )
        parser.add_argument(
            "--splits",
            type=_splits,
            default=200,
            metavar="N",
            help="random splits of the open-set protocol (200); 0 leaves it out",
        )
        parser.add_argument(
            "--target",
            type=_share,
            metavar="SHARE",
            help="the share of strangers' faces that may get a name: 0.01 with --photos, else FACEVAULT_FPIR",
        )

    def handle(
        self,
        *args: Any,
        json: bool,
        photos: Path | None,
        embedder: str | None,
        splits: int,
        target: float | None,
        **options: Any,
    ) -> None:
        try:
            figures = (
                self._measure_here(embedder, splits, target)
                if photos is None
                else self._measure_folder(photos, embedder, splits, target)
            )
        except (TooFewFaces, NoPeople, NoActiveEmbedder) as error:
            raise CommandError(str(error)) from error
        except (EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped.", returncode=130) from None
        self.stdout.write(_dumped(figures) if json else as_text(figures))

    def _measure_here(self, embedder: str | None, splits: int, target: float | None) -> dict[str, Any]:
        active = get_active_embedder_id()
        info = describe_calibrated(_find_id(embedder) if embedder else active)
        return measure_installation(
            info, target=target or settings.FACEVAULT_FPIR, splits=splits, queue=info.embedder_id == active
        )

    def _measure_folder(
        self, folder: Path, embedder: str | None, splits: int, target: float | None
    ) -> dict[str, Any]:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        info = describe_embedder(_find_id(embedder) if embedder else _active_or_chosen())
        found = self._embed(folder, info)
        share = target or _FOLDER_TARGET
        figures, _ = measure_faces(found.faces, info, target=share, told_apart=())
        figures["open_set"] = measure_splits(found.faces, info, target=share, splits=splits)
        figures["folders"] = found.names
        figures["left_out"] = [asdict(row) for row in found.left_out]
        return figures

    def _embed(self, folder: Path, info: EmbedderInfo) -> FolderFaces:
        from recognition.detection import get_detector

        def show(files: list[Path]) -> Iterable[Path]:
            return tqdm(files, desc="embedding", unit="photo", file=self.stderr, leave=False)

        return embed_folders(
            folder, detector=get_detector(), embedder=get_embedder(info.embedder_id), show=show
        )


def _active_or_chosen() -> str:
    try:
        return get_active_embedder_id()
    except NoActiveEmbedder:
        return choose_embedder().embedder_id


def _find_id(embedder: str) -> str:
    """Of an id or a name; raise EmbedderUnknown or a weights error."""
    try:
        return describe_embedder(embedder).embedder_id
    except EmbedderUnknown:
        return name_embedder(embedder).embedder_id


def _splits(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 100_000:
        raise argparse.ArgumentTypeError("a number of splits, 0 or more")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError("a share between 0 and 1, such as 0.01")
    return share


def _dumped(figures: dict[str, Any]) -> str:
    return json.dumps(figures, indent=2)
