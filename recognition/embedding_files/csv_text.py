"""A CSV file record by record, each with its very text, so that it can be written back byte for byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from recognition.embedding_files import BadFiles

_BOM = "\ufeff"
# No path and no id is longer; a file without line ends must not be read into memory as one line.
_LINE_AT_MOST = 64 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record, and the text between the end of the record before and its own end."""

    cells: list[str]
    text: str


class CsvText:
    """`header` is the first record's text with a byte order mark, `names` its cells, `tail` what follows the last record."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tail = ""
        with self._open() as file:
            first = next(self._records(file), None)
        if first is None:
            raise BadFiles(f"{path.name} is empty. Its first line must name the columns.")
        self.header = first.text
        self.names = [cell.strip().lstrip(_BOM).strip().lower() for cell in first.cells]

    def __iter__(self) -> Iterator[Record]:
        """The records behind the header. Raises BadFiles where the text cannot be read."""
        with self._open() as file:
            records = self._records(file)
            next(records, None)
            yield from records

    def _open(self) -> TextIO:
        try:
            return self._path.open(encoding="utf-8", newline="")
        except OSError as error:
            raise BadFiles(f"{self._path} cannot be read ({error.strerror}).") from error

    def _records(self, file: TextIO) -> Iterator[Record]:
        seen: list[str] = []
        number = 0

        def lines() -> Iterator[str]:
            while line := file.readline(_LINE_AT_MOST):
                if len(line) == _LINE_AT_MOST and not line.endswith(("\n", "\r")):
                    raise BadFiles(f"{self._path.name} has a line that is too long after record {number}.")
                seen.append(line)
                yield line

        try:
            for cells in csv.reader(lines(), strict=True):
                if cells:
                    number += 1
                    yield Record(cells, "".join(seen))
                    seen.clear()
        except UnicodeDecodeError as error:
            raise BadFiles(f"{self._path.name} is not UTF-8 text. Save it as UTF-8.") from error
        except csv.Error as error:
            raise BadFiles(f"{self._path.name} is no CSV after record {number} ({error}).") from error
        self.tail = "".join(seen)


def read_cells(text: str) -> list[str]:
    """The cells of one record's text."""
    return next((cells for cells in csv.reader(io.StringIO(text, newline="")) if cells), [])
