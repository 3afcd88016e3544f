"""A drop folder: which of its files have stopped growing and were not taken yet. It looks by scandir and stat alone."""

from __future__ import annotations

import io
import os
import stat
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

# What uploaders, browsers, sync clients and office programs call a file that is not whole yet, or no file of anybody's.
_PARTIAL_ENDS = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart", ".swp", "~")
_PARTIAL_STARTS = (".", "~$")
_JUNK = {"thumbs.db", "desktop.ini"}
# An unmounted share is an empty folder: what was taken from it is not read again when it comes back within this time.
_REMEMBER_SECONDS = 3600.0


class FolderGone(Exception):
    """The folder cannot be listed: a share that is not mounted, or a name that is gone."""


class FileMoving(Exception):
    """The file is not what it was when it was looked at: somebody writes it, or it is gone."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file looks like without reading it; a change of either is a change of the file."""

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_size, status.st_mtime_ns)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A file that has stopped growing; `name` is its path below the folder."""

    path: Path
    name: str
    stamp: Stamp


@dataclass(slots=True)
class _Seen:
    stamp: Stamp
    since: float  # unchanged
    last: float  # there at all
    taken: bool = False


class DropFolder:
    """Remembers, per file, how it looked and since when. A restart forgets it all: adding twice reports duplicates."""

    def __init__(
        self,
        folder: Path,
        *,
        settle: float,
        recursive: bool = False,
        leave_out: Collection[Path] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder.resolve()
        self._settle = settle
        self._recursive = recursive
        self._leave_out = {os.fspath(path.resolve()) for path in leave_out}
        self._clock = clock
        self._seen: dict[str, _Seen] = {}

    def look(self) -> list[Arrival]:
        """The files that look the same for the settle time and were not taken like this, by name. Raises FolderGone."""
        now = self._clock()
        found = dict(self._scan())
        # Only after a whole listing: a share that vanishes halfway must not make us forget what was taken.
        for name in [
            name for name, seen in self._seen.items() if name not in found and self._forgets(seen, now)
        ]:
            del self._seen[name]
        ready = []
        for name, stamp in found.items():
            seen = self._seen.get(name)
            if seen is None or seen.stamp != stamp:
                self._seen[name] = _Seen(stamp, now, now)
                continue
            seen.last = now
            if not seen.taken and now - seen.since >= self._settle:
                ready.append(Arrival(self._folder / name, name, stamp))
        return sorted(ready, key=lambda arrival: arrival.name)

    def take(self, arrival: Arrival) -> None:
        """Not to be given again, unless it changes."""
        seen = self._seen.get(arrival.name)
        if seen is not None and seen.stamp == arrival.stamp:
            seen.taken = True

    def postpone(self, arrival: Arrival) -> None:
        """To be given again after another settle time."""
        if seen := self._seen.get(arrival.name):
            seen.since = self._clock()

    @staticmethod
    def _forgets(seen: _Seen, now: float) -> bool:
        return not seen.taken or now - seen.last > _REMEMBER_SECONDS

    def _scan(self) -> Iterator[tuple[str, Stamp]]:
        below = [""]
        while below:
            under = below.pop()
            try:
                with os.scandir(self._folder / under) as listing:
                    entries = [entry for entry in listing if not self._is_passed_over(entry)]
            except OSError as error:
                if not under:
                    raise FolderGone(error.strerror) from error
                continue  # a folder below that was removed meanwhile, or that nobody lets us into
            for entry in entries:
                name = f"{under}{entry.name}"
                try:
                    if entry.is_file(follow_symlinks=False):
                        yield name, Stamp.of(entry.stat(follow_symlinks=False))
                    elif self._recursive and entry.is_dir(follow_symlinks=False):
                        below.append(f"{name}/")
                except FileNotFoundError:
                    continue  # removed since the listing
                except OSError as error:
                    raise FolderGone(error.strerror) from error

    def _is_passed_over(self, entry: os.DirEntry[str]) -> bool:
        lower = entry.name.lower()
        return (
            lower.startswith(_PARTIAL_STARTS)
            or lower.endswith(_PARTIAL_ENDS)
            or lower in _JUNK
            or entry.path in self._leave_out
        )


def open_steady(arrival: Arrival) -> BinaryIO:
    """Open it for one reading; at its end, FileMoving if it changed meanwhile. Raises FileMoving also if it is another
    file already, OSError if it may not be read."""
    try:
        # Whoever owns the folder may put a link or a FIFO there between the look and now; neither is to be followed.
        descriptor = os.open(arrival.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise FileMoving from error
    file = _SteadyReader(io.FileIO(descriptor))
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or Stamp.of(status) != arrival.stamp:
        file.close()
        raise FileMoving
    file.expected = arrival.stamp
    return file


class _SteadyReader(io.BufferedReader):
    expected: Stamp

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data and size != 0 and Stamp.of(os.fstat(self.fileno())) != self.expected:
            raise FileMoving
        return data
