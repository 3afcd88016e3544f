"""A roster as spreadsheets save it: bytes into external ids, or every line that is wrong and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from recognition.people.csv_rows import BadRow, ListRefused, clean_cell, read_table, refuse_external_id
from recognition.text import fold

MAX_ENTRIES = 20_000
_COLUMN = "external id"
_SAME = frozenset({_COLUMN, "externalid", "student id", "student number", "matriculation number"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterList:
    """`repeated` ids came more than once and are in it once."""

    external_ids: list[str]
    repeated: int


class RosterRefused(Exception):
    """Nothing of the list was taken; `bad` are the lines that are wrong, none where it is the list as a whole."""

    def __init__(self, message: str, bad: Sequence[BadRow] = ()) -> None:
        super().__init__(message)
        self.bad = list(bad)


def read_roster_list(data: bytes) -> RosterList:
    """One column with or without a header, or the column of a larger table that is called external_id. Raises RosterRefused."""
    try:
        filled = (row for row in read_table(data) if any(cell.strip() for cell in row[1]))
        # Of a file with millions of short lines no more is kept than tells that it is too long.
        rows = list(islice(filled, MAX_ENTRIES + 2))
    except ListRefused as refused:
        raise RosterRefused(str(refused)) from refused
    if not rows:
        raise RosterRefused("The list is empty. Put one external id into each row.")
    column = _find_column(rows[0][1])
    if column is None and any(cell.strip() for _, cells in rows for cell in cells[1:]):
        raise RosterRefused(
            "No column is called external_id. Give the column that name in the first row, or upload a list of that "
            "column alone."
        )
    listed = rows if column is None else rows[1:]
    if not listed:
        raise RosterRefused("The list has a header and no rows. Put one external id into each row.")
    if len(listed) > MAX_ENTRIES:
        raise RosterRefused(f"The list has more than {MAX_ENTRIES:,} rows. A roster holds no more.")
    return _read_ids(listed, column or 0)


def _find_column(header: Sequence[str]) -> int | None:
    places = [place for place, title in enumerate(header) if fold(title.replace("_", " ")) in _SAME]
    exact = [place for place in places if fold(header[place].replace("_", " ")) == _COLUMN]
    if len(exact) > 1 or len(places) > 1 > len(exact):
        raise RosterRefused("Two columns may be the external id. Call one of them external_id.")
    return next(iter(exact or places), None)


def _read_ids(rows: Sequence[tuple[int, list[str]]], column: int) -> RosterList:
    found: dict[str, None] = {}
    bad: list[BadRow] = []
    for number, cells in rows:
        external_id = clean_cell(cells[column]) if column < len(cells) else ""
        refusal = refuse_external_id(external_id) if external_id else "There is no external id in this row."
        if refusal:
            bad.append(BadRow(number=number, message=refusal))
        else:
            found[external_id] = None
    if bad:
        rest = "1 row cannot" if len(bad) == 1 else f"{len(bad):,} rows cannot"
        raise RosterRefused(
            f"{rest} be read, so nothing was changed. Correct the list, and upload it again.", bad
        )
    return RosterList(external_ids=list(found), repeated=len(rows) - len(found))
