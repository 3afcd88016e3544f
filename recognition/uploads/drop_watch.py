"""Watching a drop folder until asked to stop: what has stopped growing is added to the event, the rest is waited for."""

from __future__ import annotations

import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from django.db import InterfaceError, OperationalError, close_old_connections

from facevault_site.logs import describe_error
from recognition.events.progress import nothing_moves
from recognition.models import Event
from recognition.uploads.adding import add_files
from recognition.uploads.drop_folder import Arrival, DropFolder, FileMoving, FolderGone, Stamp, open_steady

# A full disk or a database that is away is asked again so soon, as often as it takes.
_TROUBLE_SECONDS = 30.0
_WORKER_SECONDS = 30.0
_FULL = "The disk of the data folder is full. Make room on it; what waits in the drop folder is tried again by itself."


class EventGone(Exception):
    """The event was deleted while its folder was watched."""


class _DiskFull(Exception):
    """No room for the file in hand."""


@dataclass(kw_only=True)
class DropWatch:
    """`say` writes a line and `refuse` lists a file (name, code, what to do); neither line that is said names a file."""

    event: Event
    folder: DropFolder
    suffixes: Collection[str]
    interval: float
    move_to: Path | None
    say: Callable[[str], None]
    refuse: Callable[[str, str, str], None]
    stopping: bool = False  # a plain flag: a signal handler may set it at any moment
    _trouble: str = field(default="", init=False)
    _idle: bool = field(default=False, init=False)
    _looked_for_worker: float = field(default=0.0, init=False)
    _told: set[tuple[str, Stamp, str]] = field(default_factory=set, init=False)

    def run(self) -> None:
        """Until `stopping` is set; the file in hand is finished first. Raises EventGone; an OSError is of our own folders."""
        while not self.stopping:
            close_old_connections()  # one that the database closed overnight is opened anew
            self._pause(self.look_once())

    def look_once(self) -> float:
        """Add what is ready; returns after how many seconds to look again. Raises EventGone."""
        try:
            arrivals = self.folder.look()
        except FolderGone as error:
            self._in_trouble(f"The folder cannot be read ({error}). It is waited for.")
            return self.interval
        counts: Counter[str] = Counter()
        try:
            if arrivals and not Event.objects.filter(pk=self.event.pk, deleted_at__isnull=True).exists():
                raise EventGone
            for arrival in arrivals:
                if self.stopping:
                    break
                counts += self._add(arrival)
            # Only a file that was written tells whether the disk has room again.
            if self._trouble != _FULL or counts["added"] or counts["duplicate"]:
                self._out_of_trouble()
            self._ask_for_worker()
        except _DiskFull:
            self._in_trouble(_FULL)
            return max(self.interval, _TROUBLE_SECONDS)
        except (OperationalError, InterfaceError) as error:
            self._in_trouble(f"The database cannot be used ({describe_error(error)}). It is tried again.")
            return max(self.interval, _TROUBLE_SECONDS)
        finally:
            self._report(counts)
        return self.interval

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0 and not self.stopping:
            time.sleep(min(left, 0.2))

    def _add(self, arrival: Arrival) -> Counter[str]:
        """What became of the photos of one file."""
        counts: Counter[str] = Counter()
        if arrival.path.suffix.lower() not in self.suffixes:
            return self._refused(
                arrival, "unsupported_format", "Save it as JPEG, PNG or WebP and put it here again."
            )
        try:
            file = open_steady(arrival)
        except FileMoving:
            return counts
        except OSError as error:
            self.folder.postpone(arrival)
            return self._refused(
                arrival, "unreadable", f"The file cannot be read ({error.strerror}). Check who may."
            )
        again = refused = False
        with file:
            try:
                for result in add_files(event=self.event, files=[(arrival.name, file)]):
                    if result.code == "no_space":
                        raise _DiskFull
                    if result.code == "event_gone":
                        raise EventGone
                    again |= result.code == "unreadable"
                    if result.outcome == "refused":
                        refused = True
                        counts += self._refused(arrival, result.code, result.message, name=result.name)
                    else:
                        counts[result.outcome] += 1
                    if self.stopping and arrival.path.suffix.lower() == ".zip":
                        return counts  # the rest of it comes with the next start
            except FileMoving:
                return counts
        if again:
            self.folder.postpone(arrival)
        else:
            self.folder.take(arrival)
            if self.move_to is not None and not refused:
                self._move(arrival, self.move_to)
        return counts

    def _move(self, arrival: Arrival, target: Path) -> None:
        try:
            _move(arrival, target)
        except OSError as error:
            self.say(f"A file that was added cannot be moved away ({error.strerror}). It stays where it is.")

    def _refused(self, arrival: Arrival, code: str, reason: str, *, name: str = "") -> Counter[str]:
        """Listed once, as long as the file stays as it is."""
        if code == "unsupported_format":
            self.folder.take(arrival)
        name = name or arrival.name
        if (name, arrival.stamp, code) in self._told:
            return Counter()
        self._told.add((name, arrival.stamp, code))
        self.refuse(name, code, reason)
        return Counter(refused=1)

    def _report(self, counts: Counter[str]) -> None:
        if counts.total():
            self.say(
                f"{counts['added']} photos added, {counts['duplicate']} were there already, {counts['refused']} refused."
            )

    def _ask_for_worker(self) -> None:
        if time.monotonic() - self._looked_for_worker < _WORKER_SECONDS:
            return
        self._looked_for_worker = time.monotonic()
        idle = nothing_moves()
        if idle and not self._idle:
            self.say("Photos wait and no worker processes them. Start one: `manage.py run_worker`.")
        self._idle = idle

    def _in_trouble(self, line: str) -> None:
        """Each trouble is told once, however long it lasts."""
        if line != self._trouble:
            self.say(line)
        self._trouble = line

    def _out_of_trouble(self) -> None:
        if self._trouble:
            self.say("It goes on.")
        self._trouble = ""


@contextmanager
def stopped_by_signals(watch: DropWatch) -> Iterator[None]:
    """SIGTERM, Ctrl-C and a closed terminal: the file in hand is finished, and the end is a clean one."""

    def ask(signum: int, frame: FrameType | None) -> None:
        watch.stopping = True

    signums = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {signum: signal.signal(signum, ask) for signum in signums}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _move(arrival: Arrival, target: Path) -> None:
    """Out of the way, under a name that is free there; not what was put in its place meanwhile."""
    if Stamp.of(arrival.path.lstat()) != arrival.stamp:
        return
    wanted = target / arrival.name
    wanted.parent.mkdir(parents=True, exist_ok=True)
    free, number = wanted, 1
    while free.exists():
        number += 1
        free = wanted.with_stem(f"{wanted.stem} ({number})")
    shutil.move(arrival.path, free)
