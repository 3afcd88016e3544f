"""A planned store becomes people, references and queue entries, batch by batch; a killed import goes on behind its last batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognition.crash_points import crash_point
from recognition.embedders import Embedder
from recognition.facedb.database import Row
from recognition.facedb.faults import Refusal, StoreRefused
from recognition.facedb.pictures import Notes, count_names, photos_of
from recognition.facedb.plan import Plan, in_batches
from recognition.models import Event, FaceImport, ImportedFace, ImportedPerson
from recognition.outside_faces.given import Written
from recognition.outside_faces.writing import write_outside_photos
from recognition.parts import in_parts
from recognition.people.edits import create_person
from recognition.people.merged import read_kept
from recognition.text import clean_name

KIND = FaceImport.Kind.FACEDB
_PEOPLE_AT_ONCE = 200
_FACES_AT_ONCE = 100
# Measured: a person with so many visits is a row of 14 MB, read in a third of a second.
MAX_VISITS = 250_000
_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    face_import: FaceImport
    people: int
    written: Written
    refused: list[Refusal]


class ImportedElsewhere(Exception):
    """The same store was imported to another event."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"This store was imported to the event {event.name} already.")
        self.event = event


def find_import(*, event: Event, plan: Plan) -> FaceImport | None:
    """The import of this very store; raise ImportedElsewhere if it is another event's: nobody is imported twice."""
    found = _imports(plan).first()
    if found is not None and found.event_id != event.pk:
        raise ImportedElsewhere(found.event)
    return found


def check_visits(plan: Plan) -> None:
    """Raise StoreRefused for more visits than a person's row has room for."""
    for number, visits in _visits_by_person(plan).items():
        if len(visits) > MAX_VISITS:
            raise StoreRefused(
                f"Person {number} has {len(visits)} visits, more than the {MAX_VISITS} that can be kept. Remove the oldest "
                "from a copy of the store and import that."
            )


def import_store(
    *,
    event: Event,
    plan: Plan,
    embedder_id: str,
    embedder: Embedder | None = None,
    tell: Callable[[int], None] = lambda faces: None,
) -> Imported:
    """Write what is not there yet; `tell` hears of every batch how many faces are done. Not inside a transaction.

    The vectors become those of `embedder_id`; with an `embedder`, the active one, crops are embedded by it as well.
    """
    face_import = _begin(event, plan, embedder_id)
    crash_point("facedb_begun")
    people, created = _write_people(face_import, plan)
    crash_point("facedb_people_written")
    done = set(ImportedFace.objects.filter(face_import=face_import).values_list("row", flat=True))
    written, notes = Written(known=len(done)), Notes()
    tell(len(done))
    names = count_names(plan)
    for batch in in_batches(plan.faces, _FACES_AT_ONCE):
        left = sum(face.row not in done for face in batch)
        if not left:
            continue
        photos = list(photos_of(plan, batch, embedder_id, people, names, notes))
        told = write_outside_photos(face_import=face_import, photos=photos, embedder=embedder)
        written += replace(told, known=0)
        notes.refused += [
            Refusal(what=one.external_id, code=one.code, message=one.message) for one in told.refused
        ]
        crash_point("facedb_batch_written")
        tell(left)
    bare = [[row.number, row.cells] for row in [*plan.bare, *notes.bare]]
    face_import.details = {**face_import.details, "bare": bare}
    face_import.finished_at = timezone.now()
    face_import.save(update_fields=["details", "finished_at"])
    return Imported(face_import=face_import, people=created, written=written, refused=notes.refused)


def shown_name(row: Row) -> str:
    """The name as a person here may have it; the store's own text is kept beside it."""
    name = row.cells["name"]
    return clean_name(str(name) if name is not None else "")[:_NAME_LENGTH].strip() or f"Person {row.number}"


def _imports(plan: Plan) -> QuerySet[FaceImport]:
    rows = FaceImport.objects.filter(kind=KIND, fingerprint=plan.store.fingerprint, event__deleted_at=None)
    return rows.select_related("event").order_by("pk")


def _begin(event: Event, plan: Plan, embedder_id: str) -> FaceImport:
    tables = plan.store.tables
    known = {row.number for row in tables.people}
    visits = _visits_by_person(plan)
    try:
        with transaction.atomic():
            found, _ = FaceImport.objects.get_or_create(
                event=event,
                fingerprint=plan.store.fingerprint,
                defaults={
                    "kind": KIND,
                    "embedder_id": embedder_id if plan.dimension else "",
                    "faces_total": len(plan.faces),
                    "details": {
                        "database": plan.store.database.name,
                        "key": tables.key,
                        "sequences": tables.sequences,
                        "visits": [[number, visits[number]] for number in sorted(set(visits) - known)],
                    },
                },
            )
    except IntegrityError:
        found = FaceImport.objects.get(event=event, fingerprint=plan.store.fingerprint)
    return found


def _visits_by_person(plan: Plan) -> dict[int, list[list[Any]]]:
    """By the number of the person; of visits that say no number under -1."""
    found: dict[int, list[list[Any]]] = {}
    for row in plan.store.tables.visits:
        cells = row.cells
        person = cells["person_id"]
        found.setdefault(person if isinstance(person, int) else -1, []).append(
            [row.number, cells["timestamp"], cells["similarity"], cells["notes"]]
        )
    return found


def _write_people(face_import: FaceImport, plan: Plan) -> tuple[dict[int, int], int]:
    """Everybody by their number in the store, and how many are new. A namesake who is here already is somebody else."""
    visits = _visits_by_person(plan)
    rows = ImportedPerson.objects.filter(face_import=face_import)
    there = {int(number): pk for number, pk in rows.values_list("external_id", "person_id")}
    new = [row for row in plan.store.tables.people if row.number not in there]
    for part in in_parts(new, _PEOPLE_AT_ONCE):
        with transaction.atomic():
            for row in part:
                person = create_person(name=shown_name(row), shared=True)
                there[row.number] = person.pk
                ImportedPerson.objects.create(
                    face_import=face_import,
                    person=person,
                    external_id=str(row.number),
                    details={
                        "cells": row.cells,
                        "kind": plan.kinds.get(row.number),
                        "visits": visits.get(row.number, []),
                    },
                )
        crash_point("facedb_some_people_written")
    kept = read_kept()  # somebody may have merged them since a killed import made them
    return {number: kept.get(pk, pk) for number, pk in there.items()}, len(new)
