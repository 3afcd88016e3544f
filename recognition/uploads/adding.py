"""Photos in: check a file, keep its bytes, create its Photo, and have it processed. Archives are opened here too."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, Literal, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state
from recognition.images import PhotoInfo, PhotoRefused, decode_photo, read_photo_info
from recognition.models import Event, Photo, Video
from recognition.processing import request_processing, retry_photos
from recognition.storage import Incoming, original_path
from recognition.text import clean_name
from recognition.uploads.archives import is_archive, open_entries
from recognition.uploads.receiving import receive_or_refuse, unreadable_words
from recognition.videos.adding import add_uploaded_video
from recognition.videos.decoding import is_video

# A 50-megapixel photo takes several hundred MB while it is decoded, and eight web threads would do it at once.
_decoding = threading.BoundedSemaphore(2)
Outcome = Literal["added", "duplicate", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadResult:
    """What became of one file. `code` is stable, `message` says what to do; both are empty for an added photo.

    `photo` or `video` is the row of what was added or is there already, if the uploader may see it.
    """

    name: str
    outcome: Outcome
    code: str = ""
    message: str = ""
    photo: Photo | None = None
    video: Video | None = None


def add_uploaded(*, event: Event, files: Iterable[UploadedFile[Any]], user: User) -> list[UploadResult]:
    """What one request brought, through a page or the API."""
    opened = ((file.name or "", cast(BinaryIO, file.file)) for file in files)
    return list(add_files(event=event, files=opened, user=user))


def add_files(
    *, event: Event, files: Iterable[tuple[str, BinaryIO]], user: User | None = None
) -> Iterator[UploadResult]:
    """Add photos, ZIP archives of photos, and videos; one result per photo, as each is done. A bad file never stops the rest."""
    for name, file in files:
        try:
            archive, video = is_archive(file), is_video(file)
        except OSError as error:
            yield _unreadable(clean_name(name)[-255:] or "unnamed", error.strerror)
            continue
        if archive:
            yield from _add_archive(event=event, file=file, name=name, user=user)
        elif video:
            yield _add_video(event=event, file=file, name=name, user=user)
        else:
            yield add_photo(event=event, file=file, name=name, user=user)


def add_photo(*, event: Event, file: BinaryIO, name: str, user: User | None = None) -> UploadResult:
    """Add one photo. Its bytes are durable before its row exists, and its processing is asked for in that transaction."""
    name = clean_name(name)[-255:] or "unnamed"
    try:
        with receive_or_refuse(file) as incoming:
            return _add_incoming(event=event, incoming=incoming, name=name, user=user)
    except PhotoRefused as refusal:
        return UploadResult(name=name, outcome="refused", code=refusal.code, message=refusal.message)


def check_incoming(incoming: Incoming) -> PhotoInfo:
    """The one gate for pictures that come in: its header, its size, and whether it decodes whole. Raises PhotoRefused."""
    with incoming.path.open("rb") as handle:
        heic, max_pixels = settings.FACEVAULT_HEIC, settings.FACEVAULT_MAX_PIXELS
        info = read_photo_info(handle, max_pixels=max_pixels, max_bytes=incoming.byte_size, heic=heic)
        # Only a full decode tells a truncated file from a whole one, while its owner is still there to send it again.
        with _decoding:
            decode_photo(handle, max_pixels=max_pixels, max_bytes=incoming.byte_size, heic=heic)
    return info


def _add_incoming(*, event: Event, incoming: Incoming, name: str, user: User | None) -> UploadResult:
    crash_point("upload_received")
    if known := Photo.objects.filter(event=event, sha256=incoming.sha256).first():
        return _add_again(photo=known, incoming=incoming, name=name, user=user)
    info = check_incoming(incoming)
    byte_size = incoming.byte_size
    try:
        with transaction.atomic():
            # Whoever removes a file that no row needs holds the same lock: it sees this row, or this file comes after it.
            lock_gallery_state()
            if not Event.objects.filter(pk=event.pk, deleted_at=None).exists():
                return _event_gone(name)
            incoming.keep(info.format)
            crash_point("upload_kept")
            photo = Photo.objects.create(
                event=event,
                sha256=incoming.sha256,
                name=name,
                format=info.format,
                byte_size=byte_size,
                width=info.width,
                height=info.height,
                captured_at=read_captured_at(info),
                uploaded_by=user,
            )
            request_processing()
            crash_point("upload_before_commit")
    except IntegrityError:
        if known := Photo.objects.filter(event=event, sha256=incoming.sha256).first():
            # Somebody uploaded the same bytes to this event at the same moment.
            return _duplicate(name, known, user)
        raise
    return UploadResult(name=name, outcome="added", photo=photo)


def _add_archive(*, event: Event, file: BinaryIO, name: str, user: User | None) -> Iterator[UploadResult]:
    max_bytes = settings.FACEVAULT_MAX_ARCHIVE_MB * 1024 * 1024
    try:
        for entry in open_entries(file, max_bytes=max_bytes):
            label = f"{name}: {entry.name}"
            if entry.refusal is not None:
                yield UploadResult(
                    name=clean_name(label),
                    outcome="refused",
                    code=entry.refusal.code,
                    message=entry.refusal.message,
                )
            elif entry.file is not None:
                yield add_photo(event=event, file=entry.file, name=entry.name, user=user)
    except PhotoRefused as refusal:
        yield UploadResult(
            name=clean_name(name)[-255:], outcome="refused", code=refusal.code, message=refusal.message
        )


def _add_video(*, event: Event, file: BinaryIO, name: str, user: User | None) -> UploadResult:
    name = clean_name(name)[-255:] or "unnamed"
    try:
        added = add_uploaded_video(event=event, file=file, name=name, user=user)
    except PhotoRefused as refusal:
        return UploadResult(name=name, outcome="refused", code=refusal.code, message=refusal.message)
    seen = user is None or Video.objects.filter(pk=added.video.pk).visible_to(user).exists()
    video = added.video if seen else None
    if added.outcome == "duplicate":
        words = f"This video is in the event already{f', as {added.video.name}' if seen else ''}."
        return UploadResult(name=name, outcome="duplicate", code="duplicate", message=words, video=video)
    return UploadResult(name=name, outcome="added", video=video)


def _add_again(*, photo: Photo, incoming: Incoming, name: str, user: User | None) -> UploadResult:
    """The event has this photo; uploading it once more brings back a lost original and retries a failed photo."""
    if photo.state == Photo.State.FAILED or not original_path(photo.sha256, photo.format).exists():
        with transaction.atomic():
            lock_gallery_state()
            # Deleted meanwhile: then nothing may bring its bytes back.
            if Photo.objects.filter(pk=photo.pk, event__deleted_at=None).exists():
                incoming.keep(photo.format)
    if retry_photos(Photo.objects.filter(pk=photo.pk)):
        photo.refresh_from_db()
        return UploadResult(name=name, outcome="added", photo=photo if _may_see(user, photo) else None)
    return _duplicate(name, photo, user)


def _duplicate(name: str, photo: Photo, user: User | None) -> UploadResult:
    seen = _may_see(user, photo)
    return UploadResult(
        name=name,
        outcome="duplicate",
        code="duplicate",
        message=f"This photo is in the event already{f', as {photo.name}' if seen else ''}.",
        photo=photo if seen else None,
    )


def _event_gone(name: str) -> UploadResult:
    return UploadResult(
        name=name,
        outcome="refused",
        code="event_gone",
        message="The event was deleted meanwhile. Choose another event and upload the photo there.",
    )


def _may_see(user: User | None, photo: Photo) -> bool:
    """Without a user it is the command line, which sees everything."""
    return user is None or Photo.objects.filter(pk=photo.pk).visible_to(user).exists()


def _unreadable(name: str, error: str | None) -> UploadResult:
    return UploadResult(
        name=name,
        outcome="refused",
        code="unreadable",
        message=unreadable_words(error),
    )


def read_captured_at(info: PhotoInfo) -> datetime | None:
    """Cameras write local time without a zone: it is read in the installation's own zone."""
    if info.captured_at is None:
        return None
    if timezone.is_naive(info.captured_at):
        return timezone.make_aware(info.captured_at)
    return info.captured_at.astimezone(UTC)
