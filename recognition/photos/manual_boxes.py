"""A face that a person draws where the detector saw none: asked for, checked, tried again, taken back."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from access.roles import LABELER, MANAGER
from recognition.gallery_journal import lock_gallery_state
from recognition.geometry import Box
from recognition.leases import ready, request_task, retry_failed, take_up_dropped
from recognition.models import Export, Face, ManualBox, Photo, Probe, UnlabeledFace
from recognition.models._work import MAX_ATTEMPTS
from recognition.tasks import process_boxes

# What the detector itself would keep; below it there is nothing to tell a person by.
MIN_SIDE = 20.0
# The longer side of a head's box is hardly ever twice the shorter one.
_MAX_ASPECT = 3.0
# Two boxes that share more than this are of one face.
_SAME_FACE = 0.5
# The same box sent twice, by a double click say.
_SAME_BOX = 0.95
_INSIDE = 0.5
# After so long without a sign of work the page asks whether the worker runs.
_QUIET = timedelta(seconds=60)
_DIED = (
    f"The worker stopped or hung {MAX_ATTEMPTS} times while it looked at this face; it may need more memory than there "
    "is. Press Try again, or tell the administrator."
)
_UNFINISHED = [ManualBox.State.QUEUED, ManualBox.State.PROCESSING, ManualBox.State.FAILED]


class BoxRefused(Exception):
    """Nothing was written. `code` is stable, the message says what to do; `face` is the one that is there already."""

    def __init__(self, code: str, message: str, *, face: Face | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.face = code, message, face


def boxes_seen_by(user: User) -> QuerySet[ManualBox]:
    """Drawn faces of the events where the user labels."""
    photos = Photo.objects.for_role(user, LABELER, MANAGER)
    return ManualBox.objects.filter(photo__in=photos.order_by().values("pk"))


def list_unfinished(photo: Photo) -> QuerySet[ManualBox]:
    """The faces of a photo that were drawn and are not faces yet, those that failed included."""
    return ManualBox.objects.filter(photo=photo, state__in=_UNFINISHED).order_by("pk")


def draw_box(*, photo: Photo, box: Box, user: User) -> ManualBox:
    """Have a worker make a face of a box, in pixels of the oriented photo; what hangs over the edge is cut off.

    The same box again, while the first one is being looked at, is that one. Raises BoxRefused.
    """
    inside = _check_shape(photo, box)
    with transaction.atomic():
        # Whoever writes or removes faces of a photo holds this lock, and two drawers meet here.
        lock_gallery_state()
        now = Photo.objects.filter(pk=photo.pk, event__deleted_at=None).first()
        if now is None:
            raise BoxRefused("photo_gone", "This photo was deleted meanwhile.")
        if now.state != Photo.State.DONE:
            raise BoxRefused(
                "not_processed",
                "This photo is not processed yet. Its faces are found first; then draw what is missing.",
            )
        refuse_second_face(photo, inside)
        for other in list_unfinished(photo):
            shared = other.box.iou(inside)
            if shared >= _SAME_BOX and other.state != ManualBox.State.FAILED:
                return other
            if shared > _SAME_FACE:
                raise BoxRefused(
                    "drawn_already",
                    "Somebody has drawn this face already. It is listed beside the photo until it is ready.",
                )
        drawn = ManualBox.objects.create(
            photo=photo,
            left=round(inside.left, 2),
            top=round(inside.top, 2),
            width=round(inside.width, 2),
            height=round(inside.height, 2),
            drawn_by=user,
        )
        request_task(process_boxes)
    return drawn


def refuse_second_face(photo: Photo, box: Box) -> None:
    """Raise BoxRefused if the photo has a face at that place already."""
    faces = Face.objects.filter(photo=photo).select_related("unlabeled")
    there = max(faces, key=lambda face: face.box.iou(box), default=None)
    if there is None or there.box.iou(box) <= _SAME_FACE:
        return
    entry: UnlabeledFace | None = getattr(there, "unlabeled", None)
    if entry is not None and entry.verdict == UnlabeledFace.Verdict.NOT_A_FACE:
        message = "Somebody said that this is not a face. Put it back into the queue if it is one."
    else:
        message = "There is a face at this place already. Name that one."
    raise BoxRefused("there_already", message, face=there)


def retry_box(box: ManualBox) -> bool:
    """Try a failed one again; whether it was one."""
    return bool(retry_failed(ManualBox.objects.filter(pk=box.pk), process_boxes))


def remove_box(box: ManualBox) -> bool:
    """Take back a drawn face that is not one yet; a worker that has it in hand finds it gone. Whether it was removed."""
    removed, _ = ManualBox.objects.filter(pk=box.pk, state__in=_UNFINISHED).delete()
    return bool(removed)


def is_box_waiting() -> bool:
    """Whether somebody waits for a drawn face that a worker could begin with now."""
    return ready(waiting_boxes()).exists()


def waiting_boxes() -> QuerySet[ManualBox]:
    return ManualBox.objects.filter(photo__event__deleted_at=None)


def sweep_boxes() -> int:
    """Take up drawn faces whose worker died, and waiting ones without a task; returns how many came from dead workers."""
    return take_up_dropped(waiting_boxes(), process_boxes, reason=_DIED)


def is_stalled(box: ManualBox) -> bool:
    """Whether it waits for longer than it should and no worker has anything in hand."""
    now = timezone.now()
    if box.state not in {ManualBox.State.QUEUED, ManualBox.State.PROCESSING} or box.created_at > now - _QUIET:
        return False
    if box.lease_until is not None and box.lease_until > now - _QUIET:
        return False
    return not any(
        rows.filter(state="processing", lease_until__gt=now).exists()
        for rows in (Photo.objects, Probe.objects, Export.objects)
    )


def _check_shape(photo: Photo, box: Box) -> Box:
    """The part of the box inside the photo. Raises BoxRefused for what cannot be a face."""
    inside = box.clamped(photo.width, photo.height)
    if box.area <= 0 or inside.area < _INSIDE * box.area:
        raise BoxRefused("outside", "The box lies outside the photo. Draw it around the face.")
    if min(inside.width, inside.height) < MIN_SIDE:
        raise BoxRefused(
            "too_small",
            f"The box is smaller than {MIN_SIDE:.0f} pixels of the photo. Draw it around the whole head, or leave this "
            "face out: nobody can be told by so few pixels.",
        )
    if max(inside.width, inside.height) > _MAX_ASPECT * min(inside.width, inside.height):
        raise BoxRefused("no_face_shape", "The box is too long for a face. Draw it around the head alone.")
    return inside
