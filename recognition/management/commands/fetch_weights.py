"""Download FaceNet's weights, verify them, and put them where the worker looks."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from tqdm import tqdm

from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.embedders.facenet import facenet_id
from recognition.embedders.fetch import FetchFailed, fetch_weights
from recognition.embedders.weights import WeightsRefused, open_weights, plan_weights
from recognition.models import Embedding


class Command(BaseCommand):
    help = "Download FaceNet's weights (112 MB), verify them, and put them where the worker looks."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--force", action="store_true", help="download even if the right file is there")

    def handle(self, *args: Any, force: bool = False, **options: Any) -> None:
        try:
            plan = plan_weights()
            if plan.path.is_file() and not force:
                open_weights(plan).close()
                self.stdout.write(
                    f"{plan.path} is there already and its checksum is right. {_next_step(facenet_id(plan))}"
                )
                return
            with tqdm(
                total=plan.size,
                unit="B",
                unit_scale=True,
                desc=plan.path.name,
                disable=options["verbosity"] == 0,
                file=self.stderr,
            ) as bar:

                def show(done: int, whole: int | None) -> None:
                    bar.total = whole
                    bar.update(done - bar.n)

                fetch_weights(plan, progress=show)
        except (FetchFailed, WeightsRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"{plan.path} is complete and verified. Embedder: {facenet_id(plan)}. {_next_step(facenet_id(plan))}"
            )
        )


def _next_step(embedder_id: str) -> str:
    try:
        active = get_active_embedder_id()
        embedded = Embedding.objects.filter(embedder_id=active).exists()
    except (NoActiveEmbedder, DatabaseError):
        # Fetched before the first start, perhaps before the tables are there.
        return "The worker takes it at its first start."
    if active == embedder_id:
        return "Restart the worker."
    if embedded:
        return (
            f"This installation stays with its embedder {active}, by which its faces are embedded, until you run "
            "`manage.py reembed --to facenet-vggface2`: that embeds them anew beside the running site, and then switches."
        )
    return f"{active} is the active embedder: now run `manage.py use_embedder`, before the first photos."
