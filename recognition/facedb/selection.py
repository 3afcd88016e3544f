"""What an export holds: people under the numbers that they came with, their references in order, their visits, and the queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min, QuerySet
from django.utils import timezone

from recognition.facedb.database import Cell, Row
from recognition.facedb.importing import KIND, shown_name
from recognition.facedb.store import UNLABELED
from recognition.facedb.tensors import Kind
from recognition.models import Event, Face, FaceImport, ImportedPerson, Person, Sighting
from recognition.people.merged import read_kept

_AT_ONCE = 2000
_FILE_TIME = "%Y-%m-%d_%H-%M-%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The faces of one import, of one event, or all; and of which embedder their vectors are."""

    embedder_id: str
    event: Event | None = None
    face_import: FaceImport | None = None

    def faces(self) -> QuerySet[Face]:
        rows = Face.objects.filter(photo__event__deleted_at=None)
        if self.event is not None:
            rows = rows.filter(photo__event=self.event)
        return rows if self.face_import is None else rows.filter(imported__face_import=self.face_import)

    def imports(self) -> QuerySet[FaceImport]:
        rows = FaceImport.objects.filter(kind=KIND, event__deleted_at=None).order_by("pk")
        if self.event is not None:
            rows = rows.filter(event=self.event)
        return rows if self.face_import is None else rows.filter(pk=self.face_import.pk)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedPerson:
    """`references` are primary keys of faces, in the order of the file."""

    row: Row
    kind: Kind
    visits: list[list[Any]] = field(default_factory=list)
    references: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedEntry:
    """A row of the queue, and the face that its files show; none where it had no files."""

    row: Row
    face_pk: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    key: str
    database: str
    people: list[ExportedPerson]
    entries: list[ExportedEntry]
    loose_visits: list[list[Any]]  # of people whom the store did not know: the number, then the visit
    sequences: dict[str, int]
    without_vector: int

    @property
    def references(self) -> int:
        return sum(len(person.references) for person in self.people)

    @property
    def visits(self) -> int:
        return len(self.loose_visits) + sum(len(person.visits) for person in self.people)


def select_export(scope: Scope) -> Selection:
    imports = list(scope.imports())
    details: dict[str, Any] = imports[0].details if imports else {}
    references, without = _read_references(scope)
    sequences: dict[str, int] = {}
    for one in imports:
        for table, last in one.details.get("sequences", {}).items():
            sequences[table] = max(last, sequences.get(table, 0))
    return Selection(
        key=details.get("key", "person_id"),
        database=details.get("database", ""),
        people=list(_people(scope, imports, references, sequences.get("persons", 0))),
        entries=_entries(scope, imports, sequences.get("unlabeled", 0)),
        loose_visits=[
            [number if number >= 0 else None, visit]
            for one in imports
            for number, visits in one.details.get("visits", [])
            for visit in visits
        ],
        sequences=sequences,
        without_vector=without,
    )


def _read_references(scope: Scope) -> tuple[dict[int, list[int]], int]:
    """By person the faces that answer for them, those that came with a store first; and how many have no such vector."""
    kept = read_kept()
    rows = Sighting.objects.filter(is_reference=True, face__in=scope.faces().order_by().values("pk"))
    embedded = rows.filter(face__embeddings__embedder_id=scope.embedder_id)
    ordered = embedded.order_by(F("face__imported__row").asc(nulls_last=True), "created_at", "pk")
    found: dict[int, list[int]] = {}
    for person_pk, face_pk in ordered.values_list("person_id", "face_id").iterator(chunk_size=_AT_ONCE):
        found.setdefault(kept.get(person_pk, person_pk), []).append(face_pk)
    return found, rows.count() - sum(map(len, found.values()))


def _people(
    scope: Scope, imports: list[FaceImport], references: dict[int, list[int]], last: int
) -> Iterator[ExportedPerson]:
    """First those who came with a store; somebody who was merged into somebody else leaves their visits to them."""
    kept = read_kept()
    found: dict[int, ExportedPerson] = {}
    numbers: set[int] = set()
    late: list[tuple[int, ImportedPerson]] = []
    rows = ImportedPerson.objects.filter(face_import__in=imports).order_by("face_import", "pk")
    for row in rows.select_related("person").iterator(chunk_size=200):
        pk, number = kept.get(row.person_id, row.person_id), int(row.external_id)
        if pk in found:
            found[pk] = _joined(found[pk], row)
        elif number in numbers:
            late.append((pk, row))
        else:
            numbers.add(number)
            found[pk] = _imported_person(number, row)
    last = max(last, max(numbers, default=0))
    for pk, row in late:
        last += 1
        found[pk] = _joined(found[pk], row) if pk in found else _imported_person(last, row)
    names = dict(Person.objects.filter(hidden_at=None, merged_into=None).values_list("pk", "name"))
    for pk in sorted(references.keys() - found.keys()):
        last += 1
        found[pk] = ExportedPerson(row=_new_row(scope, last, pk), kind="matrix")
    for pk, person in found.items():
        if pk not in names:
            continue
        # A name that nobody changed here goes back letter by letter.
        same = shown_name(person.row) == names[pk]
        cells = person.row.cells if same else {**person.row.cells, "name": names[pk]}
        taught = references.get(pk, [])
        # Their program takes one vector of a person for a matrix of none.
        kind = "matrix" if person.kind == "vector" and len(taught) != 1 else person.kind
        yield replace(person, row=replace(person.row, cells=cells), kind=kind, references=taught)


def _imported_person(number: int, row: ImportedPerson) -> ExportedPerson:
    details = row.details
    return ExportedPerson(
        row=Row(number=number, cells=details["cells"]),
        kind=details.get("kind") or "matrix",
        visits=list(details["visits"]),
    )


def _joined(person: ExportedPerson, row: ImportedPerson) -> ExportedPerson:
    cells, other = person.row.cells, row.details["cells"]

    def pick(name: str, choose: Any) -> Cell:
        values = [value for value in (cells[name], other[name]) if isinstance(value, str) and value]
        return choose(values) if values else None

    counts = [value for value in (cells["visit_count"], other["visit_count"]) if isinstance(value, int)]
    joined: dict[str, Cell] = {
        **cells,
        "first_seen": pick("first_seen", min),
        "last_seen": pick("last_seen", max),
        "visit_count": sum(counts),
        "notes": pick("notes", "\n".join) or "",
    }
    visits = sorted([*person.visits, *row.details["visits"]], key=lambda visit: int(visit[0]))
    return replace(person, row=replace(person.row, cells=joined), visits=visits)


def _new_row(scope: Scope, number: int, person_pk: int) -> Row:
    """Somebody who got their name here: seen on photos, which that program never counted as visits."""
    seen = Sighting.objects.filter(person=person_pk, face__in=scope.faces().order_by().values("pk"))
    told = seen.aggregate(
        first=Min("seen_at"), last=Max("seen_at"), photos=Count("face__photo", distinct=True)
    )
    return Row(
        number=number,
        cells={
            "name": Person.objects.values_list("name", flat=True).get(pk=person_pk),
            "first_seen": _local(told["first"]),
            "last_seen": _local(told["last"]),
            "visit_count": told["photos"],
            "notes": "",
        },
    )


def _entries(scope: Scope, imports: list[FaceImport], last: int) -> list[ExportedEntry]:
    """The rows that came, with what was decided here since, then whatever else is in the queue."""
    found: list[ExportedEntry] = []
    late: list[tuple[dict[str, Cell], int | None]] = []
    numbers: set[int] = set()

    def add(number: int, cells: dict[str, Cell], face_pk: int | None) -> None:
        if number in numbers:
            late.append((cells, face_pk))
        else:
            numbers.add(number)
            found.append(ExportedEntry(row=Row(number=number, cells=cells), face_pk=face_pk))

    for one in imports:
        for number, cells in one.details.get("bare", []):
            add(number, cells, None)
    came = scope.faces().filter(imported__face_import__in=imports, imported__details__has_key="entry")
    rows = came.select_related("imported", "sighting", "unlabeled").order_by("imported__row")
    for face in rows.iterator(chunk_size=_AT_ONCE):
        number, cells = face.imported.details["entry"]
        add(number, {**cells, "reviewed": _reviewed(face, cells["reviewed"])}, face.pk)
    last = max(last, max(numbers, default=0))
    here = scope.faces().filter(unlabeled__reviewed=False, embeddings__embedder_id=scope.embedder_id)
    here = here.exclude(pk__in=came.order_by().values("pk")).order_by("unlabeled__pk")
    opened = here.values_list("pk", "unlabeled__queued_at")
    added = [(_new_cells(queued_at, pk), pk) for pk, queued_at in opened.iterator(chunk_size=_AT_ONCE)]
    for number, (cells, face_pk) in enumerate([*late, *added], last + 1):
        found.append(ExportedEntry(row=Row(number=number, cells=cells), face_pk=face_pk))
    return sorted(found, key=lambda entry: entry.row.number)


def _reviewed(face: Face, before: Cell) -> Cell:
    """Whether a person has looked at it, there or here; what the machine named waits for one."""
    entry, sighting = getattr(face, "unlabeled", None), getattr(face, "sighting", None)
    here = sighting is not None and sighting.decided_by == Sighting.DecidedBy.HUMAN
    if entry is not None:
        here = here or entry.reviewed
    if before:
        return before if here or entry is None else 0
    return 1 if here else before


def _new_cells(queued_at: datetime, face_pk: int) -> dict[str, Cell]:
    stem = f"{timezone.localtime(queued_at).strftime(_FILE_TIME)}_{face_pk}"
    return {
        "image_path": f"{UNLABELED}/{stem}.png",
        "embedding_path": f"{UNLABELED}/{stem}.pt",
        "timestamp": _local(queued_at),
        "reviewed": 0,
    }


def _local(moment: datetime | None) -> str | None:
    return None if moment is None else timezone.make_naive(moment).isoformat()
