"""Bring in a FaceDatabaseFAISS store: people, visits, references and queue; run again, it goes on where it stopped."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.active_embedder import WrongEmbedder, ensure_active_embedder, find_active_info
from recognition.embedders import (
    Embedder,
    EmbedderUnknown,
    choose_embedder,
    describe_embedder,
    get_embedder,
    imported_id,
)
from recognition.facedb.comparing import compare_index, count_twins
from recognition.facedb.faults import FileRefused, Refusal, StoreRefused
from recognition.facedb.importing import (
    Imported,
    ImportedElsewhere,
    check_visits,
    find_import,
    import_store,
)
from recognition.facedb.plan import Plan, plan_import, raise_if_empty
from recognition.facedb.store import open_store
from recognition.faults import GalleryBusy
from recognition.management.commands.run_worker import load_models
from recognition.management.event_named import check_event_name, event_named
from recognition.management.refused_list import RefusedList, open_refused_list
from recognition.models import Embedding, Event, FaceImport
from recognition.outside_faces.writing import ImportEventGone
from recognition.storage import scratch_folder
from recognition.text import clean_name

_AGAIN = "Run the same command again: it goes on where it stopped."
_TOLD = 20  # lines on the terminal; the rest is in the report


class Command(BaseCommand):
    help = "Import the people, visits, references and queue of a FaceDatabaseFAISS store."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR", help="what that program calls its db_path")
        parser.add_argument(
            "--event", required=True, metavar="NAME", help="created if there is none of this name"
        )
        vectors = parser.add_mutually_exclusive_group()
        vectors.add_argument(
            "--imported-as",
            default="facedb",
            metavar="NAME",
            help="what made the vectors, such as dinov2: they are compared among themselves only (facedb)",
        )
        vectors.add_argument(
            "--embedder",
            metavar="ID",
            help="the vectors are those of this embedder, which FaceVault has, too",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help="although these very references came with another store already",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument(
            "--embed",
            action=BooleanOptionalAction,
            help="embed the crops by the active embedder as well, so that it knows these people, too (yes)",
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="where to list what was not taken and why, as CSV"
        )

    def handle(
        self,
        *args: Any,
        folder: Path,
        event: str,
        imported_as: str,
        embedder: str | None,
        again: bool,
        dry_run: bool,
        embed: bool | None,
        report: Path | None,
        **options: Any,
    ) -> None:
        name = check_event_name(event)
        opened = open_refused_list(report, option="--report") if report is not None else nullcontext()
        with opened as listed:
            try:
                plan = plan_import(open_store(folder))
                raise_if_empty(plan)
                check_visits(plan)
            except StoreRefused as refused:
                raise CommandError(str(refused)) from refused
            embedder_id = _embedder_of(plan, embedder=embedder, imported_as=imported_as)
            target = Event.objects.filter(name__iexact=name, deleted_at=None).first()
            begun = _find_begun(target or Event(name=name), plan, embedder_id)
            if begun is not None and begun.finished_at is not None:
                self.stdout.write(f"Nothing to do: {name} has this store already, as import {begun.pk}.")
                return
            if begun is None and not again:
                _refuse_twins(plan, embedder_id)
            self._tell_plan(plan, embedder_id, dry_run=dry_run)
            refusals = list(plan.refused)
            if not dry_run:
                target = target or event_named(name)
                done = self._import(target, plan, embedder_id, embed=embed)
                refusals += done.refused
                self._tell_done(done, target)
            self._tell_refusals(refusals, listed, report)

    def _import(self, event: Event, plan: Plan, embedder_id: str, *, embed: bool | None) -> Imported:
        seeing = self._seeing(plan, embedder_id, embed=embed)
        try:
            with tqdm(total=len(plan.faces), desc="Importing", unit="face", disable=None) as bar:
                return import_store(
                    event=event,
                    plan=plan,
                    embedder_id=embedder_id,
                    embedder=seeing,
                    tell=lambda faces: _advance(bar, faces),
                )
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        except ImportEventGone:
            raise CommandError(
                "The event was deleted meanwhile. Run the command with another --event."
            ) from None
        except GalleryBusy as error:
            raise CommandError(f"Somebody labels at this moment, face after face. {_AGAIN}") from error
        except WrongEmbedder as error:
            raise CommandError(f"The embedder was changed meanwhile. {_AGAIN}") from error
        except OSError as error:
            raise CommandError(
                f"The data folder {settings.FACEVAULT_DATA} cannot be written ({error.strerror}). Check its disk and who "
                f"owns it. {_AGAIN}"
            ) from error

    def _seeing(self, plan: Plan, embedder_id: str, *, embed: bool | None) -> Embedder | None:
        """What embeds the crops here; nothing where there are none, or where the vectors are its own."""
        active = ensure_active_embedder(choose_embedder).embedder_id
        if not plan.crops or embed is False or (embed is None and embedder_id == active):
            return None
        load_models()
        return get_embedder(active)

    def _tell_plan(self, plan: Plan, embedder_id: str, *, dry_run: bool) -> None:
        tables = plan.store.tables
        would = "Would import" if dry_run else "Importing"
        looked_at = len(plan.faces) - plan.references - plan.waiting
        also = f", {looked_at} looked at without a name" if looked_at else ""
        self.stdout.write(
            f"{would} {len(tables.people)} people, {plan.references} references, {len(tables.visits)} visits, "
            f"{plan.waiting} faces for the queue{also}; {plan.crops} of the faces have a picture."
        )
        if plan.dimension:
            self.stdout.write(
                f"Their vectors have {plan.dimension} dimensions and are those of {embedder_id}."
            )
        active = find_active_info()
        if active is not None and active.embedder_id != embedder_id:
            same = plan.dimension == active.dimension
            self.stdout.write(
                f"The active embedder is {active.embedder_id}: it knows these people by their pictures alone."
                + (f" If it made these vectors, use --embedder {active.embedder_id}." if same else "")
            )
        for line in compare_index(plan, scratch=scratch_folder()):
            self.stdout.write(line)

    def _tell_done(self, done: Imported, event: Event) -> None:
        written = done.written
        before = f" ({written.known} faces were there already)" if written.known else ""
        self.stdout.write(
            f"{event.name}: {done.people} people and {written.added} faces added{before}, {written.named} with a name, "
            f"{written.queued} in the queue. This is import {done.face_import.pk}."
        )

    def _tell_refusals(
        self, refusals: list[Refusal], listed: RefusedList | None, report: Path | None
    ) -> None:
        for refusal in refusals[:_TOLD]:
            self.stderr.write(f"{clean_name(refusal.what)}: {refusal.message}")
        if len(refusals) > _TOLD:
            self.stderr.write(
                f"And {len(refusals) - _TOLD} more" + (". --report FILE lists them." if not report else ".")
            )
        if listed is not None:
            for refusal in refusals:
                listed.add(refusal.what, refusal.code, refusal.message)
            self.stdout.write(f"What was not taken and why: {report}")


def _embedder_of(plan: Plan, *, embedder: str | None, imported_as: str) -> str:
    if embedder is None:
        try:
            return imported_id(imported_as, plan.dimension or 1)
        except ValueError as error:
            raise CommandError(f"{error}.") from error
    try:
        info = describe_embedder(embedder)
    except EmbedderUnknown as error:
        raise CommandError(str(error)) from error
    if plan.dimension and info.dimension != plan.dimension:
        raise CommandError(
            f"The vectors of this store have {plan.dimension} dimensions, those of {embedder} {info.dimension}. Use "
            "--imported-as NAME instead."
        )
    return embedder


def _find_begun(event: Event, plan: Plan, embedder_id: str) -> FaceImport | None:
    try:
        found = find_import(event=event, plan=plan)
    except ImportedElsewhere as elsewhere:
        raise CommandError(
            f"{elsewhere} To go on with it, or to see that it is whole, run the command with that --event."
        ) from elsewhere
    if found is not None and found.finished_at is None and found.embedder_id not in {"", embedder_id}:
        raise CommandError(
            f"This import was begun with the vectors as those of {found.embedder_id}. Go on with the same --imported-as or "
            "--embedder."
        )
    return found


def _refuse_twins(plan: Plan, embedder_id: str) -> None:
    """A store that was used or exported since it came in looks like a new one, and would make everybody a second time."""
    if not plan.dimension or not Embedding.objects.filter(embedder_id=embedder_id).exists():
        return
    try:
        looked_at, twins = count_twins(plan, embedder_id)
    except (FileRefused, OSError) as error:
        raise CommandError(
            "The store changed while it was read. Copy the folder, and import the copy."
        ) from error
    if 2 * twins > looked_at:
        raise CommandError(
            f"Of {looked_at} references that were compared, {twins} are here already, from another state of this store. A store "
            "is not brought up to date: --again makes everybody in it a second time."
        )


def _advance(bar: Any, faces: int) -> None:
    bar.update(faces)
