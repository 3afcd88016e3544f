"""A selection becomes a store again, in a folder of its own that takes its name only once it is whole."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.crash_points import crash_point
from recognition.facedb.database import DEFAULT_NAME, Row, Tables, write_tables
from recognition.facedb.index_file import INDEX_NAME, MAPPING_NAME, write_index
from recognition.facedb.selection import ExportedEntry, Scope, Selection
from recognition.facedb.store import EMBEDDINGS, UNLABELED, name_in, person_file
from recognition.facedb.tensors import write_vectors
from recognition.images import PhotoRefused, decode_photo
from recognition.ingest import decode_original
from recognition.models import Embedding, Face, ImportedFace, Photo
from recognition.parts import in_parts
from recognition.quality import NOT_MEASURED
from recognition.storage import crop_path
from recognition.vectors import decode_vector

_AT_ONCE = 500


class TargetTaken(Exception):
    """There is something at the target already; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    people: int
    references: int
    visits: int
    waiting: int
    lost_pictures: int


def export_store(
    *,
    selection: Selection,
    scope: Scope,
    dimension: int,
    target: Path,
    tell: Callable[[int], None] = lambda done: None,
) -> Exported:
    """Write the store to `target`; `tell` hears how many people and entries are done. Raises TargetTaken, OSError."""
    check_target(target)
    with _unfinished_folder(target) as folder:
        _write_database(folder / (selection.database or DEFAULT_NAME), selection)
        _write_references(folder, selection, scope, dimension, tell)
        crash_point("facedb_references_exported")
        lost = _write_entries(folder, selection.entries, scope, dimension, tell)
        _make_durable(folder)
        crash_point("before_facedb_publish")
        try:
            folder.rename(target)
        except OSError as error:
            raise TargetTaken from error
    crash_point("after_facedb_publish")
    _sync(target.parent)
    return Exported(
        people=len(selection.people),
        references=selection.references,
        visits=selection.visits,
        waiting=sum(not entry.row.cells["reviewed"] for entry in selection.entries),
        lost_pictures=lost,
    )


def check_target(target: Path) -> None:
    """Raise TargetTaken unless nothing or an empty folder is there."""
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise TargetTaken


@contextmanager
def _unfinished_folder(target: Path) -> Iterator[Path]:
    """Beside the target, for nobody else to read. What killed exports left there is removed: it holds faces."""
    prefix = f".{target.name}.unfinished-"
    for left in target.parent.glob(f"{prefix}*"):
        with suppress(OSError):
            descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever still writes there holds it
                shutil.rmtree(left)
            finally:
                os.close(descriptor)
    folder = Path(mkdtemp(prefix=prefix, dir=target.parent))
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield folder
    finally:
        os.close(descriptor)
        shutil.rmtree(folder, ignore_errors=True)


def _write_database(path: Path, selection: Selection) -> None:
    visits = [(person.row.number, visit) for person in selection.people for visit in person.visits]
    visits += [(number, visit) for number, visit in selection.loose_visits]
    rows, last = [], -1
    for person, (number, timestamp, similarity, notes) in sorted(visits, key=lambda one: int(one[1][0])):
        # Two stores in one may have given the same number twice.
        last = max(number, last + 1)
        cells = {"person_id": person, "timestamp": timestamp, "similarity": similarity, "notes": notes}
        rows.append(Row(number=last, cells=cells))
    tables = Tables(
        key=selection.key,
        people=sorted((person.row for person in selection.people), key=lambda row: row.number),
        visits=rows,
        entries=[entry.row for entry in selection.entries],
        sequences=selection.sequences,
        refused=[],
    )
    write_tables(path, tables)


def _write_references(
    folder: Path, selection: Selection, scope: Scope, dimension: int, tell: Callable[[int], None]
) -> None:
    """The files of all people, and the index over them in the same order."""
    (folder / EMBEDDINGS).mkdir(mode=0o700)
    parts: list[NDArray[np.float32]] = []
    mapping: list[int] = []
    for person in sorted(selection.people, key=lambda one: one.row.number):
        if person.references:
            vectors = _read_vectors(person.references, scope, dimension)
            rows = np.stack([vectors[pk] for pk in person.references if pk in vectors])
            write_vectors(folder / EMBEDDINGS / person_file(person.row.number), rows, kind=person.kind)
            parts.append(rows)
            mapping += [person.row.number] * len(rows)
            crash_point("facedb_person_exported")
        tell(1)
    if parts:
        write_index(folder / INDEX_NAME, np.concatenate(parts))
        (folder / MAPPING_NAME).write_text(json.dumps(mapping), encoding="ascii")


def _write_entries(
    folder: Path,
    entries: Sequence[ExportedEntry],
    scope: Scope,
    dimension: int,
    tell: Callable[[int], None],
) -> int:
    """Pictures and vectors of the queue; returns how many pictures could not be read any more."""
    (folder / UNLABELED).mkdir(mode=0o700)
    lost = 0
    for part in in_parts(entries, _AT_ONCE):
        pks = [entry.face_pk for entry in part if entry.face_pk is not None]
        faces = Face.objects.select_related("photo", "imported").in_bulk(pks)
        vectors = _read_vectors(pks, scope, dimension)
        for entry in part:
            face = faces.get(entry.face_pk or 0)
            if face is not None:
                cells = entry.row.cells
                lost += not _write_picture(folder / UNLABELED, name_in(cells["image_path"]), face)
                vector, name = vectors.get(face.pk), name_in(cells["embedding_path"])
                if vector is not None and name:
                    write_vectors(folder / UNLABELED / name, vector[np.newaxis], kind="vector")
            tell(1)
    return lost


def _write_picture(folder: Path, name: str, face: Face) -> bool:
    """The pixels that came, unchanged; of a face that was found here what the desk shows of it."""
    came = getattr(face, "imported", None) if face.photo.origin == Photo.Origin.STAND_IN else None
    if not name or (came is not None and face.sharpness == NOT_MEASURED):
        return True  # it came without any
    try:
        if came is not None:
            at = face.box.as_ints()
            rgb = decode_original(face.photo)[at.top : at.bottom, at.left : at.right]
        else:
            rgb = decode_photo(crop_path(face))
    except (OSError, PhotoRefused):
        return False
    Image.fromarray(np.ascontiguousarray(rgb)).save(folder / name, "PNG")
    return True


def _read_vectors(face_pks: Sequence[int], scope: Scope, dimension: int) -> dict[int, NDArray[np.float32]]:
    """As long as they were when they came."""
    found: dict[int, NDArray[np.float32]] = {}
    for part in in_parts(face_pks, _AT_ONCE):
        rows = Embedding.objects.with_vectors().filter(embedder_id=scope.embedder_id, face__in=part)
        for face_pk, data in rows.values_list("face_id", "vector"):
            found[face_pk] = decode_vector(bytes(data), dimension)
        came = ImportedFace.objects.filter(face__in=part, details__has_key="norm")
        for face_pk, details in came.values_list("face_id", "details"):
            if face_pk in found:
                longer = found[face_pk].astype(np.float64) * float(details["norm"])
                found[face_pk] = longer.astype(np.float32)
    return found


def _make_durable(folder: Path) -> None:
    """All of it on disk and for its owner's eyes alone, before it takes its name."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o700 if path.is_dir() else 0o600)
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
