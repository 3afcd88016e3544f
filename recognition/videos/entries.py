"""The second step of a video: the best frame of each appearance becomes a photo, the face in it a sighting or a queue entry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from recognition import detection
from recognition.active_embedder import require_active
from recognition.crash_points import crash_point
from recognition.detection import DetectedFace
from recognition.embedders import Embedder
from recognition.faults import GalleryBusy
from recognition.found_faces import FoundFace, write_face
from recognition.images import encode_jpeg, shrink
from recognition.ingest import PREVIEW_SIDE, THUMB_SIDE, Matched, describe_faces
from recognition.leases import Claim, finish_claim
from recognition.matching import Match
from recognition.models import Photo, Track, Video, VideoFrame
from recognition.quality import QUEUE
from recognition.signals import faces_queued
from recognition.storage import original_path, preview_path, thumb_path, write_crop, write_file
from recognition.videos.appearances import Appearance, Likeness, is_worth_an_entry
from recognition.videos.claims import write_held
from recognition.videos.decoding import Frame, VideoRefused, pick_frames
from recognition.videos.files import file_of
from recognition.videos.matching_tracks import match_appearances
from recognition.videos.seen import read_seen
from recognition.videos.tracks import follow_faces
from recognition.videos.words import clock

_JPEG_QUALITY = 92
_MATCH_ROUNDS = 20
_NAME_LENGTH = 255
# How alike two faces of other people still are in a video, as a share of the line from which a suggestion is shown.
_OTHER_SHARE = 0.3


class _Shown(NamedTuple):
    """A best frame, ready to be written: its photo, its bytes, the faces that it is the best of."""

    photo: Photo
    files: list[tuple[Path, bytes]]
    found: list[FoundFace]


def write_entries(claim: Claim[Video], embedder: Embedder, stop: Callable[[], bool]) -> bool:
    """Write the photos that are not written yet, then finish; False if asked to stop before."""
    video = claim.row
    by_frame = _group(find_appearances(video, embedder))
    written = set(Photo.objects.filter(video=video).values_list("frame_number", flat=True))
    missing = {number: found for number, found in by_frame.items() if number not in written}
    wanted = [(number, found[0].at_ms) for number, found in missing.items()]
    matcher = _Matcher(video, [one for found in missing.values() for one in found], embedder)
    if wanted:
        with pick_frames(file_of(video), wanted=wanted, max_pixels=video.width * video.height) as reader:
            for frame in reader:
                appearances = missing.pop(frame.number)
                shown = _show(video, frame, appearances, embedder)
                crash_point("video_photo_ready")
                _write(claim, shown, appearances, matcher)
                crash_point("video_photo_written")
                if missing and stop():
                    return False
        if missing:
            raise VideoRefused("damaged")
    with transaction.atomic():
        finish_claim(claim)
        if claim.row.failure_code == "damaged":
            # What could be read is done; that there was more stays told.
            Video.objects.filter(pk=video.pk).update(
                failure_code=claim.row.failure_code, failure_reason=claim.row.failure_reason
            )
        VideoFrame.objects.filter(video=video).delete()
        crash_point("before_video_commit")
    crash_point("video_finished")
    return True


def find_appearances(video: Video, embedder: Embedder) -> list[Appearance]:
    """Those that somebody should be asked about, or that may get a name."""
    lines = embedder.thresholds
    likeness = Likeness(same=lines.strict, alike=lines.suggest, other=_OTHER_SHARE * lines.suggest)
    return [
        one
        for one in follow_faces(read_seen(video), likeness)
        if is_worth_an_entry(one) and QUEUE.takes(one.best.size, one.best.score, one.best.sharpness)
    ]


def _group(appearances: Sequence[Appearance]) -> dict[int, list[Appearance]]:
    """By the number of their best frame, in its order."""
    by_frame: dict[int, list[Appearance]] = {}
    for one in sorted(appearances, key=lambda one: one.number):
        by_frame.setdefault(one.number, []).append(one)
    return by_frame


class _Matcher:
    """What the gallery says of the appearances that are not written yet; asked again when it has changed."""

    def __init__(self, video: Video, appearances: Sequence[Appearance], embedder: Embedder) -> None:
        self._video = video
        self._left = list(appearances)
        self._embedder = embedder
        self.matched: Matched | None = None
        self._matches: Mapping[int, Match] = {}

    def ask(self) -> Matched:
        if self.matched is None:
            self.matched = match_appearances(self._video, self._left, embedder_id=self._embedder.embedder_id)
            self._matches = {
                id(one): match for one, match in zip(self._left, self.matched.matches, strict=True)
            }
        return self.matched

    def forget(self) -> None:
        self.matched = None

    def match_of(self, appearance: Appearance) -> Match:
        return self._matches[id(appearance)]

    def leave_out(self, written: Sequence[Appearance]) -> None:
        self._left = [one for one in self._left if one not in written]


def _show(video: Video, frame: Frame, appearances: Sequence[Appearance], embedder: Embedder) -> _Shown:
    detected = [DetectedFace(one.best.box, one.best.landmarks, one.best.score) for one in appearances]
    described = describe_faces(frame.rgb, detected, embedder)
    # The one that was matched, to the last bit.
    found = [replace(face, vector=one.best.vector) for face, one in zip(described, appearances, strict=True)]
    jpeg = _mark(encode_jpeg(frame.rgb, quality=_JPEG_QUALITY), video, frame)
    height, width = frame.rgb.shape[:2]
    photo = Photo(
        event_id=video.event_id,
        sha256=hashlib.sha256(jpeg).hexdigest(),
        name=_name(video, frame),
        format="JPEG",
        byte_size=len(jpeg),
        width=width,
        height=height,
        captured_at=video.started_at and video.started_at + timedelta(milliseconds=frame.at_ms),
        uploaded_by_id=video.uploaded_by_id,
        detector_id=detection.get_detector().detector_id,
        origin=Photo.Origin.FRAME,
        video=video,
        frame_number=frame.number,
        frame_ms=frame.at_ms,
        state=Photo.State.DONE,
    )
    files = [
        (original_path(photo.sha256, "JPEG"), jpeg),
        (preview_path(photo), encode_jpeg(shrink(frame.rgb, PREVIEW_SIDE), quality=85)),
        (thumb_path(photo), encode_jpeg(shrink(frame.rgb, THUMB_SIDE), quality=80)),
    ]
    for face in found:
        write_crop(face.crop_jpeg)
    return _Shown(photo, files, found)


def _write(claim: Claim[Video], shown: _Shown, appearances: Sequence[Appearance], matcher: _Matcher) -> None:
    for _ in range(_MATCH_ROUNDS):
        matched = matcher.ask()
        crash_point("video_matched")
        with transaction.atomic():
            # A decision waits until this photo is written, or the photo sees the decision.
            if not matched.still_holds(claim.row.event_id):
                matcher.forget()
                continue
            require_active(matched.embedder_id)
            write_held(claim)
            # Under the lock: whoever removes such a file sees this row, or the file comes after it.
            for path, data in shown.files:
                write_file(path, data)
            photo = shown.photo
            photo.processed_at = timezone.now()
            photo.save(force_insert=True)
            for found, one in zip(shown.found, appearances, strict=True):
                match = matcher.match_of(one)
                face = write_face(photo, found, match, embedder_id=matched.embedder_id)
                Track.objects.create(
                    video=claim.row, face=face, first_ms=one.first_ms, last_ms=one.last_ms, frames=one.frames
                )
            if any(matcher.match_of(one).person_id is None for one in appearances):
                faces_queued.send(Photo, photo=photo)
            crash_point("before_video_photo_commit")
        matcher.leave_out(appearances)
        return
    raise GalleryBusy


def _mark(jpeg: bytes, video: Video, frame: Frame) -> bytes:
    """With a comment that says whose frame it is: two frames of a camera that stands still have other bytes, then."""
    comment = f"frame {frame.number} of {video.sha256}".encode()
    return jpeg[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + jpeg[2:]


def _name(video: Video, frame: Frame) -> str:
    tail = f" at {clock(frame.at_ms, tenths=True)}"
    return video.name[: _NAME_LENGTH - len(tail)] + tail
