"""From a drawn box to a face: the detector looks closer at that place, and the box that a person drew stays.

Also the second look at a portrait that is cut too tightly for the detector.
"""

from __future__ import annotations

import errno
import logging

import numpy as np
from django.db import InterfaceError, OperationalError, transaction
from numpy.typing import NDArray
from PIL import Image

from recognition import detection
from recognition.active_embedder import WrongEmbedder, get_active_embedder_id, require_active
from recognition.crash_points import crash_point
from recognition.detection import DetectedFace
from recognition.embedders import Embedder, get_embedder
from recognition.faults import Fault, tell_fault
from recognition.found_faces import FoundFace, create_face, queue_unlabeled
from recognition.gallery_journal import lock_gallery_state
from recognition.geometry import Box
from recognition.images import PhotoRefused
from recognition.ingest import decode_original, describe_faces
from recognition.leases import Claim, LeaseLost, claim_next, finish_claim, keep_lease, release_claim
from recognition.models import Face, ManualBox, Photo
from recognition.named_regions.matching import match_regions
from recognition.photos.manual_boxes import BoxRefused, refuse_second_face, waiting_boxes
from recognition.signals import faces_queued
from recognition.storage import original_path, write_crop

logger = logging.getLogger(__name__)

# How much of the surroundings the detector gets to see: MTCNN finds hardly any face that fills its picture.
_AROUND = 0.6
# A detection that shares less with the drawn box is somebody beside them.
_SAME_FACE = 0.3
# The shorter side that a small face is enlarged to before the second look.
_ENLARGED = 160.0
_GREY = 128
_GREY_MARGIN = 0.2
# Where MTCNN puts the landmarks within its box: medians over 120 research portraits (LFW, ORL), made symmetric.
_TEMPLATE = np.array(
    [[0.27, 0.39], [0.73, 0.39], [0.5, 0.59], [0.3, 0.75], [0.7, 0.75]],
    dtype=np.float32,
)


def process_next_box() -> ManualBox | None:
    """Claim and process the oldest drawn face; none when nothing waits. Every outcome is recorded on its row."""
    claim = claim_next(waiting_boxes())
    if claim is None:
        return None
    process_box(claim)
    return claim.row


def process_box(claim: Claim[ManualBox]) -> None:
    """Make a face of a claimed box. A failure is recorded on its row and never raised."""
    try:
        crash_point("box_claimed")
        with keep_lease(claim):
            embedder = get_embedder(get_active_embedder_id())
            found = describe_drawn(decode_original(claim.row.photo), claim.row.box, embedder)
            write_crop(found.crop_jpeg)
            crash_point("box_described")
            _write(claim, found, embedder)
            crash_point("box_committed")
    except LeaseLost:
        logger.warning("box %s was taken back or taken over meanwhile", claim.row.pk)
    except WrongEmbedder:
        release_claim(claim)  # the embedder was changed meanwhile; the new one looks at it at once
    except (KeyboardInterrupt, SystemExit):
        release_claim(claim)
        raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the row and logged once
        tell_fault(claim, _judge(claim.row.photo, error), error)


def describe_drawn(rgb: NDArray[np.uint8], box: Box, embedder: Embedder) -> FoundFace:
    """The face in a drawn box. The net sees it by the detector's own box, where that finds one at this place."""
    seen = find_in_box(rgb, box)
    if seen is None:
        marks = _TEMPLATE * np.array([box.width, box.height]) + np.array([box.left, box.top])
        seen = DetectedFace(box, marks.astype(np.float32), 0.0)
    shown = DetectedFace(box, seen.landmarks, seen.score)
    return describe_faces(rgb, [seen], embedder, shown=[shown])[0]


def find_in_box(rgb: NDArray[np.uint8], box: Box) -> DetectedFace | None:
    """What the detector finds at that place of the pixels (h, w, 3) when it is shown nothing else; none if nothing."""
    height, width = rgb.shape[:2]
    around = box.padded(_AROUND).clamped(width, height).as_ints()
    region = rgb[around.top : around.bottom, around.left : around.right]
    scale = max(1.0, _ENLARGED / min(box.width, box.height))
    for faces in (
        _moved(detection.get_detector().detect(np.ascontiguousarray(region)), around.left, around.top),
        _moved(find_padded(region, scale=scale), around.left, around.top),
    ):
        nearest = max(faces, key=lambda face: face.box.iou(box), default=None)
        if nearest is not None and nearest.box.iou(box) >= _SAME_FACE:
            return DetectedFace(nearest.box.clamped(width, height), nearest.landmarks, nearest.score)
    return None


def find_padded(rgb: NDArray[np.uint8], *, scale: float = 1.0) -> list[DetectedFace]:
    """The faces of pixels (h, w, 3) in a grey frame, enlarged by `scale`: for what is cut too tightly to be found.

    In pixels of `rgb`; a box may reach beyond them.
    """
    height, width = round(rgb.shape[0] * scale), round(rgb.shape[1] * scale)
    enlarged = Image.fromarray(np.ascontiguousarray(rgb)).resize((width, height), Image.Resampling.BICUBIC)
    dx, dy = round(width * _GREY_MARGIN), round(height * _GREY_MARGIN)
    canvas = np.full((height + 2 * dy, width + 2 * dx, 3), _GREY, dtype=np.uint8)
    canvas[dy : dy + height, dx : dx + width] = np.asarray(enlarged)
    return [
        DetectedFace(
            Box(face.box.left - dx, face.box.top - dy, face.box.right - dx, face.box.bottom - dy).scaled(
                1 / scale
            ),
            ((face.landmarks - np.array([dx, dy])) / scale).astype(np.float32),
            face.score,
        )
        for face in detection.get_detector().detect(canvas)
    ]


def add_open_face(photo: Photo, found: FoundFace, *, embedder_id: str, by_hand: bool) -> Face:
    """A face for a person to name: the machine does not. Belongs into a transaction that holds the gallery's lock."""
    face = create_face(photo, found, embedder_id=embedder_id, by_hand=by_hand)
    queue_unlabeled(face)
    return face


def _write(claim: Claim[ManualBox], found: FoundFace, embedder: Embedder) -> None:
    with transaction.atomic():
        lock_gallery_state()
        require_active(embedder.embedder_id)
        photo = claim.row.photo
        # The photo may have been detected anew since somebody drew the box.
        refuse_second_face(photo, found.detected.box)
        face = add_open_face(photo, found, embedder_id=embedder.embedder_id, by_hand=True)
        # It may be drawn where the photo's own data names somebody.
        match_regions([photo.pk])
        finish_claim(claim, face=face)
        faces_queued.send(Photo, photo=photo)
        crash_point("before_box_commit")


def _moved(faces: list[DetectedFace], left: int, top: int) -> list[DetectedFace]:
    offset = np.array([left, top], dtype=np.float32)
    return [
        DetectedFace(
            Box(face.box.left + left, face.box.top + top, face.box.right + left, face.box.bottom + top),
            face.landmarks + offset,
            face.score,
        )
        for face in faces
    ]


def _judge(photo: Photo, error: Exception) -> Fault:
    """Whose fault it was, in a sentence for whoever drew the face."""
    if isinstance(error, BoxRefused):
        return Fault(error.code, error.message, final=True)
    if isinstance(error, PhotoRefused):
        return Fault(error.code, error.message, final=True)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        reason = "The server's disk is full. Tell the administrator; this goes on by itself when there is room again."
        return Fault("no_space", reason, passing=True)
    if isinstance(error, OperationalError | InterfaceError):
        reason = "The database did not answer. This face is tried again by itself."
        return Fault("database_unavailable", reason, passing=True)
    if isinstance(error, FileNotFoundError) and not original_path(photo.sha256, photo.format).exists():
        reason = "The file of this photo is gone from the server. Upload the same photo to this event again."
        return Fault("original_missing", reason, final=True)
    return Fault(
        "processing_error",
        f"FaceVault could not look at this face ({type(error).__name__}). Press Try again; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
