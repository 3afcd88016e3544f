"""Fill an empty database with drawn people: for tests, benchmarks and pictures. No photo of anybody is needed."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from labeling.demo import write_demo_clusters
from recognition.demo import BadSize, DemoSize, VaultNotEmpty, build_vault


class Command(BaseCommand):
    help = "Fill an empty database with drawn people, faces and photos."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--faces", type=int, default=400, metavar="N", help="faces in all (default 400)")
        parser.add_argument(
            "--people", type=int, default=24, metavar="P", help="people with names (default 24)"
        )
        parser.add_argument(
            "--unlabeled",
            type=int,
            default=80,
            metavar="U",
            help="of the faces, those in the queue (default 80)",
        )
        parser.add_argument(
            "--clusters",
            type=int,
            default=8,
            metavar="C",
            help="strangers in the queue who were seen more than once (default 8)",
        )
        parser.add_argument("--seed", type=int, default=0, metavar="S", help="another vault of the same size")

    def handle(
        self, *args: Any, faces: int, people: int, unlabeled: int, clusters: int, seed: int, **options: Any
    ) -> None:
        size = DemoSize(faces=faces, people=people, unlabeled=unlabeled, clusters=clusters, seed=seed)
        try:
            with tqdm(total=faces, desc="Drawing", unit="face", file=self.stderr, disable=None) as bar:
                done = build_vault(size, on_faces=partial(_advance, bar))
        except BadSize as error:
            raise CommandError(f"These sizes do not fit together: {error}.") from error
        except VaultNotEmpty as error:
            raise CommandError(
                "This database holds events, photos or people already, and demo data must not mix with them. Give the demo "
                "a data folder of its own: FACEVAULT_DATA=/tmp/demo (and run `manage.py migrate` there first)."
            ) from error
        self.stdout.write("Grouping the faces in the queue.")
        queue = write_demo_clusters()
        self.stdout.write(
            f"{done.faces:,} faces on {done.photos:,} photos of {done.events:,} events, {done.people:,} people.\n"
            f"{done.references:,} verified references, {done.faces - done.references - queue.waiting:,} named by FaceVault, "
            f"{queue.waiting:,} in the queue ({queue.clusters:,} clusters).\nEmbedder: {done.embedder_id}."
        )


def _advance(bar: tqdm[Any], faces: int) -> None:
    bar.update(faces)
