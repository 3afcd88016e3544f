"""The CSV of what a command refused: each row is in the file at once, so that a kill loses none."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError

from recognition.models import Photo
from recognition.text import clean_name


class RefusedList:
    def __init__(self, file: TextIO, *, option: str = "--refused") -> None:
        self._file = file
        self._option = option
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
                f"The list of refused files cannot be written ({error.strerror}). Name another file with {self._option}, "
                "and run the same command again: it goes on where it stopped."
            ) from error


@contextmanager
def open_refused_list(path: Path, *, option: str = "--refused") -> Iterator[RefusedList]:
    """Opened before any work is done: hours later it would be too late to learn that the list cannot be written."""
    try:
        file = path.open("w", newline="", encoding="utf-8")
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written ({error.strerror}). Name another file with {option}."
        ) from error
    with file:
        yield RefusedList(file, option=option)
