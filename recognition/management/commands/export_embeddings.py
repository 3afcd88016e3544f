"""Write faces as embedding files, with a bar; run again after an interrupt, it goes on where it stopped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.embedders import EmbedderUnknown, describe_embedder
from recognition.embedding_files.exporting import EmbeddingExport, ExportRefused, ExportWrong, find_begun
from recognition.embedding_files.pictures import PictureWriter
from recognition.embedding_files.selection import AsImported, AsStored, Selection
from recognition.management.event_named import check_event_name
from recognition.models import Event, FaceImport

_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = "Write face_embeddings.npy, face_embedding_index.csv and face_metadata.csv: of all faces, an event, or an import."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--event", metavar="NAME", help="only the faces of this event")
        what.add_argument(
            "--import",
            type=int,
            dest="import_pk",
            metavar="N",
            help="only the faces of this import, by its own ids, in its own order and words",
        )
        parser.add_argument(
            "--embedder", metavar="ID", help="whose vectors; else the active embedder's, or the import's"
        )
        parser.add_argument("--crops", action="store_true", help="write a picture of each face, too")
        parser.add_argument("--photos", action="store_true", help="write the originals, too")

    def handle(
        self,
        *args: Any,
        folder: Path,
        event: str | None,
        import_pk: int | None,
        embedder: str | None,
        crops: bool,
        photos: bool,
        **options: Any,
    ) -> None:
        face_import = _import_of(import_pk) if import_pk is not None else None
        if face_import is not None and embedder not in (None, face_import.embedder_id):
            raise CommandError(
                f"Import {face_import.pk} came with vectors of {face_import.embedder_id or 'no embedder'}. Leave out "
                "--embedder, or export its event."
            )
        key = f"{event} {import_pk} {embedder} {crops} {photos}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            up_to = find_begun(folder, key)
            selection: Selection = (
                AsImported(face_import) if face_import is not None else _select(event, embedder, up_to)
            )
            self._export(folder, selection, key, face_import, crops=crops, photos=photos)
        except (ExportRefused, ExportWrong) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{folder} cannot be written ({error.strerror}). {_AGAIN}") from error
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None

    def _export(
        self,
        folder: Path,
        selection: Selection,
        key: str,
        face_import: FaceImport | None,
        *,
        crops: bool,
        photos: bool,
    ) -> None:
        rows = len(selection.vector_faces) + len(selection.metadata_faces)
        if not rows:
            raise CommandError(
                "No face has a vector of this embedder there. Choose another --event or --embedder."
            )
        pictures = PictureWriter(folder, face_import=face_import, crops=crops, photos=photos)
        with _for_the_owner_alone(), tqdm(total=rows, desc="Writing", unit="row", disable=None) as bar:
            done = EmbeddingExport(
                folder=folder, selection=selection, key=key, tell=bar.update, on_faces=pictures
            ).run()
        resumed = f" ({done.resumed} were there from before)" if done.resumed else ""
        self.stdout.write(
            f"{done.vectors} vectors and {done.metadata} rows of metadata written and read back{resumed}."
        )
        if selection.missing:
            why = (
                "were deleted since the import or refused then"
                if face_import
                else "have no vector of this embedder"
            )
            self.stdout.write(f"{selection.missing} faces are left out: they {why}.")
        if pictures.missing:
            self.stdout.write(f"{pictures.missing} pictures are left out: there are no pixels of them here.")
        self.stdout.write(
            f"{folder} holds biometric data. Give it to nobody who may not have it, and delete it after use."
        )


@contextmanager
def _for_the_owner_alone() -> Iterator[None]:
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _import_of(pk: int) -> FaceImport:
    found = FaceImport.objects.filter(
        pk=pk, kind=FaceImport.Kind.EMBEDDING_FILES, event__deleted_at=None
    ).first()
    if found is None:
        rows = FaceImport.objects.filter(kind=FaceImport.Kind.EMBEDDING_FILES, event__deleted_at=None)
        there = ", ".join(f"{row.pk} ({row.event.name})" for row in rows.select_related("event"))
        known = f"There are: {there}." if there else "None was imported yet."
        raise CommandError(f"There is no import {pk} of embedding files. {known}")
    return found


def _select(event: str | None, embedder: str | None, up_to: int | None) -> AsStored:
    row = None
    if event is not None:
        row = Event.objects.filter(name__iexact=check_event_name(event), deleted_at=None).first()
        if row is None:
            raise CommandError(f"There is no event {event!r}.")
    try:
        info = describe_embedder(embedder or get_active_embedder_id())
    except (NoActiveEmbedder, EmbedderUnknown) as error:
        raise CommandError(str(error)) from error
    return AsStored(embedder_id=info.embedder_id, dimension=info.dimension, event=row, up_to=up_to)
