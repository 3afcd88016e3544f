"""One export from a claimed row to a file: written piece by piece, fenced by its lease, durable before it is done."""

from __future__ import annotations

import errno
import logging
import shutil
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from recognition.crash_points import crash_point
from recognition.exports.selection import summarize
from recognition.exports.work import new_expiry, scope_of
from recognition.exports.zip_stream import stream_zip
from recognition.faults import Fault, tell_fault
from recognition.leases import (
    Claim,
    LeaseLost,
    claim_next,
    fail_claim,
    finish_claim,
    keep_lease,
    release_claim,
    stopping,
)
from recognition.models import Export
from recognition.probes import is_search_waiting, process_next_probe
from recognition.storage import export_part_path, publish_export, remove_export, scratch_folder

logger = logging.getLogger(__name__)

_TELL_SECONDS = 0.5


class _Stopped(Exception):
    """The worker was asked to stop in the middle of an export; the next one starts it again."""


def process_next_export() -> Export | None:
    """Claim and write the oldest waiting export; none when nothing waits. Every outcome is recorded on its row."""
    claim = claim_next(Export.objects.filter(expires_at__gt=timezone.now()))
    if claim is None:
        return None
    export = claim.row
    part = export_part_path(export.export_id, claim.lease)
    try:
        crash_point("export_claimed")
        remove_export(export.export_id)
        _write_export(claim, part)
    except LeaseLost:
        logger.warning("export %s was taken over by another worker", export.pk)
    except (_Stopped, KeyboardInterrupt, SystemExit) as stop:
        release_claim(claim)
        if not isinstance(stop, _Stopped):
            raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the export and logged once
        tell_fault(claim, _judge(error), error)
    finally:
        part.unlink(missing_ok=True)
    return export


def _write_export(claim: Claim[Export], part: Path) -> None:
    export = claim.row
    # Asked anew: what the user may have is what they may have now.
    user = User.objects.get(pk=export.user_id)
    scope = scope_of(export)
    summary = summarize(user=user, scope=scope)
    if not summary.photos:
        fail_claim(
            claim,
            code="nothing_to_export",
            reason="There are no photos in this export any more, or you no longer manage their events.",
            final=True,
        )
        return
    _need_room(summary.byte_size)
    progress = _Progress(claim, total=summary.photos)
    with part.open("wb") as file:
        for piece in stream_zip(user=user, scope=scope, on_photo=progress.tell):
            file.write(piece)
        crash_point("export_written")
        size = file.tell()
        # A slow disk may take longer than a lease to make gigabytes durable.
        with keep_lease(claim):
            progress.keep()
            publish_export(file, export.export_id)
    crash_point("export_published")
    finish_claim(
        claim, photos_done=progress.done, photos_total=progress.done, byte_size=size, expires_at=new_expiry()
    )
    crash_point("export_finished")
    logger.info("export %s done: %s photos", export.pk, progress.done)


class _Progress:
    """Tells the row how far its export is. Every word renews the lease: an export may take hours, as long as it moves."""

    def __init__(self, claim: Claim[Export], *, total: int) -> None:
        self.done = 0
        self._claim = claim
        self._total = total
        self._told = 0.0

    def tell(self, done: int) -> None:
        self.done = done
        if stopping.is_set():
            raise _Stopped
        if time.monotonic() - self._told >= _TELL_SECONDS:
            self.keep()
            # Somebody sits before a search and waits; gigabytes of photos go on right after it.
            while is_search_waiting() and process_next_probe() is not None:
                self.keep()

    def keep(self) -> None:
        """Raises LeaseLost when the row is somebody else's, or deleted."""
        self._told = time.monotonic()
        held = Export.objects.filter(
            pk=self._claim.row.pk, state=Export.State.PROCESSING, lease=self._claim.lease
        )
        lease_until = timezone.now() + timedelta(seconds=settings.FACEVAULT_LEASE_SECONDS)
        # Photos may have been added since it was asked for.
        total = max(self._total, self.done)
        # It expires some hours after it was made; until then it must not expire under the hand that writes it.
        if not held.update(
            photos_done=self.done, photos_total=total, lease_until=lease_until, expires_at=new_expiry()
        ):
            raise LeaseLost


def _need_room(byte_size: int) -> None:
    """Raise ENOSPC before the disk that also holds the database is filled by a file that can wait."""
    free = shutil.disk_usage(scratch_folder()).free
    if byte_size > free - settings.FACEVAULT_MIN_FREE_MB * 1024 * 1024:
        raise OSError(errno.ENOSPC, "not enough room for the export")


def _judge(error: Exception) -> Fault:
    """Whose fault it was, in a sentence for whoever waits for the export."""
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return Fault(
            "no_space",
            "The server's disk is full. Tell the administrator; the export goes on by itself when there is room again.",
            passing=True,
        )
    if isinstance(error, OperationalError | InterfaceError):
        return Fault(
            "database_unavailable",
            "The database did not answer. The export is tried again by itself; if this stays, tell the administrator.",
            passing=True,
        )
    return Fault(
        "export_error",
        f"FaceVault could not write this export ({type(error).__name__}). Ask for it again; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
