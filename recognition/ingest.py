"""One photo from pixels to sightings: detect, crop, embed, match, then one short transaction that writes it all."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from recognition.active_embedder import WrongEmbedder, get_active_embedder_id, require_active
from recognition.calibration.lines import describe_calibrated
from recognition.crash_points import crash_point
from recognition.detection import DetectedFace, cut_crop, get_detector
from recognition.embedders import Embedder, get_embedder
from recognition.events.roster import RosterStamp, read_roster, stamp_roster
from recognition.faults import GalleryBusy, record_fault
from recognition.found_faces import FoundFace, is_asked_about, is_poor_face, write_face
from recognition.gallery_journal import lock_gallery_state, read_gallery_state
from recognition.images import decode_photo, encode_jpeg, shrink
from recognition.leases import Claim, LeaseLost, claim_next, finish_claim, keep_lease, release_claim
from recognition.matching import Match, assign_people
from recognition.models import Photo
from recognition.named_regions.matching import match_regions
from recognition.processing import waiting_photos
from recognition.quality import measure_sharpness
from recognition.search import find_top_k_batch
from recognition.signals import faces_queued
from recognition.storage import original_path, preview_path, thumb_path, write_crop, write_file
from recognition.vectors import check_vectors

logger = logging.getLogger(__name__)

CROP_SIDE = 320
CROP_MARGIN = 0.35
PREVIEW_SIDE = 1600
THUMB_SIDE = 480
# Between matching and writing somebody may name a face; matching takes milliseconds, so a few rounds always suffice.
_MATCH_ROUNDS = 20


class Matched(NamedTuple):
    """What the gallery says of the faces of a photo: of which version, by which roster of the event and whose lines."""

    version: int
    matches: list[Match]
    roster: RosterStamp
    embedder_id: str

    def still_holds(self, event_pk: int) -> bool:
        """Asked under the gallery's lock: then nothing that the matches rest on has changed, nor will it."""
        if lock_gallery_state().version != self.version or stamp_roster(event_pk) != self.roster:
            return False
        lines = describe_calibrated(self.embedder_id).thresholds
        return all(match.thresholds == lines for match in self.matches)


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
    except WrongEmbedder:
        # The embedder was changed meanwhile, which is not the photo's fault: the new one sees it at its next turn.
        release_claim(claim)
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
        matched = match_faces(found, embedder, claim.row.event_id)
        crash_point("faces_matched")
        with transaction.atomic():
            # A labeler's decision waits until this photo is written, or this photo sees the decision.
            if not matched.still_holds(claim.row.event_id):
                continue
            require_active(embedder.embedder_id)
            finish_claim(claim, detector_id=get_detector().detector_id)
            for face, match in zip(found, matched.matches, strict=True):
                write_face(claim.row, face, match, embedder_id=embedder.embedder_id)
                crash_point("face_written")
            # Its names may have been read before its faces were found.
            match_regions([claim.row.pk])
            if any(match.person_id is None for match in matched.matches):
                faces_queued.send(Photo, photo=claim.row)
            crash_point("before_result_commit")
        crash_point("after_result_commit")
        return
    raise GalleryBusy


def match_faces(found: Sequence[FoundFace], embedder: Embedder, event_pk: int) -> Matched:
    """What the gallery says of faces of one photo of that event. Not inside a transaction."""
    return match_vectors(found, event_pk, embedder_id=embedder.embedder_id)


def match_vectors(found: Sequence[FoundFace], event_pk: int, *, embedder_id: str) -> Matched:
    """The same for vectors of that embedder that were made elsewhere."""
    if not found:
        return Matched(read_gallery_state().version, [], stamp_roster(event_pk), embedder_id)
    batch = find_top_k_batch(np.stack([face.vector for face in found]), k=5, embedder_id=embedder_id)
    # Too small a face gets no name, so that it takes nobody's from a larger one either.
    scores = [
        of_face if is_asked_about(face) else [] for face, of_face in zip(found, batch.scores, strict=True)
    ]
    roster = read_roster(event_pk, {score.person_id for of_face in scores for score in of_face})
    matches = assign_people(
        scores,
        describe_calibrated(embedder_id).thresholds,
        poor=[is_poor_face(face) for face in found],
        on_roster=roster.members,
    )
    return Matched(batch.version, matches, roster.stamp, embedder_id)


def _stack(inputs: Sequence[NDArray[np.uint8]], side: int) -> NDArray[np.uint8]:
    return np.stack(inputs) if inputs else np.empty((0, side, side, 3), dtype=np.uint8)
