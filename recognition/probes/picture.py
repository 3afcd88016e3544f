"""The picture of a search, by face or by look: its pixels, what it says when it fails, and when it goes."""

from __future__ import annotations

import errno

import numpy as np
from django.conf import settings
from django.db import InterfaceError, OperationalError
from numpy.typing import NDArray

from recognition.faults import Fault
from recognition.images import PhotoRefused, decode_photo
from recognition.models import LookProbe, Probe
from recognition.models._work import Work
from recognition.probes.files import find_picture, remove_files, remove_picture
from recognition.storage import SUFFIXES


def decode_picture(probe: Probe | LookProbe) -> NDArray[np.uint8]:
    """Its own pixels, oriented (h, w, 3). Raises PhotoRefused, PictureGone, OSError."""
    path = find_picture(probe.probe_id)
    if path is None:
        raise PictureGone
    return decode_photo(
        path,
        # It passed the caps when it came; a cap that was lowered since must not fail it, nor HEIC switched off again.
        heic=path.suffix == f".{SUFFIXES['HEIC']}",
        max_pixels=max(settings.FACEVAULT_MAX_PIXELS, probe.width * probe.height),
        max_bytes=probe.byte_size,
    )


def remove_what_is_over(probe: Probe | LookProbe) -> None:
    """The picture itself once no attempt needs it; everything if the search was deleted while it was processed."""
    state = type(probe).objects.filter(pk=probe.pk).values_list("state", flat=True).first()
    if state is None:
        remove_files([probe.probe_id])
    elif state in {Work.State.DONE, Work.State.FAILED}:
        remove_picture(probe.probe_id)


class PictureGone(Exception):
    """The file of the picture is not there."""


def judge_fault(probe: Probe | LookProbe, error: Exception) -> Fault:
    """Whose fault it was, in a sentence for whoever searches."""
    if isinstance(error, PhotoRefused):
        return Fault(error.code, error.message, final=True)
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        reason = "The server's disk is full. Tell the administrator, then search again."
        return Fault("no_space", reason, passing=True)
    if isinstance(error, OperationalError | InterfaceError):
        return Fault(
            "database_unavailable", "The database did not answer. Search again in a minute.", passing=True
        )
    if isinstance(error, PictureGone | FileNotFoundError) and find_picture(probe.probe_id) is None:
        reason = "The picture is gone from the server. Search with it again."
        return Fault("picture_missing", reason, final=True)
    return Fault(
        "processing_error",
        f"FaceVault could not look at this picture ({type(error).__name__}). Search again; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
