"""The rows of a demo vault, one by one, before they are written in bulk."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, time, timedelta

from django.utils import timezone

from recognition.demo.cast import Occasion
from recognition.demo.nearest import Nearest
from recognition.demo.studio import Picture, Shot
from recognition.embedders import EmbedderInfo
from recognition.models import Event, Face, Person, Photo, Sighting, UnlabeledFace
from recognition.quality import face_priority


def make_photo(picture: Picture, event: Event, occasion: Occasion, *, number: int) -> Photo:
    """The `number`-th photo of the event: one every few minutes from the afternoon on."""
    start = datetime.combine(occasion.held_on, time(15), tzinfo=timezone.get_current_timezone())
    return Photo(
        event=event,
        sha256=picture.sha256,
        name=f"{occasion.name.lower().replace(' ', '-')}-{number + 1:03}.jpg",
        format="JPEG",
        byte_size=picture.byte_size,
        width=picture.width,
        height=picture.height,
        captured_at=start + timedelta(minutes=4 * number),
        state=Photo.State.DONE,
        attempts=1,
        processed_at=timezone.now(),
    )


def make_face(photo: Photo, shot: Shot, *, detector_score: float) -> Face:
    box = shot.box
    return Face(
        photo=photo,
        left=round(box.left, 2),
        top=round(box.top, 2),
        width=round(box.width, 2),
        height=round(box.height, 2),
        landmarks=shot.landmarks,
        detector_score=round(detector_score, 4),
        size=round(min(box.width, box.height), 2),
        sharpness=shot.sharpness,
        yaw=round(shot.pose.yaw, 1),
        pitch=round(shot.pose.pitch, 1),
        roll=round(shot.pose.roll, 1),
        crop=shot.crop,
    )


def machine_sighting(
    face: Face, person: Person, found: Nearest, info: EmbedderInfo, *, moment: datetime
) -> Sighting:
    return Sighting(
        face=face,
        person=person,
        similarity=found.similarity,
        margin=found.margin,
        references=found.references,
        thresholds=asdict(info.shipped),
        embedder_id=info.embedder_id,
        decided_by=Sighting.DecidedBy.MACHINE,
        seen_at=face.photo.taken_at,
        created_at=moment,
    )


def human_sighting(face: Face, person: Person, info: EmbedderInfo, *, moment: datetime) -> Sighting:
    return Sighting(
        face=face,
        person=person,
        embedder_id=info.embedder_id,
        decided_by=Sighting.DecidedBy.HUMAN,
        is_reference=True,
        seen_at=face.photo.taken_at,
        created_at=moment,
    )


def named_entry(face: Face) -> UnlabeledFace:
    return UnlabeledFace(
        face=face, reviewed=True, verdict=UnlabeledFace.Verdict.LABEL, priority=_priority(face)
    )


def open_entry(face: Face) -> UnlabeledFace:
    return UnlabeledFace(face=face, priority=_priority(face))


def _priority(face: Face) -> float:
    return face_priority(face.size, face.detector_score, face.yaw)
