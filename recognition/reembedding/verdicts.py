"""What one embedder says of every named face and of some open ones, each by the references of all others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.calibration.comparisons import NOBODY, compare
from recognition.embedders import EmbedderInfo
from recognition.gallery_index import read_members
from recognition.models import Embedding, Face, Sighting, UnlabeledFace
from recognition.parts import in_parts
from recognition.quality import is_poor

# Of the open faces so many at random: their share is what counts, and nobody disputes a face without a name.
OPEN_AT_MOST = 20_000
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedFaces:
    """Faces to compare: primary keys ascend; `people` is NOBODY and `human` false for an open one."""

    face_pks: NDArray[np.int64]
    people: NDArray[np.int64]
    references: NDArray[np.bool_]
    human: NDArray[np.bool_]
    poor: NDArray[np.bool_]
    open_total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """Of each asked face with a sound vector, in their order: its place among the asked ones; `own` similarity to the named
    person, nan where they have no other reference; the best `other` person with `score`; and `lead`, how far the better
    of the two is ahead of whoever comes next."""

    places: NDArray[np.int64]
    own: NDArray[np.float64]
    other: NDArray[np.int64]
    score: NDArray[np.float64]
    lead: NDArray[np.float64]

    @property
    def best(self) -> NDArray[np.float64]:
        return np.fmax(self.own, self.score)

    @property
    def right(self) -> NDArray[np.bool_]:
        """The named person comes first."""
        found: NDArray[np.bool_] = np.nan_to_num(self.own, nan=-np.inf) > self.score
        return found


def read_asked(rng: np.random.Generator) -> AskedFaces:
    """Every named face, and open ones."""
    named = Sighting.objects.filter(face__photo__event__deleted_at=None).order_by()
    rows = [
        (pk, person, reference, who == Sighting.DecidedBy.HUMAN, is_poor(*measured))
        for pk, person, reference, who, *measured in named.values_list(
            "face_id", "person_id", "is_reference", "decided_by",
            "face__size", "face__detector_score", "face__sharpness",
        ).iterator(chunk_size=5000)
    ]  # fmt: skip
    entries = UnlabeledFace.objects.open().filter(face__photo__event__deleted_at=None, face__sighting=None)
    open_pks = np.array(entries.order_by().values_list("face_id", flat=True), dtype=np.int64)
    some = rng.choice(open_pks, size=min(OPEN_AT_MOST, open_pks.size), replace=False)
    rows += [(pk, NOBODY, False, False, is_poor(*measured)) for pk, *measured in _measures_of(some)]
    rows.sort()
    columns = list(zip(*rows, strict=True)) or [()] * 5
    return AskedFaces(
        face_pks=np.array(columns[0], dtype=np.int64),
        people=np.array(columns[1], dtype=np.int64),
        references=np.array(columns[2], dtype=np.bool_),
        human=np.array(columns[3], dtype=np.bool_),
        poor=np.array(columns[4], dtype=np.bool_),
        open_total=open_pks.size,
    )


def judge_faces(asked: AskedFaces, info: EmbedderInfo, rng: np.random.Generator) -> Verdicts:
    """Reads the embedder's vectors of all these faces into memory: 4 bytes for each dimension and face."""
    face_pks, vectors = _read_vectors(asked.face_pks, info)
    places = np.searchsorted(asked.face_pks, face_pks)
    found = compare(
        vectors=vectors,
        people=asked.people[places],
        references=asked.references[places],
        poor=asked.poor[places],
        at_most=max(1, len(places)),
        rng=rng,
    )
    ahead = subtract_known(found.score, found.own)
    # Where another person wins, whoever comes next is the third or the named one.
    lead = np.where(ahead < 0, -ahead, np.fmin(found.lead, ahead))
    return Verdicts(places=places[found.rows], own=found.own, other=found.other, score=found.score, lead=lead)


def subtract_known(score: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the other person is ahead: infinitely where there is no own similarity, not at all where there is nobody."""
    known = np.nan_to_num(own, nan=-np.inf)
    ahead = np.full(len(score), -np.inf)
    np.subtract(score, known, out=ahead, where=np.isfinite(score))
    return ahead


def _read_vectors(
    face_pks: NDArray[np.int64], info: EmbedderInfo
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    ids, vectors = [np.empty(0, dtype=np.int64)], [np.empty((0, info.dimension), dtype=np.float32)]
    for part in in_parts(face_pks.tolist(), _AT_ONCE):
        rows: QuerySet[Embedding] = Embedding.objects.with_vectors()
        for members in read_members(rows.filter(embedder_id=info.embedder_id, face__in=part), info.dimension):
            ids.append(members.ids)
            vectors.append(members.vectors)
    all_ids = np.concatenate(ids)
    order = np.argsort(all_ids)
    return all_ids[order], np.concatenate(vectors)[order]


def _measures_of(face_pks: NDArray[np.int64]) -> list[tuple[int, float, float, float]]:
    return [
        row
        for part in in_parts(face_pks.tolist(), _AT_ONCE)
        for row in Face.objects.filter(pk__in=part)
        .order_by()
        .values_list("pk", "size", "detector_score", "sharpness")
    ]
