"""The list of an export: one row per named face, for spreadsheets and mail merges."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from access.roles import User
from recognition.exports.selection import ExportScope, SelectedPhoto, read_selection
from recognition.models import Sighting

HEADER = ("photo", "face_id", "person", "external id", "similarity", "decided by")
# Spreadsheets read accents only behind a byte order mark.
_BEGINNING = b"\xef\xbb\xbf"
# A cell that begins so is a formula to a spreadsheet: a person's name must not run on the office's computer.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - their full-width forms


def stream_csv(*, user: User, scope: ExportScope) -> Iterator[bytes]:
    """The whole list, piece by piece. `photo` is the path that the same export's ZIP gives the photo."""
    yield begin_list()
    for selected in read_selection(user=user, scope=scope):
        if selected.sightings:
            yield write_rows(selected)


def begin_list() -> bytes:
    return _BEGINNING + _write([HEADER])


def write_rows(selected: SelectedPhoto) -> bytes:
    return _write([_row(selected.entry, sighting) for sighting in selected.sightings])


def _row(entry: str, sighting: Sighting) -> tuple[str, ...]:
    similarity = "" if sighting.similarity is None else f"{sighting.similarity:.4f}"
    person = sighting.person
    return (
        _defuse(entry),
        str(sighting.face.face_id),
        _defuse(person.name),
        _defuse(person.external_id or ""),
        similarity,
        sighting.get_decided_by_display(),
    )


def _defuse(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _write(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
