"""From planned faces to what recognition/outside_faces writes: a picture for every crop, and one for references without."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from recognition.facedb.database import Row
from recognition.facedb.faults import FileRefused, Refusal
from recognition.facedb.plan import Plan, PlannedFace, has_crop, norm_of, read_usable
from recognition.facedb.store import EMBEDDINGS, UNLABELED, name_in, person_file
from recognition.images import PhotoRefused
from recognition.outside_faces.describing import read_crop
from recognition.outside_faces.given import OutsideFace, OutsidePhoto
from recognition.parts import in_parts
from recognition.text import clean_name
from recognition.vectors import normalize

_SILHOUETTES = 100  # on one picture
# What other programs write where they know no time.
_YEARS = range(1990, 2200)


@dataclass(slots=True)
class Notes:
    """What came up on the way: what was not taken, and rows of the queue of which no file could be read."""

    refused: list[Refusal] = field(default_factory=list)
    bare: list[Row] = field(default_factory=list)


def count_names(plan: Plan) -> Counter[str]:
    """How many pictures each file name would be that of."""
    return Counter(_file_name(face) for face in plan.faces)


def photos_of(
    plan: Plan,
    batch: list[PlannedFace],
    embedder_id: str,
    people: dict[int, int],
    names: Counter[str],
    notes: Notes,
) -> Iterator[OutsidePhoto]:
    """A picture for each crop, and one for the references of a person that have none."""
    vectors: dict[int, dict[int, NDArray[np.float32]]] = {}
    hidden: dict[int, list[OutsideFace]] = {}
    for planned in batch:
        number = planned.person
        if number is not None and number not in vectors:
            vectors = {number: _read_references(plan, number, notes)}
        vector = (
            _vector_of_entry(plan, planned.entry)
            if number is None
            else vectors[number].get(planned.place if planned.place is not None else -1)
        )
        if number is not None and (vector is None or number not in people):
            continue  # told already: the file changed, or somebody deleted the person meanwhile
        face = _outside_face(plan, planned, vector, embedder_id, people, notes)
        if face.pixels is None and number is not None:
            hidden.setdefault(number, []).append(face)
            continue
        if face.pixels is None and vector is None and planned.entry is not None:
            notes.bare.append(planned.entry)
            continue
        cells = planned.entry.cells if planned.entry else {}
        name = _file_name(planned)
        if names[name] > 1 or not name:  # two rows may name one file: each has a picture of its own
            name = f"{name or 'unlabeled'} ({planned.entry.number if planned.entry else planned.row})"
        yield OutsidePhoto(name=name[-255:], faces=[face], captured_at=parse_time(cells.get("timestamp")))
    for number, faces in hidden.items():
        for some in in_parts(faces, _SILHOUETTES):
            # By a place and not by a count: the same picture has the same name in whatever batch it comes.
            place = int(some[0].external_id.rpartition(" ")[2])
            again = f", from number {place}" if place >= _SILHOUETTES else ""
            yield OutsidePhoto(name=f"Reference faces of person {number}{again}", faces=some)


def parse_time(text: object) -> datetime | None:
    """The program writes local time without a zone: it is read in the installation's own."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.year not in _YEARS:
            return None
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _outside_face(
    plan: Plan,
    planned: PlannedFace,
    vector: NDArray[np.float32] | None,
    embedder_id: str,
    people: dict[int, int],
    notes: Notes,
) -> OutsideFace:
    details: dict[str, Any] = {}
    vectors = {}
    if vector is not None:
        norm = norm_of(vector)
        vectors = {embedder_id: vector if norm == 1.0 else normalize(vector)}
        if norm != 1.0:
            details["norm"] = norm
    entry, pixels, seen_at = planned.entry, None, None
    if entry is not None:
        details["entry"] = [entry.number, entry.cells]
        pixels = _read_pixels(plan, entry, notes)
        seen_at = parse_time(entry.cells["timestamp"])
    elif planned.person is not None:
        seen_at = parse_time(plan.store.first_seen.get(planned.person))  # their program says no more
    return OutsideFace(
        external_id=planned.external_id,
        row=planned.row,
        pixels=pixels,
        vectors=vectors,
        details=details,
        person_pk=None if planned.person is None else people[planned.person],
        is_reference=planned.person is not None,
        waits=planned.waits,
        queued_at=seen_at,
        seen_at=seen_at,
    )


def _read_references(plan: Plan, number: int, notes: Notes) -> dict[int, NDArray[np.float32]]:
    try:
        path = plan.store.vectors_of(number)
        return read_usable(path, plan.dimension) if path is not None else {}
    except (FileRefused, OSError):
        notes.refused.append(_changed(f"{EMBEDDINGS}/{person_file(number)}"))
        return {}


def _vector_of_entry(plan: Plan, entry: Row | None) -> NDArray[np.float32] | None:
    try:
        path = plan.store.vector_of(entry) if entry is not None else None
        return read_usable(path, plan.dimension).get(0) if path is not None else None
    except (FileRefused, OSError):
        return None  # told when it was planned


def _read_pixels(plan: Plan, entry: Row, notes: Notes) -> NDArray[np.uint8] | None:
    if not has_crop(plan.store, entry):
        return None
    path = plan.store.crop_of(entry)
    try:
        return read_crop(path) if path is not None else None
    except PhotoRefused as refusal:
        code, message = refusal.code, refusal.message
    except OSError as error:
        code, message = "unreadable", f"It cannot be read ({error.strerror})."
    what = f"{UNLABELED}/{name_in(entry.cells['image_path'])}"
    notes.refused.append(
        Refusal(what=what, code=code, message=f"{message} A silhouette stands for the face.")
    )
    return None


def _changed(what: str) -> Refusal:
    message = "It changed while the store was read. Copy the store, and import the copy."
    return Refusal(what=what, code="changed", message=message)


def _file_name(planned: PlannedFace) -> str:
    return clean_name(name_in(planned.entry.cells["image_path"])) if planned.entry is not None else ""
