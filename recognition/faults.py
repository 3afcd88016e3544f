"""What stopped the processing of a row: whose fault it was, and what its people are told. The photos' own faults."""

from __future__ import annotations

import errno
import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import Error, InterfaceError, OperationalError

from recognition.images import PhotoRefused
from recognition.leases import Claim, W, fail_claim, release_claim
from recognition.models import Photo
from recognition.storage import original_path

logger = logging.getLogger(__name__)

# A full disk or a database that does not answer is looked at again so soon, as often as it takes.
_PASSING_WAIT = timedelta(seconds=30)


class GalleryBusy(Exception):
    """The gallery changed during every round of matching."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What stopped an attempt, for the row. A passing one is not the row's fault and costs it no attempt."""

    code: str
    reason: str
    passing: bool = False
    final: bool = False


def record_fault(claim: Claim[Photo], error: Exception) -> None:
    """Judge what stopped a photo and tell it. Never raises."""
    tell_fault(claim, _judge(claim.row, error), error)


def tell_fault(claim: Claim[W], fault: Fault, error: Exception) -> None:
    """Tell it on the row and in the log: try again later, or list the row as failed. Never raises."""
    row, noun = claim.row, claim.row._meta.model_name
    if isinstance(error, PhotoRefused):
        logger.warning("%s %s refused: %s", noun, row.pk, fault.code)
    elif not fault.passing:
        logger.error("%s %s could not be processed", noun, row.pk, exc_info=error)
    elif row.failure_code != fault.code:
        # The row still says why it waited before: a disk that is full all night is one line for each photo.
        logger.warning("%s %s waits: %s (%s)", noun, row.pk, fault.code, error)
    try:
        if fault.passing:
            release_claim(claim, wait=_PASSING_WAIT, code=fault.code, reason=fault.reason)
        else:
            fail_claim(claim, code=fault.code, reason=fault.reason, final=fault.final)
    except Error:
        logger.warning("%s %s could not be given back; the sweep takes it up", noun, row.pk, exc_info=True)


def _judge(photo: Photo, error: Exception) -> Fault:
    """Whose fault it was, in a sentence for the people who look at the photo."""
    if isinstance(error, PhotoRefused):
        return Fault(error.code, error.message, final=True)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Fault(
            "no_space",
            "The server's disk is full. Tell the administrator; the photo goes on by itself when there is room again.",
            passing=True,
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Fault(
            "database_unavailable",
            "The database did not answer. The photo is tried again by itself; if this stays, tell the administrator.",
            passing=True,
        )
    if isinstance(error, GalleryBusy):
        return Fault(
            "gallery_busy",
            "Faces were being named while this photo was matched. There is nothing to do: it is tried again by itself.",
            passing=True,
        )
    if isinstance(error, FileNotFoundError) and not original_path(photo.sha256, photo.format).exists():
        return Fault(
            "original_missing",
            "The file of this photo is gone from the server. Upload the same photo to this event again.",
            final=True,
        )
    return Fault(
        "processing_error",
        f"FaceVault could not process this photo ({type(error).__name__}). Press Retry; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
