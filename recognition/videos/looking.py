"""The first step of a video: every frame of the interval looked at, each noted as a row, so that a killed worker goes on behind it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from recognition import detection
from recognition.crash_points import crash_point
from recognition.embedders import Embedder
from recognition.gallery_journal import lock_gallery_state
from recognition.ingest import describe_faces
from recognition.leases import Claim
from recognition.models import Photo, Sighting, UnlabeledFace, Video, VideoFrame
from recognition.photos.removal import remove_photos
from recognition.videos.claims import write_held
from recognition.videos.decoding import sample_frames
from recognition.videos.files import file_of
from recognition.videos.seen import write_seen


def prepare(claim: Claim[Video], embedder: Embedder) -> None:
    """Begin, or begin again where another embedder or detector saw the first frames: their vectors are not compared."""
    video = claim.row
    detector_id = detection.get_detector().detector_id
    if (video.embedder_id, video.detector_id) == (embedder.embedder_id, detector_id):
        return
    with transaction.atomic():
        lock_gallery_state()
        write_held(
            claim,
            embedder_id=embedder.embedder_id,
            detector_id=detector_id,
            frames_done=0,
            frames_total=video.duration_ms // video.interval_ms + 1,
            begun_at=timezone.now(),
        )
        VideoFrame.objects.filter(video=video).delete()
        remove_photos(_undecided(video))
    video.refresh_from_db()


def look_at_frames(claim: Claim[Video], embedder: Embedder, stop: Callable[[], bool]) -> bool:
    """Look at what was not looked at yet; False if asked to stop before the end. A damaged end is noted."""
    video = claim.row
    last = VideoFrame.objects.filter(video=video).order_by("number").values_list("number", "at_ms").last()
    limit = settings.FACEVAULT_MAX_VIDEO_MINUTES
    with sample_frames(
        file_of(video),
        interval_ms=video.interval_ms,
        after=last,
        max_pixels=max(settings.FACEVAULT_MAX_PIXELS, video.width * video.height),
        # What was taken in stays taken in, when the limit is lowered later.
        max_minutes=max(limit, video.duration_ms // 60_000 + 1),
    ) as reader:
        for frame in reader:
            found = describe_faces(frame.rgb, detection.get_detector().detect(frame.rgb), embedder)
            crash_point("video_frame_described")
            with transaction.atomic():
                write_held(claim, frames_done=F("frames_done") + 1)
                write_seen(video, frame, found)
                crash_point("before_video_frame_commit")
            crash_point("video_frame_written")
            if stop():
                return False
    if reader.damaged:
        _note_damage(claim, reader.end_ms)
    return True


def _note_damage(claim: Claim[Video], end_ms: int) -> None:
    reason = (
        f"The file is damaged: it could be read up to {end_ms // 60_000}:{end_ms // 1000 % 60:02d} of "
        f"{claim.row.duration_ms // 60_000}:{claim.row.duration_ms // 1000 % 60:02d}. What was seen is here."
    )
    write_held(claim, failure_code="damaged", failure_reason=reason)
    claim.row.failure_code, claim.row.failure_reason = "damaged", reason


def _undecided(video: Video) -> list[int]:
    """The photos that an earlier beginning wrote, but for those that somebody decided about."""
    photos = Photo.objects.filter(video=video)
    named = Sighting.objects.filter(face__photo__video=video, decided_by=Sighting.DecidedBy.HUMAN)
    called = UnlabeledFace.objects.filter(face__photo__video=video, reviewed=True)
    decided = {*named.values_list("face__photo", flat=True), *called.values_list("face__photo", flat=True)}
    return [pk for pk in photos.values_list("pk", flat=True) if pk not in decided]
