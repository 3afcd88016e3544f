"""Videos in: an upload is copied, a file that a command names is read in place; each is in an event once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state
from recognition.images import PhotoRefused
from recognition.models import Event, Video
from recognition.storage import Incoming, video_path
from recognition.text import clean_name
from recognition.uploads.receiving import receive_or_refuse
from recognition.videos.decoding import DecoderDied, VideoInfo, VideoRefused, read_video_info
from recognition.videos.files import file_of
from recognition.videos.work import request_video_processing, retry_videos

_CHUNK = 4 * 1024 * 1024
_TOO_LARGE = "The video is larger than {} MB. Cut it into parts, or let the administrator run `manage.py ingest_video`."


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedVideo:
    """What became of a recording: a new row, or the one that the event has already, which may be tried again."""

    outcome: Literal["added", "again", "duplicate"]
    video: Video


def add_uploaded_video(*, event: Event, file: BinaryIO, name: str, user: User | None) -> AddedVideo:
    """Copy an upload into the data folder and have it processed. Raises PhotoRefused."""
    limit = settings.FACEVAULT_MAX_VIDEO_MB
    with receive_or_refuse(file, max_mb=limit, too_large=_TOO_LARGE) as incoming:
        return _add_incoming(event=event, incoming=incoming, name=name, user=user)


def add_video_in_place(
    *, event: Event, path: Path, interval_ms: int | None, on_bytes: Callable[[int], object]
) -> AddedVideo:
    """Add a file that stays where it is. `on_bytes` hears how many were read for its sum. Raises PhotoRefused, OSError."""
    sha256 = sum_file(path, on_bytes)
    source = str(path.resolve())
    if known := _known(event, sha256):
        if known.source and known.source != source and not file_of(known).exists():
            # It was moved since; where it is now is as good.
            Video.objects.filter(pk=known.pk).update(source=source)
        return _again(known)
    info = _read_info(path)
    video = Video(
        event=event,
        sha256=sha256,
        name=clean_name(path.name)[-255:] or "unnamed",
        byte_size=path.stat().st_size,
        source=source,
    )
    return _create(video, info, interval_ms=interval_ms, keep=None)


def sum_file(path: Path, on_bytes: Callable[[int], object]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            on_bytes(len(chunk))
    return digest.hexdigest()


def _add_incoming(*, event: Event, incoming: Incoming, name: str, user: User | None) -> AddedVideo:
    if known := _known(event, incoming.sha256):
        if not known.source and not file_of(known).exists():
            with transaction.atomic():
                lock_gallery_state()
                # Deleted meanwhile: then nothing may bring its bytes back.
                if Video.objects.filter(pk=known.pk, event__deleted_at=None).exists():
                    incoming.move_to(video_path(incoming.sha256))
        return _again(known)
    info = _read_info(incoming.path)
    video = Video(
        event=event, sha256=incoming.sha256, name=name, byte_size=incoming.byte_size, uploaded_by=user
    )
    return _create(video, info, interval_ms=None, keep=incoming)


def _create(video: Video, info: VideoInfo, *, interval_ms: int | None, keep: Incoming | None) -> AddedVideo:
    video.width, video.height = info.width, info.height
    video.duration_ms, video.started_at = info.duration_ms, info.started_at
    video.interval_ms = interval_ms or settings.FACEVAULT_VIDEO_INTERVAL_MS
    video.frames_total = video.duration_ms // video.interval_ms + 1
    try:
        with transaction.atomic():
            # Whoever removes a copy that no row needs holds the same lock.
            lock_gallery_state()
            if not Event.objects.filter(pk=video.event_id, deleted_at=None).exists():
                message = "The event was deleted meanwhile. Choose another event and add the video there."
                raise PhotoRefused("event_gone", message)
            if keep is not None:
                keep.move_to(video_path(video.sha256))
            crash_point("video_kept")
            video.save(force_insert=True)
            request_video_processing()
    except IntegrityError:
        if known := _known(video.event, video.sha256):
            # Somebody added the same bytes to this event at the same moment.
            return AddedVideo(outcome="duplicate", video=known)
        raise
    return AddedVideo(outcome="added", video=video)


def _known(event: Event, sha256: str) -> Video | None:
    return Video.objects.filter(event=event, sha256=sha256).first()


def _again(known: Video) -> AddedVideo:
    """The event has this video; adding it once more tries a failed one again, and changes nothing else."""
    if retry_videos(Video.objects.filter(pk=known.pk)):
        known.refresh_from_db()
        return AddedVideo(outcome="again", video=known)
    return AddedVideo(outcome="duplicate", video=known)


def _read_info(path: Path) -> VideoInfo:
    try:
        return read_video_info(
            path,
            max_pixels=settings.FACEVAULT_MAX_PIXELS,
            max_minutes=settings.FACEVAULT_MAX_VIDEO_MINUTES,
        )
    except DecoderDied as error:
        raise VideoRefused(error.code) from error
