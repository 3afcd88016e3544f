"""The rows of the files put together by face id, in a scratch database of its own: a million of them need no memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from tempfile import NamedTemporaryFile

from recognition.embedding_files.columns import BadRow, Columns
from recognition.embedding_files.csv_text import CsvText
from recognition.geometry import Box
from recognition.storage import scratch_folder

_ID_LENGTH = 200
_SCHEMA = """
CREATE TABLE entry (
    face_id TEXT PRIMARY KEY, row INTEGER UNIQUE, at INTEGER UNIQUE, index_text TEXT, metadata_text TEXT,
    image TEXT NOT NULL DEFAULT '', crop TEXT NOT NULL DEFAULT '', score REAL,
    "left" REAL, top REAL, "right" REAL, bottom REAL, problem TEXT NOT NULL DEFAULT '',
    photo TEXT GENERATED ALWAYS AS (CASE WHEN "left" IS NULL THEN '' ELSE image END)
) WITHOUT ROWID
"""
_ORDER = "CREATE INDEX entry_order ON entry (photo, row, at)"
_SELECT = """
SELECT face_id, row, at, index_text, metadata_text, image, crop, score, "left", top, "right", bottom, photo
FROM entry WHERE problem = '' ORDER BY photo, row, at
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One face of the files. `row` is its vector's, none without; `at` its place in the metadata, none without.

    Faces of one `photo` are on it together; one without is alone, since nobody knows its place on any.
    """

    face_id: str
    row: int | None
    at: int | None
    index_text: str
    metadata_text: str
    image: str
    crop: str
    score: float | None
    box: Box | None
    photo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    faces: int
    vectors: int
    without_vector: int
    without_metadata: int
    with_crop: int
    images: int


class Workbench:
    """`refuse` hears of rows that are left out: a face id or place, a code, what is wrong."""

    def __init__(self, database: sqlite3.Connection, refuse: Callable[[str, str, str], None]) -> None:
        self._database = database
        self._refuse = refuse
        database.execute(_SCHEMA)

    def add_index(self, index: CsvText, column: int, *, rows: int) -> int:
        """The ids of the vectors, in their order; returns how many records there are."""
        number = -1
        for number, record in enumerate(index):
            if number >= rows:
                continue
            face_id = record.cells[column].strip() if column < len(record.cells) else ""
            if problem := _id_problem(face_id):
                self._refuse(f"index row {number + 1}", "bad_id", problem)
                continue
            added = self._database.execute(
                "INSERT INTO entry (face_id, row, index_text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (face_id, number, record.text),
            )
            if not added.rowcount:
                self._refuse(
                    face_id, "id_twice", f"Row {number + 1} of the index has an id that was there before."
                )
        return number + 1

    def add_metadata(self, metadata: CsvText, columns: Columns) -> None:
        for number, record in enumerate(metadata):
            try:
                row = columns.read(record.cells)
            except BadRow as error:
                self._refuse_row(record.cells, columns, number, str(error))
                continue
            if problem := _id_problem(row.face_id):
                self._refuse(f"metadata row {number + 1}", "bad_id", problem)
                continue
            box = row.box
            corners = (None,) * 4 if box is None else (box.left, box.top, box.right, box.bottom)
            said = (number, record.text, row.image, row.crop, row.score, *corners)
            found = self._database.execute(
                'UPDATE entry SET at=?, metadata_text=?, image=?, crop=?, score=?, "left"=?, top=?, "right"=?, bottom=? '
                "WHERE face_id=? AND at IS NULL",
                (*said, row.face_id),
            )
            if found.rowcount:
                continue
            added = self._database.execute(
                'INSERT INTO entry (at, metadata_text, image, crop, score, "left", top, "right", bottom, face_id) '
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*said, row.face_id),
            )
            if not added.rowcount:
                message = f"Row {number + 1} of the metadata has an id that was there before."
                self._refuse(row.face_id, "id_twice", message)

    def count(self) -> Counts:
        row = self._database.execute(
            "SELECT count(*), count(row), count(*) - count(row), count(*) - count(at), sum(crop <> ''), "
            "count(DISTINCT nullif(image, '')) FROM entry WHERE problem = ''"
        ).fetchone()
        faces, vectors, without_vector, without_metadata, with_crop, images = row
        return Counts(
            faces=faces,
            vectors=vectors,
            without_vector=without_vector,
            without_metadata=without_metadata,
            with_crop=with_crop or 0,
            images=images,
        )

    def entries(self) -> Iterator[Entry]:
        """Those that are not refused, photo by photo."""
        self._database.execute(_ORDER)
        for face_id, row, at, index, metadata, image, crop, score, *corners, photo in self._database.execute(
            _SELECT
        ):
            yield Entry(
                face_id=face_id,
                row=row,
                at=at,
                index_text=index or "",
                metadata_text=metadata or "",
                image=image,
                crop=crop,
                score=score,
                box=None if corners[0] is None else Box(*corners),
                photo=photo,
            )

    def _refuse_row(self, cells: list[str], columns: Columns, number: int, problem: str) -> None:
        """Its vector is left out, too: nobody knows what the row wanted to say of it."""
        try:
            face_id = columns.face_id(cells)
        except IndexError:
            face_id = ""
        self._refuse(
            face_id or f"metadata row {number + 1}",
            "bad_row",
            f"Row {number + 1} of the metadata: {problem}.",
        )
        self._database.execute(
            "UPDATE entry SET problem='bad_row' WHERE face_id=? AND at IS NULL", (face_id,)
        )


@contextmanager
def open_workbench(refuse: Callable[[str, str, str], None]) -> Iterator[Workbench]:
    with NamedTemporaryFile(dir=scratch_folder(), suffix=".part") as file:
        database = sqlite3.connect(file.name, isolation_level=None)
        with closing(database):
            # Nothing of it outlives the command, so nothing of it must survive a power cut.
            database.execute("PRAGMA journal_mode=OFF")
            database.execute("PRAGMA synchronous=OFF")
            database.execute("PRAGMA temp_store=FILE")
            database.execute("BEGIN")
            yield Workbench(database, refuse)


def _id_problem(face_id: str) -> str:
    if not face_id:
        return "It has no face_id."
    if len(face_id) > _ID_LENGTH or not face_id.isprintable():
        return f"Its face_id is longer than {_ID_LENGTH} characters, or holds some that cannot be printed."
    return ""
