"""A detected face before it is written, and the rows that it becomes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.detection import DetectedFace
from recognition.geometry import estimate_pose
from recognition.matching import Match
from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
from recognition.quality import QUEUE, face_priority, is_poor
from recognition.signals import machine_named
from recognition.storage import write_crop
from recognition.vectors import encode_vector


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFace:
    """A detected face with all that is known of it before it is written. `vector` is float32 (dimension,).

    `crop` is the sum of `crop_jpeg`, the address that it gets once it is kept.
    """

    detected: DetectedFace
    crop: str
    crop_jpeg: bytes
    sharpness: float
    vector: NDArray[np.float32]


def is_poor_face(found: FoundFace) -> bool:
    """As the face itself will say once it is written."""
    measures = measures_of(found)
    return is_poor(measures["size"], measures["detector_score"], measures["sharpness"])


def is_asked_about(found: FoundFace) -> bool:
    """Whether the face is named or comes into the queue; else it is kept, and a person may put it there."""
    measures = measures_of(found)
    return QUEUE.takes(measures["size"], measures["detector_score"], measures["sharpness"])


def measures_of(found: FoundFace) -> dict[str, Any]:
    """The columns of a Face that come from its pixels."""
    box, pose = found.detected.box, estimate_pose(found.detected.landmarks)
    return {
        "left": round(box.left, 2),
        "top": round(box.top, 2),
        "width": round(box.width, 2),
        "height": round(box.height, 2),
        "landmarks": [[round(float(x), 2), round(float(y), 2)] for x, y in found.detected.landmarks],
        "detector_score": min(1.0, found.detected.score),
        "size": round(min(box.width, box.height), 2),
        "sharpness": round(found.sharpness, 2),
        "yaw": round(pose.yaw, 1),
        "pitch": round(pose.pitch, 1),
        "roll": round(pose.roll, 1),
        "crop": found.crop,
    }


def create_face(photo: Photo, found: FoundFace, *, embedder_id: str, by_hand: bool = False) -> Face:
    """The face and its embedding, with its crop. Belongs into a transaction that holds the gallery's lock."""
    # Another photo had the same crop and was deleted meanwhile: under the lock it is there to stay.
    write_crop(found.crop_jpeg)
    face = Face.objects.create(photo=photo, by_hand=by_hand, **measures_of(found))
    Embedding.objects.create(face=face, embedder_id=embedder_id, vector=encode_vector(found.vector))
    return face


def write_face(photo: Photo, found: FoundFace, match: Match, *, embedder_id: str) -> Face:
    """The same with what the match says of it: named by the machine, or in the queue unless it is too small for that."""
    face = create_face(photo, found, embedder_id=embedder_id)
    if match.person_id is None:
        if is_asked_about(found):
            queue_unlabeled(face)
    else:
        record_sighting(face, match.person_id, match, embedder_id=embedder_id)
    return face


def record_sighting(face: Face, person_id: int, match: Match, *, embedder_id: str) -> Sighting:
    """A sighting that the machine decided: it names the face and never teaches the gallery."""
    sighting = Sighting.objects.create(
        face=face,
        person_id=person_id,
        similarity=match.similarity,
        margin=match.margin,
        references=list(match.references),
        # With the line that it was named by, why that was the strict one, and whether another name settled a close call.
        thresholds={
            **asdict(match.thresholds),
            "line": match.line,
            "reasons": list(match.reasons),
            "settled": match.settled,
        },
        embedder_id=embedder_id,
        decided_by=Sighting.DecidedBy.MACHINE,
        seen_at=face.photo.taken_at,
    )
    machine_named.send(Sighting, sighting=sighting)
    return sighting


def queue_unlabeled(face: Face) -> UnlabeledFace:
    """Put a face into the queue; the ones that make the best references come first."""
    priority = face_priority(face.size, face.detector_score, face.yaw)
    return UnlabeledFace.objects.create(face=face, priority=priority)
