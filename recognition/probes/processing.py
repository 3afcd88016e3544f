"""One picture from pixels to vectors: decode once, find its faces, embed them together, then one short transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from recognition import detection
from recognition.active_embedder import WrongEmbedder, get_active_embedder_id, require_active
from recognition.crash_points import crash_point
from recognition.detection import DetectedFace, cut_crop
from recognition.embedders import Embedder, get_embedder
from recognition.faults import tell_fault
from recognition.images import encode_jpeg, shrink
from recognition.ingest import CROP_MARGIN, CROP_SIDE, PREVIEW_SIDE
from recognition.leases import (
    Claim,
    LeaseLost,
    claim_next,
    finish_claim,
    keep_lease,
    ready,
    release_claim,
)
from recognition.models import LookProbe, Probe, ProbeFace
from recognition.probes.files import probe_crop_path, probe_preview_path, replace_file
from recognition.probes.picture import decode_picture, judge_fault, remove_what_is_over
from recognition.vectors import check_vectors, encode_vector

logger = logging.getLogger(__name__)

# Of a crowd the largest: whoever searches for somebody shows them near.
MAX_FACES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    detected: DetectedFace
    vector: NDArray[np.float32]


def is_search_waiting() -> bool:
    """Whether somebody waits for an answer that a worker could begin with now."""
    looks = LookProbe.objects.filter(expires_at__gt=timezone.now())
    return ready(_waiting()).exists() or ready(looks).exists()


def process_next_probe() -> Probe | None:
    """Claim and process the oldest waiting search; none when nothing waits. Every outcome is recorded on its row."""
    claim = claim_next(_waiting())
    if claim is None:
        return None
    process_probe(claim)
    return claim.row


def process_probe(claim: Claim[Probe]) -> None:
    """Process a claimed search. A failure is recorded on its row and never raised."""
    probe = claim.row
    try:
        crash_point("probe_claimed")
        with keep_lease(claim):
            embedder = get_embedder(get_active_embedder_id())
            found = _find_faces(probe, embedder)
            crash_point("probe_files_written")
            _write_faces(claim, found, embedder)
            crash_point("probe_committed")
    except LeaseLost:
        logger.warning("probe %s was deleted or taken over meanwhile", probe.pk)
    except WrongEmbedder:
        release_claim(claim)  # the embedder was changed meanwhile; the new one looks at it at once
    except (KeyboardInterrupt, SystemExit):
        release_claim(claim)
        raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the row and logged once
        tell_fault(claim, judge_fault(probe, error), error)
    try:
        remove_what_is_over(probe)
    except (Error, OSError):
        logger.warning("the picture of probe %s stays until the sweep removes it", probe.pk, exc_info=True)


def _waiting() -> QuerySet[Probe]:
    return Probe.objects.filter(expires_at__gt=timezone.now())


def _find_faces(probe: Probe, embedder: Embedder) -> list[_Found]:
    """Everything slow, outside any transaction. The faces come from left to right."""
    rgb = decode_picture(probe)
    largest = detection.get_detector().detect(rgb)[:MAX_FACES]
    faces = sorted(largest, key=lambda face: (face.box.left, face.box.top))
    replace_file(probe_preview_path(probe.probe_id), encode_jpeg(shrink(rgb, PREVIEW_SIDE), quality=85))
    for number, face in enumerate(faces, 1):
        crop = cut_crop(rgb, face.box, margin=CROP_MARGIN, side=CROP_SIDE)
        replace_file(probe_crop_path(probe.probe_id, number), encode_jpeg(crop, quality=88))
    if not faces:
        return []
    vectors = embedder.embed(np.stack([embedder.cut_input(rgb, face) for face in faces]))
    check_vectors(vectors, embedder.dimension)
    return [_Found(detected=face, vector=vector) for face, vector in zip(faces, vectors, strict=True)]


def _write_faces(claim: Claim[Probe], found: list[_Found], embedder: Embedder) -> None:
    with transaction.atomic():
        require_active(embedder.embedder_id)
        finish_claim(claim)
        ProbeFace.objects.bulk_create(
            ProbeFace(
                probe=claim.row,
                number=number,
                left=round(one.detected.box.left, 2),
                top=round(one.detected.box.top, 2),
                width=round(one.detected.box.width, 2),
                height=round(one.detected.box.height, 2),
                detector_score=min(1.0, one.detected.score),
                embedder_id=embedder.embedder_id,
                vector=encode_vector(one.vector),
            )
            for number, one in enumerate(found, 1)
        )
