"""Add a folder of photos to an event and process them here, with a bar; run again, it goes on where it stopped."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from recognition.leases import claim_next
from recognition.management.commands.run_worker import load_models
from recognition.management.event_named import check_event_name, event_named
from recognition.management.refused_list import RefusedList, open_refused_list
from recognition.models import Event, Face, Photo
from recognition.processing import sweep
from recognition.uploads.adding import add_files
from recognition.uploads.drop_folder import DropFolder
from recognition.uploads.drop_watch import DropWatch, EventGone, stopped_by_signals

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".heic", ".heif", ".zip"}
POLL_SECONDS = 1.0
# When no photo gets done for so long (a full disk, a worker that hangs), the rest is reported as waiting. It is longer
# than a dead process's lease and than every pause between two attempts.
PATIENCE_SECONDS = 300.0
EVENT_GONE = 3  # exit status
_AGAIN = "Run the same command again: it goes on where it stopped."


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
        watch = parser.add_argument_group("a drop folder")
        watch.add_argument(
            "--watch",
            action="store_true",
            help="keep running, and add each file once it has stopped growing; a running worker processes them",
        )
        watch.add_argument(
            "--settle",
            type=_seconds,
            default=3.0,
            metavar="SECONDS",
            help="a file that looks the same for so long is whole (3)",
        )
        watch.add_argument(
            "--interval", type=_seconds, default=2.0, metavar="SECONDS", help="pause between two looks (2)"
        )
        watch.add_argument(
            "--move-to", type=Path, metavar="DIR", help="where files go once they are added; else they stay"
        )

    def handle(
        self,
        *args: Any,
        folder: Path,
        event: str,
        recursive: bool,
        no_process: bool,
        refused: Path,
        watch: bool,
        settle: float,
        interval: float,
        move_to: Path | None,
        **options: Any,
    ) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder.")
        if watch:
            leave_out = [refused] if move_to is None else [refused, move_to]
            drop = DropFolder(folder, settle=settle, recursive=recursive, leave_out=leave_out)
            with open_refused_list(refused) as listed:
                self._watch(
                    event_named(check_event_name(event)), drop, listed, interval=interval, move_to=move_to
                )
            return
        files = sorted(_files(folder, recursive=recursive))
        if not any(path.suffix.lower() in SUFFIXES for path in files):
            raise CommandError(
                f"No JPEG, PNG or WebP files in {folder}{'' if recursive else ' (try --recursive)'}."
            )
        name = check_event_name(event)
        with open_refused_list(refused) as listed:
            try:
                row = event_named(name)
                outcomes = self._add(row, folder, files, listed)
                if not no_process:
                    self._process(row, listed)
                self._report(row, outcomes, listed, processed=not no_process)
            except KeyboardInterrupt:
                raise CommandError(f"Stopped. {_AGAIN}", returncode=130) from None
        if listed.count:
            self.stdout.write(f"What was refused and why: {refused}")

    def _watch(
        self, event: Event, drop: DropFolder, listed: RefusedList, *, interval: float, move_to: Path | None
    ) -> None:
        watch = DropWatch(
            event=event,
            folder=drop,
            suffixes=SUFFIXES,
            interval=interval,
            move_to=move_to,
            say=self._say,
            refuse=listed.add,
        )
        with stopped_by_signals(watch):
            self._say("Watching. A running worker processes what is added. Ctrl-C or SIGTERM stops it.")
            try:
                watch.run()
            except EventGone:
                # Not to be made again by a supervisor's restart: whoever deleted it meant the photos, too.
                raise CommandError(
                    "The event was deleted. To go on with another one, start again with its --event.",
                    returncode=EVENT_GONE,
                ) from None
            except OSError as error:
                raise _data_folder_fault(error) from error
        self._say("Stopped.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

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
                        raise _data_folder_fault(error) from error
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
                if claim := claim_next(event.photos.all()):
                    process_claimed_photo(claim)
                    for photo in event.photos.filter(pk=claim.row.pk, state=Photo.State.FAILED):
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


def _data_folder_fault(error: OSError) -> CommandError:
    return CommandError(
        f"The data folder {settings.FACEVAULT_DATA} cannot be written ({error.strerror}). Check its disk and who owns "
        f"it. {_AGAIN}"
    )


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 3600:
        raise ValueError
    return seconds


def _files(folder: Path, *, recursive: bool) -> Iterator[Path]:
    """Regular files; hidden ones, links and what is no file at all (a FIFO would block) are passed over."""
    for path in folder.rglob("*") if recursive else folder.iterdir():
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and not path.is_symlink() and path.is_file():
            yield path
