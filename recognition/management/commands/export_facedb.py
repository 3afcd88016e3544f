"""Write people, visits, references and the queue as a FaceDatabaseFAISS store, whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.embedders import EmbedderUnknown, describe_embedder
from recognition.facedb.exporting import TargetTaken, check_target, export_store
from recognition.facedb.importing import KIND
from recognition.facedb.selection import Scope, select_export
from recognition.models import Embedding, Event, FaceImport

_AGAIN = "Nothing is there yet; run the same command again."


class Command(BaseCommand):
    help = "Export people, visits, references and queue as a FaceDatabaseFAISS store."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--event", metavar="NAME", help="the faces of this event; without it those of all")
        what.add_argument(
            "--import",
            dest="number",
            type=int,
            metavar="N",
            help="what import N brought, with what was named here since",
        )
        parser.add_argument(
            "--embedder",
            metavar="ID",
            help="whose vectors: those that the import brought, or else the active one's",
        )

    def handle(
        self,
        *args: Any,
        folder: Path,
        event: str | None,
        number: int | None,
        embedder: str | None,
        **options: Any,
    ) -> None:
        target = folder.absolute()
        if not target.parent.is_dir():
            raise CommandError(f"{target.parent} is not a folder. Make it first.")
        try:
            check_target(target)
        except TargetTaken:
            raise _taken(target) from None
        scope = _scope_of(event=event, number=number, embedder=embedder)
        selection = select_export(scope)
        if not selection.people and not selection.entries:
            raise CommandError(_nothing(scope))
        try:
            info = describe_embedder(scope.embedder_id)
        except EmbedderUnknown as error:
            raise CommandError(str(error)) from error
        total = len(selection.people) + len(selection.entries)
        try:
            with tqdm(total=total, desc="Exporting", unit="row", disable=None) as bar:
                done = export_store(
                    selection=selection,
                    scope=scope,
                    dimension=info.dimension,
                    target=target,
                    tell=lambda count: _advance(bar, count),
                )
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        except TargetTaken:
            raise _taken(target) from None
        except OSError as error:
            raise CommandError(
                f"{target} cannot be written ({error.strerror}). Check its disk and who owns it. {_AGAIN}"
            ) from error
        self.stdout.write(
            f"{target}: {done.people} people, {done.references} references, {done.visits} visits, {done.waiting} faces in "
            f"the queue; vectors of {scope.embedder_id}."
        )
        if selection.without_vector:
            self.stdout.write(
                f"{selection.without_vector} references have no vector of this embedder and are not in it."
            )
        if done.lost_pictures:
            self.stdout.write(f"{done.lost_pictures} pictures could not be read any more and are not in it.")
        self.stdout.write(
            "It holds names and biometric data: only this account may read it. Pass it on encrypted, and delete it when it "
            "is done with."
        )


def _scope_of(*, event: str | None, number: int | None, embedder: str | None) -> Scope:
    face_import = row = None
    if number is not None:
        imports = FaceImport.objects.filter(kind=KIND, event__deleted_at=None)
        face_import = imports.filter(pk=number).first()
        if face_import is None:
            known = ", ".join(str(pk) for pk in imports.values_list("pk", flat=True)) or "none"
            raise CommandError(f"There is no import {number} of a FaceDatabaseFAISS store; there is {known}.")
    if event is not None:
        row = Event.objects.filter(name__iexact=event.strip(), deleted_at=None).first()
        if row is None:
            raise CommandError(f"There is no event {event}.")
    if row is not None:
        # An event that a store was imported to goes back by what came with it.
        face_import = FaceImport.objects.filter(kind=KIND, event=row).exclude(embedder_id="").first()
        return Scope(embedder_id=embedder or _embedder_of(face_import), event=row)
    return Scope(embedder_id=embedder or _embedder_of(face_import), face_import=face_import)


def _embedder_of(face_import: FaceImport | None) -> str:
    if face_import is not None and face_import.embedder_id:
        return face_import.embedder_id
    try:
        return get_active_embedder_id()
    except NoActiveEmbedder as error:
        raise CommandError(str(error)) from error


def _nothing(scope: Scope) -> str:
    there = Embedding.objects.filter(face__in=scope.faces().order_by().values("pk")).order_by("embedder_id")
    ids = list(there.values_list("embedder_id", flat=True).distinct())
    others = f" There are vectors of {', '.join(ids)}: choose with --embedder." if ids else ""
    return f"There is nobody with a vector of {scope.embedder_id}, and nothing in the queue.{others}"


def _taken(target: Path) -> CommandError:
    return CommandError(
        f"{target} is there already and not empty. Name a new folder: nothing is overwritten."
    )


def _advance(bar: Any, count: int) -> None:
    bar.update(count)
