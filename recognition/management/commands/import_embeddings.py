"""Add the faces of embedding files to an event, with a bar; run again, it goes on where it stopped."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.active_embedder import ensure_active_embedder
from recognition.embedders import Embedder, choose_embedder, get_embedder
from recognition.embedding_files import BadFiles
from recognition.embedding_files.importing import EmbeddingImport, begin_import
from recognition.embedding_files.source import Source, choose_embedder_id, open_source
from recognition.management.commands.run_worker import load_models
from recognition.management.event_named import check_event_name, event_named
from recognition.management.refused_list import RefusedList, open_refused_list
from recognition.models import FaceImport
from recognition.outside_faces import ImportEventGone, Written

_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = "Add faces that a batch pipeline embedded: face_embeddings.npy, face_embedding_index.csv, face_metadata.csv."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument(
            "--event", required=True, metavar="NAME", help="created if there is none of this name"
        )
        parser.add_argument(
            "--photos",
            type=Path,
            metavar="DIR",
            help="where the photos and crops that the metadata names are",
        )
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument(
            "--embedder", metavar="ID", help="the embedder of this installation that made the vectors"
        )
        whose.add_argument(
            "--imported-as", metavar="NAME", help="a name for the program or net that made the vectors"
        )
        parser.add_argument(
            "--embed",
            action=BooleanOptionalAction,
            default=None,
            help="embed faces with pixels here, too (without vectors: yes)",
        )
        parser.add_argument(
            "--again", action="store_true", help="bring back faces that were deleted since they were imported"
        )
        parser.add_argument("--dry-run", action="store_true", help="check the files and write nothing")
        parser.add_argument(
            "--refused",
            type=Path,
            default=Path("refused.csv"),
            metavar="FILE",
            help="where to list what was refused",
        )

    def handle(
        self,
        *args: Any,
        folder: Path,
        event: str,
        photos: Path | None,
        embedder: str | None,
        imported_as: str | None,
        embed: bool | None,
        again: bool,
        dry_run: bool,
        refused: Path,
        **options: Any,
    ) -> None:
        for given in (folder, photos):
            if given is not None and not given.is_dir():
                raise CommandError(f"{given} is not a folder.")
        name = check_event_name(event)
        with open_refused_list(refused) as listed:
            try:
                with open_source(folder, listed.add) as source:
                    embedder_id = choose_embedder_id(source, embedder_id=embedder, imported_as=imported_as)
                    wants = source.vectors is None if embed is None else embed
                    self._describe(source, embedder_id, wants=wants)
                    if not dry_run:
                        self._import(name, source, embedder_id, photos, listed, embed=wants, again=again)
            except BadFiles as error:
                raise CommandError(str(error)) from error
            except ImportEventGone:
                raise CommandError("The event was deleted meanwhile. Nothing more was added.") from None
            except OSError as error:
                raise CommandError(
                    f"The data folder {settings.FACEVAULT_DATA} or the files cannot be used ({error.strerror}). {_AGAIN}"
                ) from error
            except KeyboardInterrupt:
                raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
            if dry_run:
                self.stdout.write("Nothing was written: this was a dry run.")
            if listed.count:
                self.stdout.write(f"{listed.count} rows were refused. Which and why: {refused}")

    def _describe(self, source: Source, embedder_id: str, *, wants: bool) -> None:
        counts = source.counts
        if source.columns is not None:
            for meaning, columns in source.columns.read_as.items():
                self.stdout.write(f"  {meaning}: {columns or 'no column'}")
            if source.columns.unread:
                self.stdout.write(f"  kept as they are: {', '.join(source.columns.unread)}")
        self.stdout.write(
            f"{counts.faces} faces, {counts.vectors} with a vector, {counts.with_crop} with a crop, on {counts.images} photos; "
            f"{counts.without_metadata} without metadata."
        )
        if embedder_id:
            self.stdout.write(f"The vectors are taken as those of {embedder_id}.")
        if wants:
            self.stdout.write(
                "Faces with pixels are embedded here, which takes about as long as processing their photos."
            )

    def _import(
        self,
        name: str,
        source: Source,
        embedder_id: str,
        photos: Path | None,
        listed: RefusedList,
        *,
        embed: bool,
        again: bool,
    ) -> None:
        with tqdm(
            total=source.byte_size(), desc="Reading", unit="B", unit_scale=True, disable=None
        ) as reading:
            fingerprint = source.fingerprint(reading.update)
        event = event_named(name)
        begun = FaceImport.objects.filter(event=event, fingerprint=fingerprint).first()
        if begun is not None and begun.finished_at is not None and not again:
            gone = begun.faces_done - begun.imported_faces.count()
            back = f" {gone} of their faces were deleted since; --again brings them back." if gone > 0 else ""
            self.stdout.write(
                f"Nothing to do: these files are in {event.name} already, as import {begun.pk}.{back}"
            )
            return
        active = ensure_active_embedder(choose_embedder)
        embedder: Embedder | None = None
        if embed:
            load_models()
            embedder = get_embedder(active.embedder_id)
        face_import = begin_import(
            event=event, source=source, fingerprint=fingerprint, embedder_id=embedder_id
        )
        with tqdm(total=source.counts.faces, desc="Importing", unit="face", disable=None) as bar:
            work = EmbeddingImport(
                face_import=face_import,
                source=source,
                photos=photos,
                embedder=embedder,
                refuse=listed.add,
                tell=bar.update,
            )
            self._report(face_import, work.run())

    def _report(self, face_import: FaceImport, done: Written) -> None:
        self.stdout.write(
            f"{face_import.event.name}: {done.added} faces added, {done.known} were there already. {done.named} have a name, "
            f"{done.queued} wait in the queue; {done.photos} photos and {done.stand_ins} stand-ins made."
        )
        self.stdout.write(
            f"This is import {face_import.pk}. To write it back: `manage.py export_embeddings DIR --import {face_import.pk}`."
        )
