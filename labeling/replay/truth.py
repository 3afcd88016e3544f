"""A truth file: who stands where on the photos beside it. Read as it comes from strangers: whatever is wrong is said with its line."""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from recognition.geometry import Box

COLUMNS = ("photo", "identity", "x", "y", "width", "height")
_LONGEST_NAME = 120  # of a person
_LARGEST_PIXEL = 1_000_000
_MOST_ROWS = 1_000_000


class TruthRefused(ValueError):
    """The truth cannot be used; the message says where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """The region of a photo where one identity stands: the pasted portrait, not the face alone."""

    identity: str
    box: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """`portraits` by the name of the photo, which lies in `folder`."""

    folder: Path
    portraits: Mapping[str, list[Portrait]]

    @property
    def identities(self) -> set[str]:
        return {portrait.identity for several in self.portraits.values() for portrait in several}

    @property
    def faces(self) -> int:
        return sum(len(several) for several in self.portraits.values())


def read_truth(path: Path) -> Truth:
    """Read the file and look for its photos. Raises TruthRefused."""
    portraits: defaultdict[str, list[Portrait]] = defaultdict(list)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for line, row in _rows(file, path):
                portraits[_photo(row, path, line)].append(_portrait(row, path, line))
    except OSError as error:
        raise TruthRefused(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise TruthRefused(f"{path} is no text in UTF-8.") from error
    except csv.Error as error:
        raise TruthRefused(f"{path} is no CSV file ({error}).") from error
    if not portraits:
        raise TruthRefused(f"{path} lists nobody.")
    missing = sorted(name for name in portraits if not (path.parent / name).is_file())
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise TruthRefused(
            f"{len(missing)} photos of {path} do not lie beside it: {', '.join(missing[:3])}{more}."
        )
    return Truth(folder=path.parent, portraits=dict(portraits))


def _rows(file: Iterator[str], path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(file, strict=True)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
    if missing:
        raise TruthRefused(f"{path} lacks the columns {', '.join(missing)}; it needs {','.join(COLUMNS)}.")
    for number, row in enumerate(reader, start=1):
        if number > _MOST_ROWS:
            raise TruthRefused(f"{path} has more than {_MOST_ROWS:,} rows.")
        if any(row[column] is None for column in COLUMNS):
            raise TruthRefused(f"{path}, line {reader.line_num}: a row has too few columns.")
        yield reader.line_num, {column: row[column].strip() for column in COLUMNS}


def _photo(row: Mapping[str, str], path: Path, line: int) -> str:
    name = row["photo"]
    # The photos lie beside the file: a path would have any file of this machine read.
    if not name or "\0" in name or name in {".", ".."} or Path(name).name != name:
        raise TruthRefused(f"{path}, line {line}: {name!r} is not the name of a file beside it.")
    return name


def _portrait(row: Mapping[str, str], path: Path, line: int) -> Portrait:
    identity = row["identity"]
    if not identity or len(identity) > _LONGEST_NAME or not identity.isprintable():
        raise TruthRefused(f"{path}, line {line}: an identity has 1 to {_LONGEST_NAME} visible characters.")
    left, top, width, height = (_number(row, column, path, line) for column in COLUMNS[2:])
    if width <= 0 or height <= 0:
        raise TruthRefused(f"{path}, line {line}: width and height must be more than 0.")
    return Portrait(identity=identity, box=Box(left, top, left + width, top + height))


def _number(row: Mapping[str, str], column: str, path: Path, line: int) -> float:
    try:
        number = float(row[column])
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or abs(number) > _LARGEST_PIXEL:
        raise TruthRefused(f"{path}, line {line}: {column} is no number of pixels.")
    return number
