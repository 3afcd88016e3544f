"""A picture that somebody searches looks with: the worker sees what it looks like, and who is on it."""

from __future__ import annotations

import logging
from typing import BinaryIO

import numpy as np
from django.contrib.auth.models import User
from django.db import Error, transaction
from django.db.models import QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from recognition import detection
from recognition.crash_points import crash_point
from recognition.faults import Fault, tell_fault
from recognition.geometry import Box
from recognition.images import encode_jpeg, shrink
from recognition.ingest import PREVIEW_SIDE
from recognition.leases import Claim, LeaseLost, claim_next, finish_claim, keep_lease, release_claim
from recognition.looks._mediapipe import PoseUnavailable
from recognition.looks.describing import look_at_person
from recognition.looks.descriptor import LOOK, FindPoses, describe_picture, has_pose, person_region
from recognition.looks.plan import LookPlan, get_pose_finder, read_plan
from recognition.models import LookProbe
from recognition.probes.adding import take_picture
from recognition.probes.files import probe_preview_path, replace_file
from recognition.probes.picture import decode_picture, judge_fault, remove_what_is_over

logger = logging.getLogger(__name__)

# Of a crowd the largest: whoever searches for somebody shows them near.
MAX_PEOPLE = 12


def add_look_probe(*, file: BinaryIO, user: User) -> LookProbe:
    """Take a picture to search looks with. Raises PhotoRefused. Not inside a transaction."""
    return take_picture(LookProbe, file=file, user=user)


def process_next_look_probe() -> LookProbe | None:
    """Claim and look at the oldest waiting picture; none when nothing waits. Every outcome is recorded on its row."""
    waiting: QuerySet[LookProbe] = LookProbe.objects.filter(expires_at__gt=timezone.now())
    claim = claim_next(waiting)
    if claim is None:
        return None
    process_look_probe(claim)
    return claim.row


def process_look_probe(claim: Claim[LookProbe]) -> None:
    """Look at a claimed picture. A failure is recorded on its row and never raised."""
    probe = claim.row
    try:
        crash_point("look_probe_claimed")
        with keep_lease(claim):
            plan = read_plan()
            boxes, looks = _look(probe, plan)
            crash_point("look_probe_seen")
            _finish(claim, plan, boxes, looks)
            crash_point("look_probe_committed")
    except LeaseLost:
        logger.warning("look probe %s was deleted or taken over meanwhile", probe.pk)
    except (KeyboardInterrupt, SystemExit):
        release_claim(claim)
        raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the row and logged once
        tell_fault(claim, _judge(probe, error), error)
    try:
        remove_what_is_over(probe)
    except (Error, OSError):
        logger.warning(
            "the picture of look probe %s stays until the sweep removes it", probe.pk, exc_info=True
        )


def _look(probe: LookProbe, plan: LookPlan) -> tuple[list[Box], list[NDArray[np.float32]]]:
    """The whole picture first, then the people on it from left to right."""
    finder = get_pose_finder(plan)
    find_poses: FindPoses | None = finder.find if finder else None
    rgb = decode_picture(probe)
    replace_file(probe_preview_path(probe.probe_id), encode_jpeg(shrink(rgb, PREVIEW_SIDE), quality=85))
    height, width = rgb.shape[:2]
    faces = [face.box for face in detection.get_detector().detect(rgb)[:MAX_PEOPLE]]
    faces.sort(key=lambda box: (box.left, box.top))
    boxes = [Box(0.0, 0.0, float(width), float(height))]
    boxes += [person_region(face, width, height) for face in faces]
    looks = [describe_picture(rgb, find_poses)]
    looks += [look_at_person(rgb, face, find_poses) for face in faces]
    return boxes, looks


def _finish(
    claim: Claim[LookProbe], plan: LookPlan, boxes: list[Box], looks: list[NDArray[np.float32]]
) -> None:
    with transaction.atomic():
        finish_claim(
            claim,
            descriptor_id=plan.descriptor_id,
            looks=[
                {
                    "box": [round(side, 1) for side in (box.left, box.top, box.right, box.bottom)],
                    "has_pose": has_pose(look),
                }
                for box, look in zip(boxes, looks, strict=True)
            ],
            vectors=np.stack(looks).astype("<f4").tobytes(),
        )


def read_looks(probe: LookProbe) -> NDArray[np.float32]:
    """What the worker saw (n, 578), in the order of `probe.looks`."""
    looks: NDArray[np.float32] = np.frombuffer(bytes(probe.vectors), dtype="<f4").astype(np.float32)
    return looks.reshape(-1, LOOK)


def _judge(probe: LookProbe, error: Exception) -> Fault:
    if isinstance(error, PoseUnavailable):
        reason = "Poses cannot be found now. Tell the administrator; `manage.py check` says what is missing."
        return Fault("pose_unavailable", reason, final=True)
    return judge_fault(probe, error)
