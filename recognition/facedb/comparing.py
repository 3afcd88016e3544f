"""How a store's index differs from its own vectors. The `.pt` files are the truth; nothing of the index is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.facedb.faults import FileRefused
from recognition.facedb.index_file import INDEX_NAME, MAPPING_NAME, IndexUnreadable, read_index
from recognition.facedb.plan import Plan, read_usable
from recognition.search import find_top_k_batch
from recognition.vectors import normalize

_SAME = 1 - 1e-5
_TWIN = 1 - 1e-6
_SAMPLE = 20
_MAX_MAPPING = 256 * 1024 * 1024


def compare_index(plan: Plan, *, scratch: Path) -> list[str]:
    """One line per difference; one line that says so where there is no index, or where both agree."""
    folder = plan.store.folder
    index, mapping = folder / INDEX_NAME, folder / MAPPING_NAME
    here = [path for path in (index, mapping) if path.is_file() and not path.is_symlink()]
    if len(here) < 2:
        return [
            f"It has no index of its own ({INDEX_NAME} and {MAPPING_NAME}); the .pt files say everything."
        ]
    try:
        people = _read_mapping(mapping)
        vectors = read_index(index, scratch=scratch)
    except (IndexUnreadable, OSError) as error:
        return [f"Its index could not be compared: {error}. The .pt files were read instead."]
    if len(people) != len(vectors):
        sizes = f"{INDEX_NAME} has {len(vectors)} vectors and {MAPPING_NAME} {len(people)} people"
        return [f"Its index is broken: {sizes}. The .pt files were read instead."]
    if len(vectors) and vectors.shape[1] != plan.dimension:
        return [f"Its index has {vectors.shape[1]} dimensions, its .pt files {plan.dimension}."]
    try:
        counted = _count(plan, np.array(people, dtype=np.int64), vectors)
    except (FileRefused, OSError):
        return ["The store changed while it was read. Copy the folder, and import the copy."]
    told = []
    if counted.missing:
        told.append(f"Its index is stale: {counted.missing} references are not in it.")
    if counted.gone:
        told.append(
            f"Its index is stale: {counted.gone} vectors in it are no references any more; not imported."
        )
    return told or [f"Its index agrees with the .pt files: {len(vectors)} vectors."]


def count_twins(plan: Plan, embedder_id: str) -> tuple[int, int]:
    """Of some references how many were looked at, and how many have the very same vector as one that is here. Not inside
    a transaction."""
    taught = [face for face in plan.faces if face.person is not None]
    chosen = taught[:: max(1, len(taught) // _SAMPLE)]
    vectors = []
    for face in chosen:
        path = plan.store.vectors_of(face.person) if face.person is not None else None
        usable = read_usable(path, plan.dimension) if path is not None else {}
        vectors.append(usable.get(face.place or 0))
    found = [vector for vector in vectors if vector is not None]
    if not found:
        return 0, 0
    answers = find_top_k_batch(normalize(np.stack(found)), 1, embedder_id=embedder_id).scores
    return len(found), sum(bool(scores) and scores[0].similarity >= _TWIN for scores in answers)


@dataclass(slots=True)
class _Counted:
    missing: int = 0
    gone: int = 0


def _count(plan: Plan, people: NDArray[np.int64], vectors: NDArray[np.float32]) -> _Counted:
    counted = _Counted()
    planned = {face.person for face in plan.faces if face.person is not None}
    for person in sorted(planned | set(people.tolist())):
        indexed = _unit_rows(vectors[people == person])
        path = plan.store.vectors_of(person) if person in planned else None
        usable = list(read_usable(path, plan.dimension).values()) if path else []
        stored = _unit_rows(np.stack(usable)) if usable else indexed[:0]
        if len(indexed) and len(stored):
            alike = indexed @ stored.T >= _SAME
            counted.gone += int((~alike.any(axis=1)).sum())
            counted.missing += int((~alike.any(axis=0)).sum())
        else:
            counted.gone += len(indexed)
            counted.missing += len(stored)
    return counted


def _unit_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """At unit length, without those that have no direction."""
    usable = np.isfinite(rows).all(axis=1) & rows.any(axis=1)
    return normalize(rows[usable]) if usable.any() else rows[usable]


def _read_mapping(path: Path) -> list[int]:
    if path.stat().st_size > _MAX_MAPPING:
        raise IndexUnreadable(f"{MAPPING_NAME} is too large")
    try:
        mapping = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise IndexUnreadable(f"{MAPPING_NAME} is no JSON") from error
    if not isinstance(mapping, list) or not all(type(one) is int and 0 <= one < 2**63 for one in mapping):
        raise IndexUnreadable(f"{MAPPING_NAME} is no list of numbers of people")
    return mapping
