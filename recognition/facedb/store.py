"""A store as a folder: which file belongs to which row. Its paths come from another machine, so only their names count."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from recognition.facedb.database import Cell, Row, Tables, find_database, read_tables
from recognition.facedb.faults import FileRefused, Refusal, StoreRefused

EMBEDDINGS = "embeddings"
UNLABELED = "unlabeled"
_PERSON_FILE = re.compile(r"person_(\d{1,18})\.pt")
_CHUNK = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Store:
    """`people` and `entries` by number; the files of an entry lie in `unlabeled/` under the names that its row says."""

    folder: Path
    database: Path
    tables: Tables
    fingerprint: str
    refused: list[Refusal] = field(default_factory=list)

    @cached_property
    def first_seen(self) -> dict[int, Cell]:
        """Of each person, as it is written."""
        return {row.number: row.cells["first_seen"] for row in self.tables.people}

    def vectors_of(self, person: int) -> Path | None:
        """The file with the person's references; none where the store has none. Raises FileRefused."""
        return _existing(self.folder / EMBEDDINGS, person_file(person))

    def crop_of(self, entry: Row) -> Path | None:
        return _existing(self.folder / UNLABELED, name_in(entry.cells["image_path"]))

    def vector_of(self, entry: Row) -> Path | None:
        return _existing(self.folder / UNLABELED, name_in(entry.cells["embedding_path"]))


def open_store(folder: Path) -> Store:
    """Read the tables and the sums of the files. Raises StoreRefused."""
    if not folder.is_dir():
        raise StoreRefused(f"{folder} is not a folder.")
    database = find_database(folder)
    tables = read_tables(database)
    numbers = {row.number for row in tables.people}
    refused = list(tables.refused)
    for path in _files(folder / EMBEDDINGS):
        found = _PERSON_FILE.fullmatch(path.name)
        if found is None or int(found[1]) not in numbers:
            message = "No row of the table persons has this number, so nobody knows whose faces these are."
            refused.append(Refusal(what=f"{EMBEDDINGS}/{path.name}", code="no_person", message=message))
    named = {
        name_in(row.cells[column]) for row in tables.entries for column in ("image_path", "embedding_path")
    }
    for path in _files(folder / UNLABELED):
        if path.name not in named:
            message = "No row of the table unlabeled names this file."
            refused.append(Refusal(what=f"{UNLABELED}/{path.name}", code="no_row", message=message))
    return Store(
        folder=folder,
        database=database,
        tables=tables,
        fingerprint=_sum_files(folder, database),
        refused=refused,
    )


def person_file(number: int) -> str:
    return f"person_{number}.pt"


def name_in(path: object) -> str:
    """The file's name in a path of any machine; empty where there is none."""
    name = re.split(r"[\\/]", path)[-1] if isinstance(path, str) else ""
    return "" if name in {"", ".", ".."} or len(name) > 255 or "\0" in name else name


def _existing(folder: Path, name: str) -> Path | None:
    path = folder / name
    if not name or not path.is_file():
        return None
    if path.is_symlink() or folder.is_symlink():
        # What it leads to is none of the store's.
        raise FileRefused("link", "It is a link. Copy the file itself to its place.")
    return path


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if path.is_file() and not path.is_symlink() and not path.name.startswith("."):
                yield path


def _sum_files(folder: Path, database: Path) -> str:
    """What tells this store from another: its rows and files, not the index that was made of them."""
    whole = hashlib.sha256()
    for path in [database, *_files(folder / EMBEDDINGS), *_files(folder / UNLABELED)]:
        with path.open("rb") as file:
            whole.update(f"{path.name}\0{hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
