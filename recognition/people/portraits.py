"""Portraits beside a list of people: the files of a folder, an archive or an upload, and whose each of them is."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from recognition.images import PhotoRefused
from recognition.people.csv_rows import PersonRow
from recognition.uploads.archives import is_archive, open_entries

_CLUTTER = {"Thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PortraitFile:
    """One file by its path below the folder or archive: readable until the next one is asked for, or refused."""

    path: str
    file: BinaryIO | None = None
    message: str = ""


def read_folder(folder: Path) -> Iterator[PortraitFile]:
    """Regular files; what is hidden, a link, or no file at all is passed over. No path of a list is ever opened."""
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") for part in parts) or parts[-1] in _CLUTTER:
            continue
        if path.is_symlink() or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        try:
            handle = path.open("rb")
        except OSError as error:
            yield PortraitFile(path=name, message=f"The file cannot be read ({error.strerror}).")
            continue
        with handle:
            yield PortraitFile(path=name, file=handle)


def read_uploads(files: Iterable[tuple[str, BinaryIO]]) -> Iterator[PortraitFile]:
    """Pictures, and ZIP archives of pictures with their folders."""
    for name, file in files:
        if not is_archive(file):
            yield PortraitFile(path=name, file=file)
            continue
        try:
            for entry in open_entries(file, max_bytes=settings.FACEVAULT_MAX_ARCHIVE_MB * 1024 * 1024):
                message = entry.refusal.message if entry.refusal else ""
                yield PortraitFile(path=entry.path, file=entry.file, message=message)
        except PhotoRefused as refusal:
            yield PortraitFile(path=name, message=refusal.message)


class PortraitMap:
    """Whose a file is, by what the rows call it: the file, or a folder that it lies in, at any depth."""

    def __init__(self, rows: Sequence[PersonRow]) -> None:
        self._rows: defaultdict[str, list[int]] = defaultdict(list)
        self._written: dict[tuple[int, str], str] = {}
        for row in rows:
            for name in row.portraits:
                self._rows[_normal(name)].append(row.number)
                self._written[row.number, _normal(name)] = name
        self._found: set[str] = set()

    def owners_of(self, path: str) -> list[int]:
        """Numbers of the rows that name the file. An archive often holds one folder around all the others."""
        whole = _normal(path)
        for candidate in (whole, whole.partition("/")[2]):
            folder = candidate
            while folder:
                if folder in self._rows:
                    self._found.add(folder)
                    return self._rows[folder]
                folder = folder.rpartition("/")[0]
        if "/" not in whole:
            return self._by_file_name(whole)
        return []

    def missing(self) -> dict[int, list[str]]:
        """By row what no file was found for, as it is written there."""
        lost: defaultdict[int, list[str]] = defaultdict(list)
        for (number, name), written in self._written.items():
            if name not in self._found:
                lost[number].append(written)
        return lost

    def _by_file_name(self, name: str) -> list[int]:
        """Files that are uploaded one by one come without their folders; a name that two rows mean is nobody's."""
        same = [wanted for wanted in self._rows if wanted.rpartition("/")[2] == name]
        if len(same) != 1:
            return []
        self._found.add(same[0])
        return self._rows[same[0]]


def _normal(path: str) -> str:
    """However a spreadsheet or an operating system writes it: slashes, case and composed letters do not count."""
    parts = unicodedata.normalize("NFC", path).replace("\\", "/").casefold().split("/")
    return "/".join(part.strip() for part in parts if part.strip() not in {"", "."})
