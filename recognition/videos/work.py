"""Videos that wait: one at a time is claimed, worked on for a slice, and given back; what a dead worker dropped is taken up."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.db.models import QuerySet

from recognition.active_embedder import WrongEmbedder, get_active_embedder_id
from recognition.crash_points import crash_point
from recognition.embedders import get_embedder
from recognition.faults import Fault, GalleryBusy, tell_fault
from recognition.leases import (
    Claim,
    LeaseLost,
    claim_next,
    keep_lease,
    release_claim,
    request_task,
    retry_failed,
    take_up_dropped,
)
from recognition.models import Video
from recognition.models._work import MAX_ATTEMPTS
from recognition.tasks import process_videos
from recognition.videos.decoding import DecoderDied, VideoRefused
from recognition.videos.entries import write_entries
from recognition.videos.files import file_of
from recognition.videos.looking import look_at_frames, prepare

logger = logging.getLogger(__name__)

_DIED = (
    f"The worker stopped or hung {MAX_ATTEMPTS} times in a row at one place of this video; it may need more memory than "
    "there is. Press Retry; if it fails again, convert it to a smaller MP4 and add that."
)


def waiting_videos() -> QuerySet[Video]:
    """The videos that may be processed: those of an event that is being deleted are left to the deletion."""
    return Video.objects.filter(event__deleted_at=None)


def request_video_processing() -> None:
    """Have a worker look for waiting videos."""
    request_task(process_videos)


def retry_videos(videos: QuerySet[Video]) -> int:
    """Let the failed ones among these go on where they stopped; returns how many."""
    return retry_failed(videos.exclude(failure_code="deleting"), process_videos)


def sweep_videos() -> int:
    """Take up videos whose worker died, and waiting ones without a task; returns how many came from dead workers."""
    return take_up_dropped(waiting_videos(), process_videos, reason=_DIED)


def process_next_video(*, seconds: float, interrupted: Callable[[], bool]) -> Video | None:
    """Work on the oldest waiting video for so long, or until interrupted; none when nothing waits."""
    claim = claim_next(waiting_videos())
    if claim is None:
        return None
    process_claimed_video(claim, seconds=seconds, interrupted=interrupted)
    return claim.row


def process_claimed_video(claim: Claim[Video], *, seconds: float, interrupted: Callable[[], bool]) -> None:
    """A slice of a claimed video. Every outcome is recorded on its row and never raised."""
    end = time.monotonic() + seconds

    def stop() -> bool:
        return time.monotonic() >= end or interrupted()

    try:
        crash_point("video_claimed")
        with keep_lease(claim):
            embedder = get_embedder(get_active_embedder_id())
            prepare(claim, embedder)
            done = look_at_frames(claim, embedder, stop)
            if done:
                crash_point("video_looked_at")
                done = write_entries(claim, embedder, stop)
        if not done:
            _give_back(claim)
    except LeaseLost:
        logger.warning("video %s was taken over by another worker, or its event deleted", claim.row.pk)
    except WrongEmbedder:
        # The embedder was changed meanwhile: its next turn begins again with the new one.
        release_claim(claim)
    except (KeyboardInterrupt, SystemExit):
        release_claim(claim)
        raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the video and logged once
        tell_fault(claim, _judge(claim.row, error), error)


def _give_back(claim: Claim[Video]) -> None:
    # It has come further, so what failed before it was not this place: every slice has all its attempts.
    held = Video.objects.filter(pk=claim.row.pk, state=Video.State.PROCESSING, lease=claim.lease)
    held.update(attempts=1)
    release_claim(claim)


def _judge(video: Video, error: Exception) -> Fault:
    """Whose fault it was, in a sentence for the people who look at the video."""
    if isinstance(error, VideoRefused):
        return Fault(error.code, error.message, final=True)
    if isinstance(error, DecoderDied):
        return Fault(error.code, error.reason)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Fault(
            "no_space",
            "The server's disk is full. Tell the administrator; the video goes on by itself when there is room again.",
            passing=True,
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Fault(
            "database_unavailable",
            "The database did not answer. The video is tried again by itself; if this stays, tell the administrator.",
            passing=True,
        )
    if isinstance(error, GalleryBusy):
        return Fault(
            "gallery_busy",
            "Faces were being named while this video was matched. There is nothing to do: it is tried again by itself.",
            passing=True,
        )
    if isinstance(error, OSError) and not file_of(video).exists():
        again = (
            "Put it back where it was and press Retry, or run the command again with its new place."
            if video.source
            else "Delete this video and upload it again."
        )
        return Fault("original_missing", f"The file of this video is gone. {again}", final=True)
    return Fault(
        "processing_error",
        f"FaceVault could not process this video ({type(error).__name__}). Press Retry; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
