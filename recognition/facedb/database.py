"""The store's SQLite file: its three tables in, and out again. It is opened read-only, and nothing in it is trusted."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from recognition.facedb.faults import Refusal, StoreRefused

Cell = str | int | float | None
TABLES = ("persons", "sightings", "unlabeled")
_NAMES = ("lumemoria.db", "visio_memoria.db")
DEFAULT_NAME = _NAMES[0]
_KEYS = ("person_id", "id")
_PERSON: dict[str, Cell] = {"name": "", "first_seen": None, "last_seen": None, "visit_count": 0, "notes": ""}
_VISIT: dict[str, Cell] = {"person_id": None, "timestamp": None, "similarity": None, "notes": ""}
_ENTRY: dict[str, Cell] = {"image_path": None, "embedding_path": None, "timestamp": None, "reviewed": 0}
# A name or a note, not a file that somebody hid in a cell.
_MAX_TEXT = 10_000
# Reading the three tables takes a few steps per row; a view or an index that never ends is stopped.
_STEPS_AT_ONCE = 1_000_000
_MAX_STEPS = 5_000 * _STEPS_AT_ONCE
_IN_USE = ("-wal", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row under its number, the other columns by name as they were written."""

    number: int
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """`key` is what the version of the program calls a person's number; `sequences` are the last numbers it gave."""

    key: str
    people: list[Row]
    visits: list[Row]
    entries: list[Row]
    sequences: dict[str, int]
    refused: list[Refusal]


def find_database(folder: Path) -> Path:
    """The one SQLite file of the folder that has the three tables. Raises StoreRefused."""
    files = [path for path in sorted(folder.glob("*.db")) if path.is_file() and not path.is_symlink()]
    found = [path for path in files if _has_tables(path)]
    if not found:
        raise StoreRefused(
            f"{folder} holds no SQLite file with the tables {', '.join(TABLES)}. Name the folder that the program calls "
            f"its db_path, with {' or '.join(_NAMES)} in it."
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise StoreRefused(
            f"{folder} holds several stores: {names}. Copy the folder and leave the one that counts."
        )
    return found[0]


def read_tables(path: Path) -> Tables:
    """All rows, in the order of their numbers. Raises StoreRefused."""
    refused: list[Refusal] = []
    try:
        with closing(_open(path)) as database:
            key = _key_of(database)
            return Tables(
                key=key,
                people=list(_rows(database, "persons", key, _PERSON, refused)),
                visits=list(_rows(database, "sightings", "id", _VISIT, refused)),
                entries=list(_rows(database, "unlabeled", "id", _ENTRY, refused)),
                sequences=_sequences(database),
                refused=refused,
            )
    except (sqlite3.Error, MemoryError) as error:
        raise StoreRefused(
            f"{path.name} cannot be read as SQLite ({error}). Check it with `sqlite3 FILE 'PRAGMA integrity_check'`, or take "
            "a backup of it."
        ) from error


def write_tables(path: Path, tables: Tables) -> None:
    """A new SQLite file with these rows."""
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_schema(tables.key))
        for table, key, columns, rows in (
            ("persons", tables.key, _PERSON, tables.people),
            ("sightings", "id", _VISIT, tables.visits),
            ("unlabeled", "id", _ENTRY, tables.entries),
        ):
            names = [key, *columns]
            marks = ", ".join("?" * len(names))
            database.executemany(
                f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - our own words
                (
                    [row.number, *(row.cells.get(name, default) for name, default in columns.items())]
                    for row in rows
                ),
            )
        for table, last in sorted(tables.sequences.items()):
            if not database.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table)
            ).rowcount:
                database.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))
        database.commit()


def _has_tables(path: Path) -> bool:
    in_use = [path.name + end for end in _IN_USE if _is_filled(path.with_name(path.name + end))]
    if in_use:
        raise StoreRefused(
            f"{path.name} is in use, or was not closed cleanly ({', '.join(in_use)} lies beside it). Close the program, "
            f"then run `sqlite3 {path.name} 'PRAGMA wal_checkpoint(TRUNCATE)'` on a copy of the folder and import that."
        )
    try:
        with closing(_open(path)) as database:
            # Views and virtual tables run what their maker wrote; only plain tables are read.
            rows = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0")
            return {name for (name,) in rows} >= set(TABLES)
    except sqlite3.Error:
        return False


def _is_filled(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _open(path: Path) -> sqlite3.Connection:
    # immutable: not even a lock file is made beside somebody else's store.
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    database = sqlite3.connect(address, uri=True)
    database.text_factory = _decode
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON", "mmap_size = 0"):
        database.execute(f"PRAGMA {pragma}")
    steps = 0

    def stop_endless() -> int:
        nonlocal steps
        steps += _STEPS_AT_ONCE
        return int(steps > _MAX_STEPS)

    database.set_progress_handler(stop_endless, _STEPS_AT_ONCE)
    return database


def _decode(data: bytes) -> str | bytes:
    """Text that is none stays bytes, which no cell may be: its row is refused instead of the whole file."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data


def _key_of(database: sqlite3.Connection) -> str:
    columns = _columns(database, "persons")
    for key in _KEYS:
        if key in columns and "name" in columns:
            return key
    raise StoreRefused(
        f"The table persons has the columns {', '.join(sorted(columns))}: person_id and name are missing."
    )


def _columns(database: sqlite3.Connection, table: str) -> set[str]:
    # hidden: generated columns would run what their maker wrote.
    rows = database.execute(f"SELECT name FROM pragma_table_xinfo('{table}') WHERE hidden = 0")  # noqa: S608 - our own words
    return {str(name) for (name,) in rows}


def _rows(
    database: sqlite3.Connection, table: str, key: str, columns: dict[str, Cell], refused: list[Refusal]
) -> Iterator[Row]:
    here = _columns(database, table)
    if key not in here:
        raise StoreRefused(f"The table {table} has no column {key}.")
    names = [name for name in columns if name in here]
    statement = f"SELECT {', '.join([key, *names])} FROM {table} ORDER BY {key}"  # noqa: S608 - our own words
    seen: set[int] = set()
    for number, *values in database.execute(statement):
        fault = "its number is none" if not isinstance(number, int) or number < 0 else ""
        fault = fault or ("its number is there twice" if number in seen else "")
        fault = fault or next(filter(None, map(_fault_of, values)), "")
        if fault:
            refused.append(
                Refusal(what=f"{table} row {str(number)[:40]}", code="bad_row", message=f"Not read: {fault}.")
            )
            continue
        seen.add(number)
        yield Row(number=number, cells=columns | dict(zip(names, values, strict=True)))


def _fault_of(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isfinite(value) else "a number is infinite"
    if isinstance(value, str):
        if "\0" in value or len(value) > _MAX_TEXT:
            return "a text is too long, or no text"
        return ""
    return "" if value is None or isinstance(value, int) else "a cell holds bytes instead of text"


def _sequences(database: sqlite3.Connection) -> dict[str, int]:
    found = database.execute(
        "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence' AND rootpage > 0"
    ).fetchone()
    if found is None:
        return {}
    rows = database.execute("SELECT name, seq FROM sqlite_sequence").fetchall()
    return {str(name): seq for name, seq in rows if name in TABLES and isinstance(seq, int) and seq >= 0}


def _schema(key: str) -> str:
    return f"""
        CREATE TABLE persons ({key} INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, first_seen TEXT,
            last_seen TEXT, visit_count INTEGER DEFAULT 0, notes TEXT DEFAULT '');
        CREATE TABLE sightings (id INTEGER PRIMARY KEY AUTOINCREMENT, person_id INTEGER, timestamp TEXT,
            similarity REAL, notes TEXT DEFAULT '');
        CREATE TABLE unlabeled (id INTEGER PRIMARY KEY AUTOINCREMENT, image_path TEXT, embedding_path TEXT,
            timestamp TEXT, reviewed INTEGER DEFAULT 0);
    """
