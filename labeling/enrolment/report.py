"""What became of a list of people: in numbers for the page, and row by row as CSV."""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from labeling.models import Enrolment, PeopleImport
from recognition.models import Person

HEADER = ("row", "name", "external_id", "outcome", "enrolled", "waiting", "refused", "what to do")
_FORMULA = ("=", "+", "-", "@")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCounts:
    """Rows by outcome, and portraits by how far they are."""

    added: int
    updated: int
    unchanged: int
    refused: int
    enrolled: int
    waiting: int
    portraits_refused: int

    @property
    def rows(self) -> int:
        return self.added + self.updated + self.unchanged + self.refused

    @property
    def portraits(self) -> int:
        return self.enrolled + self.waiting + self.portraits_refused

    @property
    def settled(self) -> int:
        return self.enrolled + self.portraits_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Something of a row that was not done; `file` is empty where it is the row itself."""

    row: int
    file: str
    message: str


def count_import(done: PeopleImport) -> ImportCounts:
    outcomes = Counter(row["outcome"] for row in done.rows)
    states = dict(
        Enrolment.objects.filter(imported=done).order_by().values_list("state").annotate(Count("pk"))
    )
    problems = sum(len(row.get("problems", ())) for row in done.rows)
    return ImportCounts(
        added=outcomes["added"],
        updated=outcomes["updated"],
        unchanged=outcomes["unchanged"],
        refused=outcomes["refused"],
        enrolled=states.get(Enrolment.State.DONE, 0),
        waiting=states.get(Enrolment.State.WAITING, 0),
        portraits_refused=states.get(Enrolment.State.REFUSED, 0) + problems,
    )


def list_refusals(done: PeopleImport) -> list[Refusal]:
    """Every sentence of a refusal, by row."""
    found = [
        Refusal(row=row["row"], file="", message=row["message"])
        for row in done.rows
        if row["outcome"] == "refused"
    ]
    found += [
        Refusal(row=row["row"], file=problem["file"], message=problem["message"])
        for row in done.rows
        for problem in row.get("problems", ())
    ]
    # One that was only tried is not saved, and has no portraits.
    refused = Enrolment.objects.filter(imported=done.pk or 0, state=Enrolment.State.REFUSED)
    found += [
        Refusal(row=row or 0, file=name, message=reason)
        for row, name, reason in refused.order_by("row", "pk").values_list("row", "photo__name", "reason")
    ]
    return sorted(found, key=lambda refusal: refusal.row)


def write_report(done: PeopleImport) -> Iterator[str]:
    """The CSV, one line per row of the list; with a mark by which spreadsheets know it is UTF-8."""
    yield "\ufeff" + _line(HEADER)
    reasons: defaultdict[int, list[str]] = defaultdict(list)
    for refusal in list_refusals(done):
        text = f"{refusal.file}: {refusal.message}" if refusal.file else refusal.message
        reasons[refusal.row].append(text)
    states: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for row, state in Enrolment.objects.filter(imported=done).order_by("pk").values_list("row", "state"):
        states[row or 0][state] += 1
    for start in range(0, len(done.rows), _AT_ONCE):
        yield from _lines(done.rows[start : start + _AT_ONCE], states, reasons)


def _lines(
    rows: Sequence[dict[str, Any]], states: dict[int, Counter[str]], reasons: dict[int, list[str]]
) -> Iterator[str]:
    people = Person.objects.in_bulk([row["person"] for row in rows if row["person"]])
    for row in rows:
        person, counts = people.get(row["person"]), states.get(row["row"], Counter())
        yield _line(
            (
                str(row["row"]),
                person.name if person else "",
                person.external_id or "" if person else "",
                row["outcome"],
                str(counts[Enrolment.State.DONE]),
                str(counts[Enrolment.State.WAITING]),
                str(counts[Enrolment.State.REFUSED] + len(row.get("problems", ()))),
                " ".join(reasons.get(row["row"], ())),
            )
        )


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO()
    # A spreadsheet would run what begins like a formula.
    csv.writer(text).writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return text.getvalue()
