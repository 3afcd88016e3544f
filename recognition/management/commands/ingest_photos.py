"""Add a folder of photos to an event and process them here, with a bar; run again, it goes on where it stopped."""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.events import create_event
from recognition.management.commands.run_worker import load_models
from recognition.models import Event, Face, Photo
from recognition.processing import claim_next_photo, sweep
from recognition.text import clean_name
from recognition.uploads import add_files

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".zip"}
POLL_SECONDS = 1.0
# When no photo gets done for so long (a full disk, a worker that hangs), the rest is reported as waiting. It is longer
# than a dead process's lease and than every pause between two attempts.
PATIENCE_SECONDS = 300.0
_AGAIN = "Run the same command again: it goes on where it stopped."


class RefusedList:
    """The CSV of what was refused; each row is in the file at once, so that a kill loses none."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._writer = csv.writer(file)
        self._failed: set[int] = set()
        self.count = 0
        self._write("file", "code", "reason")

    def add(self, name: str, code: str, reason: str) -> None:
        self.count += 1
        self._write(name, code, reason)

    def add_failed(self, photo: Photo) -> None:
        """A photo that was added and could not be processed, once."""
        if photo.pk not in self._failed:
            self._failed.add(photo.pk)
            self.add(photo.name, photo.failure_code, photo.failure_reason)

    def _write(self, *cells: str) -> None:
        # File names come from anywhere: bytes that are no text cannot be encoded, and a formula would be run.
        texts = [clean_name(cell) for cell in cells]
        safe = [f"'{text}" if text.startswith(("=", "+", "-", "@")) else text for text in texts]
        try:
            self._writer.writerow(safe)
            self._file.flush()
        except OSError as error:
            raise CommandError(
                f"The list of refused files cannot be written ({error.strerror}). Name another file with --refused. "
                f"{_AGAIN}"
            ) from error


class Command(BaseCommand):
    help = "Add the photos of a folder to an event and process them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, metavar="DIR")
        parser.add_argument(
            "--event", required=True, metavar="NAME", help="created if there is none of this name"
        )
        parser.add_argument("--recursive", action="store_true", help="look into the folders below, too")
        parser.add_argument(
            "--no-process", action="store_true", help="leave the processing to the running worker"
        )
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
        recursive: bool,
        no_process: bool,
        refused: Path,
        **options: Any,
    ) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        files = sorted(_files(folder, recursive=recursive))
        if not any(path.suffix.lower() in SUFFIXES for path in files):
            raise CommandError(
                f"No JPEG, PNG or WebP files in {folder}{'' if recursive else ' (try --recursive)'}."
            )
        name = _checked_name(event)
        with _open_refused(refused) as listed:
            try:
                row = _event_named(name)
                outcomes = self._add(row, folder, files, listed)
                if not no_process:
                    self._process(row, listed)
                self._report(row, outcomes, listed, processed=not no_process)
            except KeyboardInterrupt:
                raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        if listed.count:
            self.stdout.write(f"What was refused and why: {refused}")

    def _add(self, event: Event, folder: Path, files: list[Path], listed: RefusedList) -> Counter[str]:
        outcomes: Counter[str] = Counter()

        def refuse(name: str, code: str, reason: str) -> None:
            outcomes["refused"] += 1
            listed.add(name, code, reason)

        with tqdm(files, desc="Adding", unit="file", disable=None) as bar:
            for path in bar:
                name = path.relative_to(folder).as_posix()
                if path.suffix.lower() not in SUFFIXES:
                    refuse(name, "unsupported_format", "Save it as JPEG, PNG or WebP and add it again.")
                    continue
                try:
                    handle = path.open("rb")
                except OSError as error:
                    reason = (
                        f"The file cannot be read ({error.strerror}). Check it and run the command again."
                    )
                    refuse(name, "unreadable", reason)
                    continue
                with handle:
                    try:
                        for result in add_files(event=event, files=[(name, handle)]):
                            if result.code == "no_space":
                                raise CommandError(
                                    f"The disk of the data folder {settings.FACEVAULT_DATA} is full. Make room on it. "
                                    f"{_AGAIN}"
                                )
                            if result.outcome == "refused":
                                refuse(result.name, result.code, result.message)
                            else:
                                outcomes[result.outcome] += 1
                    except OSError as error:
                        # What the photo itself may raise is a refusal above; this is our own folder.
                        raise CommandError(
                            f"The data folder {settings.FACEVAULT_DATA} cannot be written ({error.strerror}). Check "
                            f"its disk and who owns it. {_AGAIN}"
                        ) from error
        return outcomes

    def _process(self, event: Event, listed: RefusedList) -> None:
        from recognition.ingest import process_claimed_photo

        load_models()
        sweep()
        unfinished = event.photos.filter(state__in=[Photo.State.QUEUED, Photo.State.PROCESSING])
        left, moved_at = unfinished.count(), time.monotonic()
        with tqdm(total=left, desc="Processing", unit="photo", disable=None) as bar:
            while left and time.monotonic() - moved_at < PATIENCE_SECONDS:
                # A running worker may be at the same photos: whoever claims one first has it.
                if claim := claim_next_photo(event.photos.all()):
                    process_claimed_photo(claim)
                    for photo in event.photos.filter(pk=claim.photo.pk, state=Photo.State.FAILED):
                        listed.add_failed(photo)
                else:
                    # The others wait for their next attempt, are in a worker's hands, or were in a dead one's.
                    time.sleep(POLL_SECONDS)
                    sweep()
                before, left = left, unfinished.count()
                if left < before:
                    bar.update(before - left)
                    moved_at = time.monotonic()

    def _report(self, event: Event, outcomes: Counter[str], listed: RefusedList, *, processed: bool) -> None:
        self.stdout.write(
            f"{event.name}: {outcomes['added']} photos added, {outcomes['duplicate']} were there already, "
            f"{outcomes['refused']} refused."
        )
        for photo in event.photos.filter(state=Photo.State.FAILED):
            listed.add_failed(photo)
        if processed:
            faces = Face.objects.filter(photo__event=event)
            named = faces.filter(sighting__isnull=False).count()
            states = Counter(event.photos.values_list("state", flat=True))
            waiting = states["queued"] + states["processing"]
            self.stdout.write(
                f"{states['done']} photos processed, {states['failed']} failed, {waiting} still waiting; "
                f"{faces.count()} faces, {named} named, {faces.filter(unlabeled__reviewed=False).count()} for the queue."
            )
            if waiting:
                told = event.photos.filter(state=Photo.State.QUEUED).exclude(failure_reason="").first()
                if told is not None:
                    self.stdout.write(f"Why they wait: {told.failure_reason}")
                self.stdout.write(f"The worker takes those that wait (`manage.py run_worker`). {_AGAIN}")


@contextmanager
def _open_refused(path: Path) -> Iterator[RefusedList]:
    """Opened before any work is done: hours later it would be too late to learn that the list cannot be written."""
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written ({error.strerror}). Name another file with --refused."
        ) from error
    with file:
        yield RefusedList(file)


def _files(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Regular files; hidden ones, links and what is no file at all (a FIFO would block) are passed over."""
    for path in folder.rglob("*") if recursive else folder.iterdir():
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and not path.is_symlink() and path.is_file():
            yield path


def _checked_name(name: str) -> str:
    name = clean_name(name)
    if not name or len(name) > 120:
        raise CommandError("An event's name has 1 to 120 characters.")
    return name


def _event_named(name: str) -> Event:
    return Event.objects.filter(name__iexact=name).first() or create_event(
        name=name, held_on=None, place="", user=None
    )
