"""Photos that nobody has looked at yet: which they are, and what they look like, in the background.

The rows themselves say what is missing: a photo without a look of the descriptor in use, or with a face that came later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from numpy.typing import NDArray

from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state
from recognition.geometry import Box
from recognition.images import PhotoRefused
from recognition.ingest import decode_original
from recognition.leases import request_task
from recognition.looks._mediapipe import PoseUnavailable
from recognition.looks.descriptor import FindPoses, describe_picture, has_pose, person_region
from recognition.looks.plan import LookPlan, get_pose_finder, is_look_search_on, read_plan
from recognition.models import Face, Photo, PhotoLook
from recognition.querysets import PhotoQuerySet
from recognition.vectors import encode_vector

logger = logging.getLogger(__name__)

SLICE = 16
# One that runs for longer was left by a killed worker.
_RUNNING = timedelta(minutes=10)


def photos_to_describe(plan: LookPlan, photos: PhotoQuerySet | None = None) -> PhotoQuerySet:
    """The processed ones among them of which a look is missing. A stand-in shows nothing but faces."""
    looks = PhotoLook.objects.filter(descriptor_id=plan.descriptor_id)
    whole = looks.filter(photo=OuterRef("pk"), face__isnull=True)
    faces = Face.objects.filter(photo=OuterRef("pk")).exclude(Exists(looks.filter(face=OuterRef("pk"))))
    return photos_with_looks(photos).filter(~Exists(whole) | Exists(faces.order_by()))


def photos_with_looks(photos: PhotoQuerySet | None = None) -> PhotoQuerySet:
    """Those that may have a look at all."""
    rows = Photo.objects.all() if photos is None else photos
    return rows.filter(state=Photo.State.DONE, event__deleted_at=None).exclude(origin=Photo.Origin.STAND_IN)


def describe_photo(photo: Photo, plan: LookPlan) -> bool:
    """Write what a photo and the people on it look like, in place of what was written before; whether it could be seen.

    Not inside a transaction. A photo that cannot be read gets empty looks, so that it is not tried for ever.
    """
    find_poses = get_pose_finder(plan)
    faces = {face.pk: face.box for face in Face.objects.filter(photo=photo).order_by("pk")}
    looks: dict[int | None, NDArray[np.float32]] = {}
    try:
        rgb = decode_original(photo)
    except (PhotoRefused, OSError) as error:
        logger.warning("photo %s has no look: its file cannot be read (%s)", photo.pk, type(error).__name__)
    else:
        looks = _look_at(rgb, faces, find_poses.find if find_poses else None)
    crash_point("look_described")
    _write(photo, plan, faces, looks)
    crash_point("look_written")
    return bool(looks)


def _look_at(
    rgb: NDArray[np.uint8], faces: dict[int, Box], find_poses: FindPoses | None
) -> dict[int | None, NDArray[np.float32]]:
    found: dict[int | None, NDArray[np.float32]] = {None: describe_picture(rgb, find_poses)}
    for pk, face in faces.items():
        found[pk] = look_at_person(rgb, face, find_poses)
    return found


def look_at_person(rgb: NDArray[np.uint8], face: Box, find_poses: FindPoses | None) -> NDArray[np.float32]:
    """The look of the person around a face."""
    height, width = rgb.shape[:2]
    region = person_region(face, width, height)
    left = min(int(region.left), width - 1)
    top = min(int(region.top), height - 1)
    right, bottom = max(left + 1, round(region.right)), max(top + 1, round(region.bottom))
    inside = Box(face.left - left, face.top - top, face.right - left, face.bottom - top)
    return describe_picture(rgb[top:bottom, left:right], find_poses, face=inside)


def _write(
    photo: Photo, plan: LookPlan, faces: dict[int, Box], looks: dict[int | None, NDArray[np.float32]]
) -> None:
    with transaction.atomic():
        # Whoever removes the photo, or looks for its faces anew, holds the same lock.
        lock_gallery_state()
        if not photos_with_looks(Photo.objects.filter(pk=photo.pk)).exists():
            return
        here = {face.pk: face.box for face in Face.objects.filter(photo=photo)}
        PhotoLook.objects.filter(photo=photo).delete()
        # A face that came, or whose box changed, since the photo was looked at is still missing and has its turn.
        wanted: list[int | None] = [None, *(pk for pk, box in faces.items() if here.get(pk) == box)]
        PhotoLook.objects.bulk_create(
            PhotoLook(
                photo=photo,
                face_id=pk,
                descriptor_id=plan.descriptor_id,
                has_pose=pk in looks and has_pose(looks[pk]),
                vector=encode_vector(looks[pk]) if pk in looks else b"",
            )
            for pk in wanted
        )


def count_looks() -> dict[str, Any]:
    """How far it is, in numbers; `poses` False where colors alone are compared. Raises nothing: `problem` tells."""
    try:
        plan = read_plan()
    except PoseUnavailable as error:
        return {
            "descriptor": None,
            "poses": False,
            "problem": str(error),
            "photos": 0,
            "people": 0,
            "with_pose": 0,
        }
    looks = PhotoLook.objects.filter(descriptor_id=plan.descriptor_id).order_by()
    counts = looks.aggregate(
        photos=Count("pk", filter=Q(face__isnull=True)),
        people=Count("pk", filter=Q(face__isnull=False)),
        with_pose=Count("pk", filter=Q(has_pose=True)),
    )
    return {"descriptor": plan.descriptor_id, "poses": plan.has_pose, "problem": "", **counts}


class _Progress:
    """What this process knows of the work, so that nobody reads every row again where nothing is to do."""

    def __init__(self) -> None:
        self.after = 0
        self.complete: tuple[object, ...] | None = None


_progress = _Progress()


def describe_some(interrupted: Callable[[], bool]) -> bool:
    """Describe the next few photos; whether there may be more. Raises PoseUnavailable."""
    if not is_look_search_on():
        return False
    plan = read_plan()
    get_pose_finder(plan)
    stamp = _stamp(plan)
    missing = photos_to_describe(plan).order_by("pk")
    part = list(missing.filter(pk__gt=_progress.after)[:SLICE])
    if not part and _progress.after:
        _progress.after = 0
        part = list(missing[:SLICE])
    for photo in part:
        if interrupted():
            return True
        describe_photo(photo, plan)
        _progress.after = photo.pk
    if part:
        return True
    _progress.complete = stamp
    return False


def sweep_looks() -> bool:
    """Ask for the work if there is any; whether it did."""
    if not is_look_search_on():
        return False
    plan = read_plan()
    stamp = _stamp(plan)
    if stamp == _progress.complete or _is_running():
        return False
    if not photos_to_describe(plan).exists():
        _progress.complete = stamp
        return False
    request_looks()
    return True


def request_looks() -> None:
    """Have a worker look at what is missing, behind everything that somebody waits for."""
    from recognition.tasks import describe_photos

    with transaction.atomic():
        request_task(describe_photos)


def _is_running() -> bool:
    from recognition.tasks import describe_photos

    tasks = DBTaskResult.objects.filter(
        task_path=describe_photos.module_path,
        status=TaskResultStatus.RUNNING,
        started_at__gt=timezone.now() - _RUNNING,
    )
    return tasks.exists()


def _stamp(plan: LookPlan) -> tuple[object, ...]:
    """Changes with everything that may make a look missing, and is cheap to ask for."""
    looks = PhotoLook.objects.filter(descriptor_id=plan.descriptor_id).order_by()
    return (
        plan.descriptor_id,
        Photo.objects.filter(state=Photo.State.DONE).count(),
        Face.objects.order_by().aggregate(last=Max("pk"))["last"],
        looks.count(),
        looks.aggregate(last=Max("pk"))["last"],
    )
