"""A list of people as spreadsheets save it: bytes into checked rows, each with its number or the reason against it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from recognition.text import clean_name, fold

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 20_000
_NAME_LENGTH, _ID_LENGTH, _ALIASES, _PORTRAITS = 120, 60, 20, 50
_COLUMNS = {
    "name": "name",
    "aliases": "aliases",
    "other names": "aliases",
    "external id": "external_id",
    "portraits": "portraits",
    "portrait": "portraits",
    "portrait folder": "portraits",
}
# What a spreadsheet would run; and its trick to keep the zeros of a number, which is none.
_FORMULA = ("=", "+", "-", "@")
_FORMULA_WORDS = "“{}” is a formula or begins like one. Write the text itself."
_AS_TEXT = re.compile(r'="([^"]*)"')
_SHORTENED = re.compile(r"\d+([.,]\d+)?[eE]\+\d+")
# The apostrophe by which a list that came from here, or a spreadsheet, says that what follows is text.
_MARKED = re.compile(r"'(?='*(?:[-=+@＝＋－＠]|\d+(?:[.,]\d+)?[eE]\+\d+$))")  # noqa: RUF001 - their full-width forms
_ALIAS_PARTS = re.compile(r"((?:\\[\\;]|[^;])*)(?:;|$)")


class ListRefused(Exception):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person of the list. `number` is the row's in the spreadsheet, the header's is 1."""

    number: int
    name: str
    external_id: str
    aliases: tuple[str, ...] = ()
    portraits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BadRow:
    number: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleList:
    rows: list[PersonRow]
    bad: list[BadRow]
    unread: list[str]  # columns that mean nothing here


class _Bad(Exception):
    pass


def read_people_list(data: bytes) -> PeopleList:
    """Every row once, good or bad, in their order. Raises ListRefused."""
    table = read_table(data)
    header = next((cells for _, cells in table if any(cell.strip() for cell in cells)), None)
    if header is None:
        raise ListRefused("The list is empty. Its first row names the columns: name, external_id.")
    columns, unread = _read_header(header)
    rows: list[PersonRow] = []
    bad: list[BadRow] = []
    seen = _Seen()
    for number, cells in table:
        if not any(cell.strip() for cell in cells):
            continue
        if len(rows) + len(bad) >= MAX_ROWS:
            raise ListRefused(f"The list has more than {MAX_ROWS:,} rows. Split it and import the parts.")
        try:
            row = _read_row(number, cells, columns, len(header))
            seen.refuse_again(row)
            rows.append(row)
        except _Bad as error:
            bad.append(BadRow(number=number, message=str(error)))
    if not rows and not bad:
        raise ListRefused("The list has a header and no rows. Put one person into each row.")
    return PeopleList(rows=rows, bad=bad, unread=unread)


def read_table(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row of a CSV file with its number in the spreadsheet. Raises ListRefused, also between rows."""
    return _table(_decode(data))


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise ListRefused(
            f"The list is larger than {MAX_BYTES // 1024**2} MB. Split it and import the parts."
        )
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ListRefused("This is a workbook, not a CSV file. In the spreadsheet choose Save as, CSV UTF-8.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decode_as(data, "utf-16")
    if b"\0" in data:
        raise ListRefused("This is not a text file. Save the list as CSV and import that.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # What a spreadsheet on Windows saves as plain CSV.
        return data.decode("cp1252", errors="replace")


def _decode_as(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise ListRefused("This is not a text file. Save the list as CSV UTF-8 and import that.") from None


def _table(text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row with its number; a cell may hold line breaks, so the number is counted in rows."""
    first = text.lstrip("\r\n").split("\n", 1)[0]
    # `sep=;` as the first line is a spreadsheet's own note.
    if note := re.fullmatch(r"\s*sep=(.)\s*", first):
        delimiter, skip = note[1], 1
    else:
        delimiter, skip = max(",;\t", key=first.count), 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ListRefused(
                f"The list cannot be read after row {number} ({error}). Look for a lone quotation mark there, or save it "
                "as CSV UTF-8 again."
            ) from None
        number += 1
        if number > skip:
            yield number, cells


def _read_header(header: Sequence[str]) -> tuple[dict[str, int], list[str]]:
    columns: dict[str, int] = {}
    unread: list[str] = []
    for place, title in enumerate(header):
        known = _COLUMNS.get(fold(title.replace("_", " ")))
        if known is None:
            if clean_name(title):
                unread.append(clean_name(title)[:60])
        elif known in columns:
            raise ListRefused(f"Two columns are called {known}. Keep one of them.")
        else:
            columns[known] = place
    if "name" not in columns:
        raise ListRefused(
            "There is no column called name. The first row names the columns: name, aliases, external_id, portraits."
        )
    return columns, unread


def _read_row(number: int, cells: Sequence[str], columns: dict[str, int], width: int) -> PersonRow:
    if any(cell.strip() for cell in cells[width:]):
        raise _Bad(
            "This row has more cells than the header. Put quotation marks around cells with separators."
        )
    written = {column: cells[place] if place < len(cells) else "" for column, place in columns.items()}
    name, external_id = clean_cell(written["name"]), clean_cell(written.get("external_id", ""))
    if not name:
        raise _Bad("There is no name in this row.")
    alias_cells = _split_aliases(written.get("aliases", ""))
    aliases = list(dict.fromkeys(alias for cell in alias_cells if (alias := clean_cell(cell))))
    for cell, text in [(written["name"], name), *((alias, clean_cell(alias)) for alias in alias_cells)]:
        if text.startswith(_FORMULA) and not _is_marked(cell):
            raise _Bad(_FORMULA_WORDS.format(text[:40]))
    if refusal := refuse_external_id(external_id, marked=_is_marked(written.get("external_id", ""))):
        raise _Bad(refusal)
    if len(name) > _NAME_LENGTH or any(len(alias) > _NAME_LENGTH for alias in aliases):
        raise _Bad(f"A name has at most {_NAME_LENGTH} characters.")
    aliases = [alias for alias in aliases if fold(alias) != fold(name)]
    if len(aliases) > _ALIASES:
        raise _Bad(f"A person has at most {_ALIASES} other names.")
    portraits = _parts(clean_cell(written.get("portraits", "")))
    if len(portraits) > _PORTRAITS:
        raise _Bad(f"At most {_PORTRAITS} portraits can be named in a row. Name their folder instead.")
    return PersonRow(
        number=number,
        name=name,
        external_id=external_id,
        aliases=tuple(aliases),
        portraits=tuple(portraits),
    )


def refuse_external_id(text: str, *, marked: bool = False) -> str:
    """Why this cannot be anybody's external id; empty if it can. `marked` as text it is what it says."""
    if marked and len(text) <= _ID_LENGTH:
        return ""
    if text.startswith(_FORMULA):
        return _FORMULA_WORDS.format(text[:40])
    if _SHORTENED.fullmatch(text):
        return f"The spreadsheet shortened the external id to {text}. Format that column as text, and save again."
    return f"An external id has at most {_ID_LENGTH} characters." if len(text) > _ID_LENGTH else ""


def clean_cell(cell: str) -> str:
    if as_text := _AS_TEXT.fullmatch(cell.strip()):
        cell = as_text[1]
    return _MARKED.sub("", clean_name(cell), count=1)


def mark_cell(text: str) -> str:
    """The cell that reads back as exactly this text, and that no spreadsheet runs or shortens."""
    return f"'{text}" if _MARKED.match(f"'{text}") else text


def join_aliases(aliases: Sequence[str]) -> str:
    """One cell of several names, each readable by itself."""
    return ";".join(mark_cell(alias).replace("\\", "\\\\").replace(";", "\\;") for alias in aliases)


def _split_aliases(cell: str) -> list[str]:
    """At each semicolon that no backslash takes for a letter."""
    if as_text := _AS_TEXT.fullmatch(cell.strip()):
        cell = as_text[1]
    parts = [match[1].strip() for match in _ALIAS_PARTS.finditer(cell)]
    return [re.sub(r"\\([\\;])", r"\1", part) for part in parts if part]


def _is_marked(cell: str) -> bool:
    return _MARKED.match(clean_name(cell)) is not None


def _parts(cell: str) -> list[str]:
    return list(dict.fromkeys(part for piece in cell.split(";") if (part := piece.strip())))


class _Seen:
    """What earlier rows of the list had."""

    def __init__(self) -> None:
        self._ids: dict[str, int] = {}
        self._names: dict[str, int] = {}

    def refuse_again(self, row: PersonRow) -> None:
        if row.external_id:
            earlier, same = self._ids.setdefault(row.external_id, row.number), "external id"
        else:
            earlier, same = self._names.setdefault(fold(row.name), row.number), "name"
        if earlier != row.number:
            more = "" if row.external_id else " An external id would tell the two apart."
            raise _Bad(f"Row {earlier} has the same {same}.{more}")
