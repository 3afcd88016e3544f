"""People from a list: what each row would do, decided before anything is written, and writing it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from recognition.models import Person
from recognition.people.csv_rows import PersonRow
from recognition.people.edits import ExternalIdTaken, create_person, update_person
from recognition.people.forms import ALIASES
from recognition.text import fold

Outcome = Literal["added", "updated", "unchanged", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRow:
    """A row with the person it is about; none where one is created, or where it is refused with `message`."""

    row: PersonRow
    outcome: Outcome
    person: Person | None = None
    message: str = ""


def plan_people(rows: Sequence[PersonRow]) -> list[PlannedRow]:
    """What importing these rows would do, in their order. Nothing is guessed by a name; nothing is written."""
    known = _Known()
    return [_plan(row, known) for row in rows]


def write_people(planned: Sequence[PlannedRow]) -> list[PlannedRow]:
    """Create or update the people of these rows; the rows with their people. Belongs into a transaction that holds the
    gallery's lock: whoever was merged or deleted since the plan is told apart."""
    known = [row.person.pk for row in planned if row.person is not None]
    now = Person.objects.current().in_bulk(known)
    return [_write_person(row, now) for row in planned]


def _write_person(planned: PlannedRow, now: Mapping[int, Person]) -> PlannedRow:
    row = planned.row
    if planned.outcome == "refused":
        return planned
    person: Person | None = None
    if planned.person is not None:
        person = now.get(planned.person.pk)
        if person is None:
            message = "This person was merged or deleted meanwhile. Import the list again."
            return PlannedRow(row=row, outcome="refused", message=message)
    if planned.outcome == "unchanged":
        return planned
    try:
        if person is None:
            person = create_person(
                name=row.name, external_id=row.external_id or None, aliases=row.aliases, shared=True
            )
        else:
            person = update_person(
                person=person,
                name=row.name,
                external_id=person.external_id,
                aliases=_merge_aliases(person, row),
                shared=True,
            )
    except ExternalIdTaken:
        message = "Somebody else got this external id meanwhile. Import the list again."
        return PlannedRow(row=row, outcome="refused", message=message)
    return PlannedRow(row=row, outcome=planned.outcome, person=person)


class _Known:
    """Everybody, by external id and by folded name: read once, for lists of many thousand rows."""

    def __init__(self) -> None:
        self.by_id: dict[str, Person] = {}
        self.by_name: defaultdict[str, list[Person]] = defaultdict(list)
        for person in Person.objects.select_related("merged_into").order_by("pk"):
            if person.external_id:
                self.by_id[person.external_id] = person
            if person.merged_into_id is None and person.hidden_at is None:
                self.by_name[fold(person.name)].append(person)


def _plan(row: PersonRow, known: _Known) -> PlannedRow:
    namesakes = known.by_name.get(fold(row.name), [])
    if not row.external_id:
        if namesakes:
            return _refused(
                row,
                "Somebody of this name is known already. If it is the same person, name their external id in this row and "
                "on their page; nothing is guessed.",
            )
        return PlannedRow(row=row, outcome="added")
    owner = known.by_id.get(row.external_id)
    if owner is None:
        if any(not person.external_id for person in namesakes):
            return _refused(
                row,
                "Somebody of this name is known without an external id. If it is the same person, give them this id on "
                "their page and import the list again; nothing is guessed.",
            )
        return PlannedRow(row=row, outcome="added")
    if owner.merged_into is not None:
        return _refused(row, f"This external id is of somebody who was merged into {owner.merged_into.name}.")
    if owner.hidden_at is not None:
        return _refused(
            row, "This external id is of somebody whose creation was undone. Import again tomorrow."
        )
    merged = _merge_aliases(owner, row)
    if len(merged) > ALIASES:
        return _refused(row, f"{owner.name} would have more than {ALIASES} other names.")
    same = owner.name == row.name and merged == owner.aliases
    return PlannedRow(row=row, outcome="unchanged" if same else "updated", person=owner)


def _merge_aliases(person: Person, row: PersonRow) -> list[str]:
    """The names they have, the name they had, and those of the row; each once however it is spelled."""
    merged: dict[str, str] = {}
    for alias in (*person.aliases, person.name, *row.aliases):
        if fold(alias) != fold(row.name):
            merged.setdefault(fold(alias), alias)
    return list(merged.values())


def _refused(row: PersonRow, message: str) -> PlannedRow:
    return PlannedRow(row=row, outcome="refused", message=message)
