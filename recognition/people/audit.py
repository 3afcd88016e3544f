"""A person's faces by how far they are from the person: the ones that may be somebody else come first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.active_embedder import find_active_info
from recognition.embedders import Thresholds
from recognition.models import Sighting
from recognition.vectors import BadVector, check_vectors, decode_vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeness:
    """How like the person's references a face is, the face itself left out; none where there is nothing to compare."""

    cosine: float | None
    word: str
    band: str


NOT_COMPARED = Closeness(cosine=None, word="not compared", band="")


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonVectors:
    """What the faces of one person look like: `sightings` (n,) primary keys, `vectors` (n, d), `references` (n,)."""

    sightings: NDArray[np.int64]
    vectors: NDArray[np.float32]
    references: NDArray[np.bool_]
    thresholds: Thresholds


def read_person_vectors(sightings: QuerySet[Sighting]) -> PersonVectors | None:
    """In one statement; none where nothing can be compared. A face whose vector is broken or missing is left out."""
    if (info := find_active_info()) is None:
        return None
    rows = sightings.filter(face__embeddings__embedder_id=info.embedder_id).order_by("pk")
    pks, vectors, references = [], [], []
    for pk, reference, data in rows.values_list("pk", "is_reference", "face__embeddings__vector"):
        try:
            vector = decode_vector(bytes(data), info.dimension)
            check_vectors(vector[np.newaxis], info.dimension)
        except BadVector:
            continue
        pks.append(pk)
        vectors.append(vector)
        references.append(reference)
    if not pks:
        return None
    return PersonVectors(
        sightings=np.array(pks, dtype=np.int64),
        vectors=np.stack(vectors),
        references=np.array(references, dtype=np.bool_),
        thresholds=info.shipped,
    )


def rank_farthest(sightings: QuerySet[Sighting]) -> tuple[list[int], dict[int, Closeness]]:
    """Primary keys of the sightings, the farthest first and those that cannot be compared last; and how close each is."""
    found = read_person_vectors(sightings)
    known: dict[int, Closeness] = {}
    if found is not None:
        cosines = closeness_to_person(found.vectors, found.references)
        for at in np.argsort(cosines, kind="stable"):
            known[int(found.sightings[at])] = describe_closeness(float(cosines[at]), found.thresholds)
    rest = [pk for pk in sightings.order_by("pk").values_list("pk", flat=True) if pk not in known]
    return [*known, *rest], known


def closeness_to_person(vectors: NDArray[np.float32], references: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The cosine (n,) of each face to the mean of the references, itself left out; without other references to that of
    all other faces. NaN for a face that is alone."""
    wide = vectors.astype(np.float64)
    cosines = np.full(len(wide), np.nan)
    # A face that is the only reference is compared with the others, which it cannot have drawn to itself.
    for among in (references, np.ones(len(wide), dtype=np.bool_)):
        others = among.sum() - among.astype(np.int64)
        rest = wide[among].sum(axis=0) - wide * among[:, np.newaxis]
        lengths = np.linalg.norm(rest, axis=1)
        fits = np.isnan(cosines) & (others > 0) & (lengths > 1e-9)
        cosines[fits] = np.einsum("ij,ij->i", wide[fits], rest[fits]) / lengths[fits]
    return cosines


def describe_closeness(cosine: float, thresholds: Thresholds) -> Closeness:
    if np.isnan(cosine):
        return NOT_COMPARED
    if cosine < thresholds.suggest:
        return Closeness(cosine=cosine, word="unlike", band="bad")
    if cosine < thresholds.automatic:
        return Closeness(cosine=cosine, word="less like", band="close")
    return Closeness(cosine=cosine, word="alike", band="strong")


def mark_closeness(sightings: Sequence[Sighting], known: dict[int, Closeness]) -> None:
    """Give each of these its `closeness`, for the page."""
    for sighting in sightings:
        sighting.closeness = known.get(sighting.pk, NOT_COMPARED)  # type: ignore[attr-defined]
