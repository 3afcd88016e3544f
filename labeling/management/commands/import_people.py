"""Bring in a list of people, and their portraits as references; run again, it changes nothing and goes on where it stopped."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from access.roles import MANAGER, reach_of
from labeling.enrolment import count_import, enroll_waiting, find_event, import_list, write_report
from labeling.enrolment.report import list_refusals
from labeling.models import Enrolment, PeopleImport
from recognition.leases import claim_next
from recognition.management.commands.run_worker import load_models
from recognition.models import Event, Photo
from recognition.people.csv_rows import ListRefused, PeopleList, read_people_list
from recognition.people.portraits import read_folder
from recognition.processing import sweep
from recognition.text import clean_name

POLL_SECONDS = 1.0
# When no portrait gets done for so long, the rest is left to the worker.
PATIENCE_SECONDS = 300.0
_AGAIN = "Run the same command again: it goes on where it stopped."


class Command(BaseCommand):
    help = "Import people from a CSV file: name, aliases, external_id, portraits."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.csv")
        parser.add_argument(
            "--portraits", type=Path, metavar="DIR", help="where the files and folders of the list are"
        )
        parser.add_argument(
            "--event",
            default="Portraits",
            metavar="NAME",
            help="the event that the portraits go to (Portraits)",
        )
        parser.add_argument(
            "--user",
            metavar="NAME",
            help="whose decisions the names are; a manager, or else the administrator",
        )
        parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
        parser.add_argument(
            "--no-process", action="store_true", help="leave the portraits to the running worker"
        )
        parser.add_argument(
            "--report", type=Path, metavar="FILE", help="where to write what became of each row, as CSV"
        )

    def handle(
        self,
        *args: Any,
        file: Path,
        portraits: Path | None,
        event: str,
        user: str | None,
        dry_run: bool,
        no_process: bool,
        report: Path | None,
        **options: Any,
    ) -> None:
        people = _read(file)
        if portraits is not None and not portraits.is_dir():
            raise CommandError(f"{portraits} is not a folder.")
        actor = _find_user(user)
        try:
            with tqdm(desc="Portraits", unit="file", disable=None) as bar:
                done = import_list(
                    people=people,
                    portraits=read_folder(portraits) if portraits else (),
                    event=_find_event(event, dry_run=dry_run),
                    user=actor,
                    dry_run=dry_run,
                    tell=lambda path: _advance(bar),
                )
            if portraits is not None and not dry_run and not no_process:
                self._process(done)
        except KeyboardInterrupt:
            raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        self._tell(done, people, dry_run=dry_run)
        if report is not None:
            _write(done, report)
            self.stdout.write(f"What became of each row: {report}")

    def _process(self, done: PeopleImport) -> None:
        from recognition.ingest import process_claimed_photo

        waiting = Enrolment.objects.filter(imported=done, state=Enrolment.State.WAITING)
        portraits = Photo.objects.filter(enrolments__imported=done, event__deleted_at=None)
        left = waiting.count()
        if not left:
            return
        load_models()
        sweep()
        moved_at = time.monotonic()
        with tqdm(total=left, desc="Enrolling", unit="portrait", disable=None) as bar:
            while left and time.monotonic() - moved_at < PATIENCE_SECONDS:
                # A running worker may be at the same photos: whoever claims one first has it.
                if claim := claim_next(Photo.objects.filter(pk__in=portraits.order_by().values("pk"))):
                    process_claimed_photo(claim)
                elif not enroll_waiting():
                    time.sleep(POLL_SECONDS)
                    sweep()
                before, left = left, waiting.count()
                if left < before:
                    bar.update(before - left)
                    moved_at = time.monotonic()

    def _tell(self, done: PeopleImport, people: PeopleList, *, dry_run: bool) -> None:
        for refusal in list_refusals(done):
            of = f", {refusal.file}" if refusal.file else ""
            self.stderr.write(f"Row {refusal.row}{of}: {refusal.message}")
        if people.unread:
            self.stdout.write(f"Columns that mean nothing here: {', '.join(people.unread)}.")
        counts = count_import(done) if not dry_run else None
        outcomes = [row["outcome"] for row in done.rows]
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"{len(outcomes)} rows: {outcomes.count('added')} {would}added, {outcomes.count('updated')} {would}updated, "
            f"{outcomes.count('unchanged')} unchanged, {outcomes.count('refused')} refused."
        )
        if counts is not None and counts.portraits:
            self.stdout.write(
                f"{counts.enrolled} portraits enrolled, {counts.portraits_refused} refused, {counts.waiting} still waiting."
            )
            if counts.waiting:
                self.stdout.write("The worker takes those that wait (`manage.py run_worker`).")


def _read(file: Path) -> PeopleList:
    try:
        return read_people_list(file.read_bytes())
    except OSError as error:
        raise CommandError(f"{file} cannot be read ({error.strerror}).") from error
    except ListRefused as refused:
        raise CommandError(str(refused)) from refused


def _find_user(name: str | None) -> User:
    if name is None:
        found = User.objects.filter(is_active=True, is_superuser=True).order_by("pk").first()
        if found is None:
            raise CommandError("There is no administrator. Name a manager with --user.")
        return found
    found = User.objects.filter(username=name, is_active=True).first()
    if found is None or not reach_of(found, MANAGER).everywhere:
        raise CommandError(f"{name} is no manager of all events.")
    return found


def _find_event(name: str, *, dry_run: bool) -> Event:
    cleaned = clean_name(name)
    if not cleaned or len(cleaned) > 120:
        raise CommandError("An event's name has 1 to 120 characters.")
    return Event(name=cleaned) if dry_run else find_event(cleaned, user=None)


def _write(done: PeopleImport, report: Path) -> None:
    try:
        report.write_text("".join(write_report(done)), encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"{report} cannot be written ({error.strerror}).") from error


def _advance(bar: Any) -> None:
    bar.update(1)
