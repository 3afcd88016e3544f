"""What an import of a store would write, in its order: every reference and queue entry, with the crop that belongs to it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.facedb.database import Row
from recognition.facedb.faults import FileRefused, Refusal, StoreRefused
from recognition.facedb.store import EMBEDDINGS, UNLABELED, Store, name_in, person_file
from recognition.facedb.tensors import Kind, read_vectors

# As recognition/vectors.py has it: within it a vector is of unit length and keeps its bits.
_UNIT = 1e-3
_LONGEST = 5  # batches in one, for a person with many references


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFace:
    """`place` is the reference's in its person's file; `entry` the row of the queue whose crop shows the face.

    A face with neither a `person` nor an open entry was looked at in the other program and given no name.
    """

    row: int
    person: int | None = None
    place: int | None = None
    entry: Row | None = None

    @property
    def external_id(self) -> str:
        if self.person is not None:
            return f"person {self.person} reference {self.place}"
        return f"unlabeled {self.entry.number if self.entry else ''}"

    @property
    def waits(self) -> bool:
        return self.person is None and self.entry is not None and not self.entry.cells["reviewed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`kinds` says how each person's file put its vectors together; `bare` are rows of the queue without any file."""

    store: Store
    dimension: int
    kinds: dict[int, Kind]
    faces: list[PlannedFace]
    bare: list[Row]
    refused: list[Refusal]

    @property
    def references(self) -> int:
        return sum(face.person is not None for face in self.faces)

    @property
    def waiting(self) -> int:
        return sum(face.waits for face in self.faces)

    @property
    def crops(self) -> int:
        return sum(face.entry is not None and has_crop(self.store, face.entry) for face in self.faces)


def plan_import(store: Store) -> Plan:
    """Read every vector once. Raises StoreRefused where there is none of any dimension and no crop either."""
    refused = list(store.refused)
    kinds: dict[int, Kind] = {}
    sums: dict[int, list[_Sum]] = {}
    for person in store.tables.people:
        what = f"{EMBEDDINGS}/{person_file(person.number)}"
        try:
            path = store.vectors_of(person.number)
            if path is None:
                continue
            vectors = read_vectors(path)
        except FileRefused as refusal:
            refused.append(Refusal(what=what, code=refusal.code, message=refusal.message))
            continue
        except OSError as error:
            refused.append(_unreadable(what, error))
            continue
        kinds[person.number] = vectors.kind
        sums[person.number] = [_sum_up(row) for row in vectors.rows]
    entry_sums = {entry.number: _sum_of_entry(store, entry, refused) for entry in store.tables.entries}
    dimension = _choose_dimension([*(one for many in sums.values() for one in many), *entry_sums.values()])
    crops: dict[bytes, list[Row]] = {}
    for entry in store.tables.entries:
        digest = entry_sums[entry.number].digest
        if entry.cells["reviewed"] and digest:
            crops.setdefault(digest, []).append(entry)
    faces: list[PlannedFace] = []
    belonging: set[int] = set()
    for number, many in sums.items():
        for place, one in enumerate(many):
            what = f"{EMBEDDINGS}/{person_file(number)}, vector {place}"
            if fault := one.fault_in(dimension):
                refused.append(Refusal(what=what, code="bad_vector", message=fault))
                continue
            shown = crops.get(one.digest)
            crop_row = shown.pop(0) if shown else None
            if crop_row is not None:
                belonging.add(crop_row.number)
            faces.append(PlannedFace(row=len(faces), person=number, place=place, entry=crop_row))
    bare = []
    for entry in store.tables.entries:
        if entry.number in belonging:
            continue
        what = f"unlabeled row {entry.number}"
        one = entry_sums[entry.number]
        if one.digest and (fault := one.fault_in(dimension)):
            refused.append(Refusal(what=f"{what}, its vector", code="bad_vector", message=fault))
        crop = has_crop(store, entry)
        if not crop:
            refused.append(_missing(store, entry, refused))
        if crop or (one.digest and not one.fault_in(dimension)):
            faces.append(PlannedFace(row=len(faces), entry=entry))
        else:
            bare.append(entry)
    return Plan(store=store, dimension=dimension, kinds=kinds, faces=faces, bare=bare, refused=refused)


def read_usable(path: Path, dimension: int) -> dict[int, NDArray[np.float32]]:
    """By their place those vectors of a file that may be stored. Raises FileRefused."""
    rows = enumerate(read_vectors(path).rows)
    return {place: row for place, row in rows if not _sum_up(row).fault_in(dimension)}


def norm_of(vector: NDArray[np.float32]) -> float:
    """1 where the vector is of unit length already, so that its bits are kept."""
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    return 1.0 if abs(norm - 1) <= _UNIT else norm


def has_crop(store: Store, entry: Row) -> bool:
    try:
        return store.crop_of(entry) is not None
    except FileRefused:
        return False


@dataclass(frozen=True, slots=True)
class _Sum:
    """What is kept of a vector while all are counted: its dimension, a digest of its bits, and whether it has a direction."""

    dimension: int
    digest: bytes
    whole: bool

    def fault_in(self, dimension: int) -> str:
        if self.dimension != dimension:
            return f"It has {self.dimension} dimensions, the others of this store have {dimension}."
        return "" if self.whole else "It is zero, or holds NaN or infinity, so it has no direction."


_NO_VECTOR = _Sum(0, b"", whole=False)


def _sum_up(row: NDArray[np.float32]) -> _Sum:
    whole = bool(np.isfinite(row).all() and row.any())
    return _Sum(len(row), hashlib.sha256(row.tobytes()).digest()[:16], whole)


def _sum_of_entry(store: Store, entry: Row, refused: list[Refusal]) -> _Sum:
    what = f"{UNLABELED}/{name_in(entry.cells['embedding_path'])}"
    try:
        path = store.vector_of(entry)
        if path is None:
            if not entry.cells["reviewed"]:
                message = f"There is no file for row {entry.number}, so the face has its crop alone."
                refused.append(Refusal(what=what, code="missing", message=message))
            return _NO_VECTOR
        rows = read_vectors(path).rows
        if len(rows) != 1:
            raise FileRefused("wrong_shape", f"It holds {len(rows)} vectors instead of one.")
    except FileRefused as refusal:
        refused.append(Refusal(what=what, code=refusal.code, message=refusal.message))
        return _NO_VECTOR
    except OSError as error:
        refused.append(_unreadable(what, error))
        return _NO_VECTOR
    return _sum_up(rows[0])


def _choose_dimension(sums: list[_Sum]) -> int:
    """That of most vectors, of two the larger; 0 where there are none."""
    counts = Counter(one.dimension for one in sums if one.digest)
    return max(counts, key=lambda dimension: (counts[dimension], dimension), default=0)


def _missing(store: Store, entry: Row, refused: list[Refusal]) -> Refusal:
    name = name_in(entry.cells["image_path"])
    try:
        store.crop_of(entry)
    except FileRefused as refusal:
        return Refusal(what=f"{UNLABELED}/{name}", code=refusal.code, message=refusal.message)
    message = f"There is no file for row {entry.number}, so a silhouette stands for the face."
    return Refusal(what=f"{UNLABELED}/{name}", code="missing", message=message)


def _unreadable(what: str, error: OSError) -> Refusal:
    message = f"It cannot be read ({error.strerror}). Check it and run the command again."
    return Refusal(what=what, code="unreadable", message=message)


def raise_if_empty(plan: Plan) -> None:
    if not plan.store.tables.people and not plan.faces:
        raise StoreRefused("The store holds nobody and no faces yet. Import it once it does.")


def in_batches(faces: list[PlannedFace], size: int) -> Iterator[list[PlannedFace]]:
    """References of one person together, but for somebody with thousands, so that a file is read once; the queue in
    batches of its own, so that all references are known before anybody is looked for."""
    batch: list[PlannedFace] = []
    for face in faces:
        last = batch[-1] if batch else face
        full = len(batch) >= size and (face.person is None or face.person != last.person)
        if full or len(batch) >= _LONGEST * size or (face.person is None) != (last.person is None):
            yield batch
            batch = []
        batch.append(face)
    if batch:
        yield batch
