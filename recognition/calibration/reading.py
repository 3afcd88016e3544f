"""The labeled faces of this installation as arrays: what calibrations and reports measure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.embedders import EmbedderInfo
from recognition.gallery_index import read_members
from recognition.models import Embedding, Sighting
from recognition.quality import is_poor


@dataclass(frozen=True, slots=True, kw_only=True)
class LabeledFaces:
    """Faces that a human named, n of them in the order of their primary keys; a broken vector is left out.

    `vectors` (n, d) float32 unit length; `people`, `events` primary keys; `references` may answer a search; `poor` are too
    small or too blurred for one; `sizes` in pixels of the original, `sharpness` as `measure_sharpness` gives it, `yaws` in
    degrees.
    """

    face_pks: NDArray[np.int64]
    vectors: NDArray[np.float32]
    people: NDArray[np.int64]
    events: NDArray[np.int64]
    references: NDArray[np.bool_]
    poor: NDArray[np.bool_]
    sizes: NDArray[np.float64]
    sharpness: NDArray[np.float64]
    yaws: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.face_pks)


def read_labeled_faces(info: EmbedderInfo) -> LabeledFaces:
    """Everything that humans named and this embedder has a vector of. Reads about 4 d bytes a face into memory."""
    named = Sighting.objects.filter(
        decided_by=Sighting.DecidedBy.HUMAN, face__photo__event__deleted_at=None
    ).order_by()
    measured = named.values_list(
        "face_id", "person_id", "face__photo__event_id", "is_reference",
        "face__size", "face__detector_score", "face__sharpness", "face__yaw",
    )  # fmt: skip
    measures = {pk: rest for pk, *rest in measured.iterator(chunk_size=5000)}
    rows = Embedding.objects.filter(embedder_id=info.embedder_id, face__in=named.values("face"))
    ids, vectors = [], []
    for members in read_members(rows, info.dimension):
        # Somebody may have taken a name away between the two statements.
        kept = np.array([pk in measures for pk in members.ids.tolist()], dtype=np.bool_)
        ids.append(members.ids[kept])
        vectors.append(members.vectors[kept])
    face_pks = np.concatenate(ids) if ids else np.empty(0, dtype=np.int64)
    order = np.argsort(face_pks)
    face_pks = face_pks[order]
    matrix = np.concatenate(vectors)[order] if vectors else np.empty((0, info.dimension), dtype=np.float32)
    columns = list(zip(*(measures[pk] for pk in face_pks.tolist()), strict=True)) or [()] * 7
    person, event, reference, size, score, sharp, yaw = columns
    return LabeledFaces(
        face_pks=face_pks,
        vectors=matrix,
        people=np.array(person, dtype=np.int64),
        events=np.array(event, dtype=np.int64),
        references=np.array(reference, dtype=np.bool_),
        poor=np.array([is_poor(*one) for one in zip(size, score, sharp, strict=True)], dtype=np.bool_),
        sizes=np.array(size, dtype=np.float64),
        sharpness=np.array(sharp, dtype=np.float64),
        yaws=np.array(yaw, dtype=np.float64),
    )
