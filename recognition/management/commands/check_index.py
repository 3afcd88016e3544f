"""Compare the index that this process builds with the stored rows."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition.active_embedder import NoActiveEmbedder
from recognition.embedders import EmbedderUnknown
from recognition.gallery_index import get_gallery_index
from recognition.index_check import GalleryMoving, check_gallery_index

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compare the index with the database. Exits 1 on any difference, and lists the faces by primary key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            index = get_gallery_index()
            report = check_gallery_index(index)
        except (NoActiveEmbedder, EmbedderUnknown, GalleryMoving) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            facts = asdict(report) | {"ok": report.ok, "embedder_id": index.embedder_id}
            self.stdout.write(json.dumps(facts, indent=2))
        else:
            self.stdout.write(
                f"{report.count} faces in the index of {index.embedder_id}, version {report.version}."
            )
            for what, ids in (
                ("in the database, not in the index", report.missing),
                ("in the index, not in the database", report.extra),
                ("another vector than the stored one", report.different),
                ("broken stored vector", sorted(report.broken)),
            ):
                if ids:
                    more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
                    self.stdout.write(f"{what}: faces {', '.join(map(str, ids[:SHOWN]))}{more}")
        if not report.ok:
            raise CommandError("The index and the database differ; run `manage.py rebuild_index`.")
