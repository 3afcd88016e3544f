"""Once a portrait was processed, its one face is named after its person: a decision of whoever imported it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID, uuid5

from django.db import transaction
from django.db.models import QuerySet

from labeling.decisions import DecisionConflict, PersonGone, label_face
from labeling.models import Enrolment
from recognition.active_embedder import WrongEmbedder, get_active_embedder_id, require_active
from recognition.detection import DetectedFace
from recognition.embedders import get_embedder
from recognition.gallery_journal import lock_gallery_state
from recognition.images import PhotoRefused
from recognition.ingest import decode_original, describe_faces
from recognition.leases import request_task, stopping
from recognition.models import Face, Photo, Sighting, UnlabeledFace
from recognition.photos.drawn_faces import add_open_face, find_padded
from recognition.signals import faces_queued

logger = logging.getLogger(__name__)

# Whoever stands behind the person is smaller than that share of their face.
_BACKGROUND = 1 / 3
# One decision for each enrolment, however often a killed worker begins with it again.
_NAMESPACE = UUID("5b0a6a0f-8b0c-4c55-9f0e-3e7a3f1f2d11")
_FINISHED = [Photo.State.DONE, Photo.State.FAILED]


class _Refused(Exception):
    """The portrait is no reference for the person; the message says why."""


def enroll_waiting(pause: Callable[[], bool] = stopping.is_set) -> int:
    """Settle every enrolment whose photo was processed, oldest first, until `pause` says so; returns how many.

    Not inside a transaction.
    """
    settled = 0
    after = 0
    while not pause():
        enrolment = _due().filter(pk__gt=after).order_by("pk").first()
        if enrolment is None:
            break
        after = enrolment.pk
        settled += _settle(enrolment)
    return settled


def is_enrolment_due() -> bool:
    return _due().exists()


def request_enrolling() -> None:
    """Have a worker look for portraits that were processed. Belongs into the transaction that makes one due."""
    from labeling.tasks import enroll_portraits

    request_task(enroll_portraits)


def sweep_enrolments() -> None:
    """Have a worker settle what was processed since, or what a dead one dropped."""
    if is_enrolment_due():
        with transaction.atomic():
            request_enrolling()


def _due() -> QuerySet[Enrolment]:
    waiting = Enrolment.objects.filter(
        state=Enrolment.State.WAITING, photo__state__in=_FINISHED, photo__event__deleted_at=None
    )
    return waiting.select_related("photo", "person", "user")


def _settle(enrolment: Enrolment) -> bool:
    """Name the face, or say why not. Whether it is settled: what somebody does at this moment is looked at again."""
    try:
        _enroll(enrolment)
    except _Refused as refused:
        return _close(enrolment, Enrolment.State.REFUSED, str(refused))
    except PersonGone:
        return _close(enrolment, Enrolment.State.REFUSED, "The person was deleted or merged meanwhile.")
    except (DecisionConflict, WrongEmbedder):
        return False
    except (PhotoRefused, OSError) as error:
        logger.warning("the portrait of enrolment %s cannot be read", enrolment.pk, exc_info=True)
        words = error.message if isinstance(error, PhotoRefused) else "Its file cannot be read any more."
        return _close(enrolment, Enrolment.State.REFUSED, words)
    return _close(enrolment, Enrolment.State.DONE, "")


def _close(enrolment: Enrolment, state: Enrolment.State, reason: str) -> bool:
    waiting = Enrolment.objects.filter(pk=enrolment.pk, state=Enrolment.State.WAITING)
    # A merge gives it to somebody else, and with them it is looked at again.
    waiting = waiting.filter(person=enrolment.person_id)
    return bool(waiting.update(state=state, reason=reason[:200]))


def _enroll(enrolment: Enrolment) -> None:
    photo, person = enrolment.photo, enrolment.person
    if photo.state == Photo.State.FAILED:
        raise _Refused(photo.failure_reason or "The portrait could not be processed.")
    if enrolment.user is None:
        raise _Refused("The account that imported it is gone. Import the list again.")
    face = _find_face(photo)
    sighting = Sighting.objects.select_related("person").filter(face=face).first()
    if sighting is not None and sighting.person_id != person.pk:
        if sighting.decided_by == Sighting.DecidedBy.HUMAN:
            raise _Refused(f"Somebody named this face {sighting.person.name}.")
        raise _Refused(
            f"FaceVault takes this face for {sighting.person.name}. If the portrait is right, name the face by hand."
        )
    if sighting is not None and sighting.is_reference:
        return
    if face.poor:
        what = f"small ({face.size:.0f} pixels)" if face.fault == "small" else face.fault
        raise _Refused(f"The face is too {what} to know anybody by. Take a larger and sharper portrait.")
    label_face(
        face=face,
        actor=enrolment.user,
        person=person,
        version=face.version,
        key=uuid5(_NAMESPACE, f"{enrolment.pk} {person.pk}"),
    )


def _find_face(photo: Photo) -> Face:
    """The one face of a portrait; people in its background do not count. Raises _Refused."""
    faces = _large_faces(photo) or _look_closer(photo)
    if len(faces) > 1:
        raise _Refused(f"There are {len(faces)} faces on it. Cut it to the one person, and import it again.")
    return faces[0]


def _large_faces(photo: Photo) -> list[Face]:
    faces = list(
        Face.objects.filter(photo=photo)
        .exclude(unlabeled__verdict=UnlabeledFace.Verdict.NOT_A_FACE)
        .select_related("photo")
    )
    largest = max((face.size for face in faces), default=0.0)
    return [face for face in faces if face.size >= _BACKGROUND * largest]


def _look_closer(photo: Photo) -> list[Face]:
    """A portrait that is cut too tightly for the detector: in a grey frame its face is found."""
    rgb = decode_original(photo)
    found = find_padded(rgb)
    if not found:
        raise _Refused("No face was found on it. Take a portrait from the front that shows the whole head.")
    height, width = rgb.shape[:2]
    largest = max(face.box.area for face in found)
    seen = [face for face in found if face.box.area >= _BACKGROUND**2 * largest]
    if len(seen) > 1:
        raise _Refused(f"There are {len(seen)} faces on it. Cut it to the one person, and import it again.")
    inside = [DetectedFace(seen[0].box.clamped(width, height), seen[0].landmarks, seen[0].score)]
    embedder = get_embedder(get_active_embedder_id())
    described = describe_faces(rgb, inside, embedder)[0]
    with transaction.atomic():
        lock_gallery_state()
        require_active(embedder.embedder_id)
        if faces := _large_faces(photo):
            return faces  # another worker was here first
        if not Photo.objects.filter(pk=photo.pk).exists():
            raise _Refused("The portrait was deleted meanwhile.")
        face = add_open_face(photo, described, embedder_id=embedder.embedder_id, by_hand=False)
        faces_queued.send(Photo, photo=photo)
    return [face]
