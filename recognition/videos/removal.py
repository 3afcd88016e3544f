"""A video out: its frames' photos by the rules of photos, then what was noted of it, then the uploaded copy."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Face, Photo, Sighting, Video
from recognition.photos.removal import remove_photos
from recognition.videos.files import remove_unused_copy

# A labeler's decision waits for one batch at most.
_PHOTOS_PER_BATCH = 200
_GOING = "This video is being deleted. If it is still here in a minute, delete it again."


class VideoRefusal(Exception):
    """Nothing was changed; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What goes away with a video."""

    photos: int
    faces: int
    verified: int


def count_consequences(video: Video) -> Consequences:
    sightings = Sighting.objects.filter(face__photo__video=video)
    return Consequences(
        photos=Photo.objects.filter(video=video).count(),
        faces=Face.objects.filter(photo__video=video).count(),
        verified=sightings.filter(decided_by=Sighting.DecidedBy.HUMAN).count(),
    )


def delete_video(video: Video) -> None:
    """Remove the video, its photos and their faces. Raises VideoRefusal while a worker has it in hand."""
    with transaction.atomic():
        lock_gallery_state()
        # Failed: no worker takes it up again while its photos go.
        stopped = _free(Video.objects.filter(pk=video.pk)).update(
            state=Video.State.FAILED,
            lease=None,
            lease_until=None,
            failure_code="deleting",
            failure_reason=_GOING,
        )
        if not stopped:
            raise VideoRefusal(
                "A worker has a part of this video in hand. Wait half a minute and delete it then."
            )
    while True:
        with transaction.atomic():
            lock_gallery_state()
            pks = list(Photo.objects.filter(video=video).values_list("pk", flat=True)[:_PHOTOS_PER_BATCH])
            if not pks:
                remove_row(video)
                return
            remove_photos(pks)
            crash_point("video_photos_removed")


def remove_free_video(videos: QuerySet[Video]) -> bool:
    """Remove one of these that nobody works on and that has no photos left; whether there was one. Under the gallery's lock."""
    video = _free(videos).filter(photos=None).select_for_update(of=("self",)).first()
    if video is None:
        return False
    remove_row(video)
    return True


def remove_row(video: Video) -> None:
    """The row with its frames, and the copy that no other event needs. Under the gallery's lock."""
    Video.objects.filter(pk=video.pk).delete()
    if not video.source:
        remove_unused_copy(video.sha256)


def _free(videos: QuerySet[Video]) -> QuerySet[Video]:
    return videos.filter(~Q(state=Video.State.PROCESSING) | Q(lease_until__lte=timezone.now()))
