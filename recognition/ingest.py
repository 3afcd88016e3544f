"""One photo from pixels to sightings: detect, crop, embed, match, then one short transaction that writes it all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from recognition.active_embedder import get_active_embedder_id, require_active
from recognition.calibration.lines import describe_calibrated
from recognition.crash_points import crash_point
from recognition.detection import DetectedFace, cut_crop, get_detector
from recognition.embedders import Embedder, get_embedder
from recognition.faults import GalleryBusy, record_fault
from recognition.gallery_journal import lock_gallery_state, read_gallery_state
from recognition.geometry import estimate_pose
from recognition.images import decode_photo, encode_jpeg, shrink
from recognition.leases import Claim, LeaseLost, claim_next, finish_claim, keep_lease, release_claim
from recognition.matching import Match, assign_people
from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
from recognition.processing import waiting_photos
from recognition.quality import face_priority, measure_sharpness
from recognition.search import find_top_k_batch
from recognition.signals import faces_queued
from recognition.storage import original_path, preview_path, thumb_path, write_crop, write_file
from recognition.vectors import check_vectors, encode_vector

logger = logging.getLogger(__name__)

CROP_SIDE = 320
CROP_MARGIN = 0.35
PREVIEW_SIDE = 1600
THUMB_SIDE = 480
# Between matching and writing somebody may name a face; matching takes milliseconds, so a few rounds always suffice.
_MATCH_ROUNDS = 20


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


def process_next_photo() -> Photo | None:
    """Claim and process the oldest waiting photo; none when nothing waits. Every outcome is recorded on the photo."""
    claim = claim_next(waiting_photos())
    if claim is None:
        return None
    process_claimed_photo(claim)
    return claim.row


def process_claimed_photo(claim: Claim[Photo]) -> None:
    """Process a claimed photo. A failure is recorded on its row and never raised: the other photos go on."""
    try:
        crash_point("photo_claimed")
        with keep_lease(claim):
            embedder = get_embedder(get_active_embedder_id())
            found = find_faces(claim.row, embedder)
            write_faces(claim, found, embedder)
    except LeaseLost:
        logger.warning("photo %s was taken over by another worker", claim.row.pk)
    except (KeyboardInterrupt, SystemExit):
        # Somebody stopped this process: the photo is free at once for the next one.
        release_claim(claim)
        raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the photo and logged once
        record_fault(claim, error)


def find_faces(photo: Photo, embedder: Embedder) -> list[FoundFace]:
    """Everything slow, outside any transaction: decode once, detect, write crops and previews, embed all faces together."""
    rgb = decode_original(photo)
    crash_point("photo_decoded")
    detected = get_detector().detect(rgb)
    crash_point("faces_detected")
    write_file(preview_path(photo), encode_jpeg(shrink(rgb, PREVIEW_SIDE), quality=85))
    write_file(thumb_path(photo), encode_jpeg(shrink(rgb, THUMB_SIDE), quality=80))
    crash_point("previews_written")
    found = describe_faces(rgb, detected, embedder)
    for face in found:
        write_crop(face.crop_jpeg)
    crash_point("crops_written")
    return found


def decode_original(photo: Photo) -> NDArray[np.uint8]:
    """The photo's own pixels, oriented (h, w, 3)."""
    return decode_photo(
        original_path(photo.sha256, photo.format),
        # It passed the caps of its upload; a cap that was lowered since must not fail it, nor HEIC switched off again.
        heic=photo.format == "HEIC",
        max_pixels=max(settings.FACEVAULT_MAX_PIXELS, photo.width * photo.height),
        max_bytes=photo.byte_size,
    )


def describe_faces(
    rgb: NDArray[np.uint8],
    detected: Sequence[DetectedFace],
    embedder: Embedder,
    *,
    shown: Sequence[DetectedFace] | None = None,
) -> list[FoundFace]:
    """Embed these faces of the pixels (h, w, 3) together and measure each; nothing is written.

    `shown` are the same faces as they are kept, where that is another box than the one the net was taught to see.
    """
    inputs = [embedder.cut_input(rgb, face) for face in detected]
    vectors = embedder.embed(_stack(inputs, embedder.input_size))
    check_vectors(vectors, embedder.dimension)
    crash_point("faces_embedded")
    found = []
    for face, vector in zip(shown or detected, vectors, strict=True):
        crop = cut_crop(rgb, face.box, margin=CROP_MARGIN, side=CROP_SIDE)
        tight = cut_crop(rgb, face.box, margin=0.0, side=CROP_SIDE)
        crop_jpeg = encode_jpeg(crop, quality=88)
        found.append(
            FoundFace(
                detected=face,
                crop=hashlib.sha256(crop_jpeg).hexdigest(),
                crop_jpeg=crop_jpeg,
                sharpness=measure_sharpness(tight),
                vector=vector,
            )
        )
    return found


def write_faces(claim: Claim[Photo], found: Sequence[FoundFace], embedder: Embedder) -> None:
    """Match against the gallery and write it all in one transaction; match again if the gallery moved in between."""
    for _ in range(_MATCH_ROUNDS):
        version, matches = match_faces(found, embedder)
        crash_point("faces_matched")
        with transaction.atomic():
            # A labeler's decision waits until this photo is written, or this photo sees the decision.
            if lock_gallery_state().version != version:
                continue
            require_active(embedder.embedder_id)
            finish_claim(claim, detector_id=get_detector().detector_id)
            for face, match in zip(found, matches, strict=True):
                write_face(claim.row, face, match, embedder_id=embedder.embedder_id)
                crash_point("face_written")
            if any(match.person_id is None for match in matches):
                faces_queued.send(Photo, photo=claim.row)
            crash_point("before_result_commit")
        crash_point("after_result_commit")
        return
    raise GalleryBusy


def record_sighting(face: Face, person_id: int, match: Match, *, embedder_id: str) -> Sighting:
    """A sighting that the machine decided: it names the face and never teaches the gallery."""
    return Sighting.objects.create(
        face=face,
        person_id=person_id,
        similarity=match.similarity,
        margin=match.margin,
        references=list(match.references),
        thresholds=asdict(match.thresholds),
        embedder_id=embedder_id,
        decided_by=Sighting.DecidedBy.MACHINE,
        seen_at=face.photo.taken_at,
    )


def queue_unlabeled(face: Face) -> UnlabeledFace:
    """Put a face into the queue; the ones that make the best references come first."""
    priority = face_priority(face.size, face.detector_score, face.yaw)
    return UnlabeledFace.objects.create(face=face, priority=priority)


def match_faces(found: Sequence[FoundFace], embedder: Embedder) -> tuple[int, list[Match]]:
    """What the gallery says of faces of one photo, and its version when it was asked. Not inside a transaction."""
    if not found:
        return read_gallery_state().version, []
    batch = find_top_k_batch(np.stack([face.vector for face in found]), k=5, embedder_id=embedder.embedder_id)
    return batch.version, assign_people(batch.scores, describe_calibrated(embedder.embedder_id).thresholds)


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
    """The same with what the match says of it: named by the machine, or in the queue."""
    face = create_face(photo, found, embedder_id=embedder_id)
    if match.person_id is None:
        queue_unlabeled(face)
    else:
        record_sighting(face, match.person_id, match, embedder_id=embedder_id)
    return face


def _stack(inputs: Sequence[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    return np.stack(inputs) if inputs else np.empty((0, side, side, 3), dtype=np.uint8)
