"""Read the names in an event's photos: asked for, claimed by a worker, resumed behind the last photo after a kill."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from recognition.crash_points import crash_point
from recognition.faults import Fault, tell_fault
from recognition.gallery_journal import lock_gallery_state
from recognition.leases import (
    Claim,
    LeaseLost,
    claim_next,
    finish_claim,
    lease_end,
    release_claim,
    request_task,
    stopping,
    take_up_dropped,
)
from recognition.models import Event, NamedRegion, Photo, RegionReading
from recognition.models._work import MAX_ATTEMPTS
from recognition.named_regions.erasing import ERASED
from recognition.named_regions.matching import match_regions
from recognition.named_regions.photo_file import PhotoUnreadable, read_photo
from recognition.named_regions.placing import PlacedRegion
from recognition.probes import is_search_waiting, process_next_probe
from recognition.tasks import read_names

logger = logging.getLogger(__name__)

# So many photos are read outside of, and written in, one transaction.
BATCH = 25
_OPEN = [RegionReading.State.QUEUED, RegionReading.State.PROCESSING]
_QUIET = timedelta(seconds=60)
_DIED = f"The worker stopped or hung {MAX_ATTEMPTS} times at the same photos. Ask the administrator to look at its log."


class _Stopped(Exception):
    """The worker was asked to stop; the next one goes on behind the last photo."""


def request_reading(*, event: Event, user: User | None) -> RegionReading:
    """Have a worker read the names in the event's photos; while one does so, that is the one."""
    with transaction.atomic():
        waiting = RegionReading.objects.filter(event=event, state__in=_OPEN).first()
        if waiting is not None:
            return waiting
        total = photos_of(event.pk).count()
        reading = RegionReading.objects.create(event=event, user=user, photos_total=total)
        request_task(read_names)
    return reading


def latest_reading(event_pk: int) -> RegionReading | None:
    return RegionReading.objects.filter(event=event_pk).order_by("-pk").first()


def is_reading_stalled(reading: RegionReading) -> bool:
    """Whether it waits for longer than it should while no worker has it in hand."""
    if reading.state not in _OPEN:
        return False
    last = max(reading.created_at, reading.lease_until or reading.created_at)
    return last < timezone.now() - _QUIET


def photos_of(event_pk: int) -> QuerySet[Photo]:
    """Uploaded photos alone: what FaceVault drew or cut out of a video carries nobody's data."""
    return Photo.objects.filter(event=event_pk, event__deleted_at=None, origin=Photo.Origin.UPLOADED)


def process_next_reading(
    *, only: RegionReading | None = None, tell: Callable[[int], None] = lambda done: None
) -> RegionReading | None:
    """Claim the oldest waiting reading and carry it out; none when nothing waits. Every outcome is on its row.

    `tell` hears how many photos are read.
    """
    rows = RegionReading.objects.filter(event__deleted_at=None)
    claim = claim_next(rows if only is None else rows.filter(pk=only.pk))
    if claim is None:
        return None
    try:
        crash_point("reading_claimed")
        _read_all(claim, tell)
    except LeaseLost:
        logger.warning("reading %s was taken over by another worker", claim.row.pk)
    except (_Stopped, KeyboardInterrupt, SystemExit) as stop:
        release_claim(claim)
        if not isinstance(stop, _Stopped):
            raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the row and logged once
        tell_fault(claim, _judge(error), error)
    return claim.row


def sweep_readings() -> None:
    """Take up readings whose worker died."""
    take_up_dropped(RegionReading.objects.filter(event__deleted_at=None), read_names, reason=_DIED)


def _read_all(claim: Claim[RegionReading], tell: Callable[[int], None]) -> None:
    reading = claim.row
    after, done = reading.after, reading.photos_done
    while True:
        if stopping.is_set():
            raise _Stopped
        # Somebody sits before a search and waits; thousands of photos go on right after it.
        while is_search_waiting() and process_next_probe() is not None:
            _keep(claim)
        batch = list(photos_of(reading.event_id).filter(pk__gt=after).order_by("pk")[:BATCH])
        if not batch:
            break
        found: dict[int, list[PlacedRegion]] = {}
        unreadable = 0
        for photo in batch:
            try:
                found[photo.pk] = read_photo(photo)
            except PhotoUnreadable:
                unreadable += 1
        crash_point("names_read")
        after, done = batch[-1].pk, done + len(batch)
        _write(claim, found, after=after, read=len(batch), unreadable=unreadable)
        crash_point("names_written")
        tell(done)
    finish_claim(claim, photos_total=done)
    logger.info("reading %s done: %s photos", reading.pk, done)


def _write(
    claim: Claim[RegionReading],
    found: dict[int, list[PlacedRegion]],
    *,
    after: int,
    read: int,
    unreadable: int,
) -> None:
    """Regions that are new, the faces of all, and how far the reading is: together, or none of it."""
    with transaction.atomic():
        # Whoever removes photos or faces holds the same lock: what is there now is there until the end.
        lock_gallery_state()
        there = set(Photo.objects.filter(pk__in=found).values_list("pk", flat=True))
        new = _unknown({pk: regions for pk, regions in found.items() if pk in there})
        NamedRegion.objects.bulk_create(new, ignore_conflicts=True)
        match_regions(there)
        # What killed a worker is behind it: only attempts at the same photos count.
        _keep(
            claim,
            after=after,
            attempts=1,
            photos_done=F("photos_done") + read,
            photos_unreadable=F("photos_unreadable") + unreadable,
            regions_found=F("regions_found") + len(new),
        )


def _unknown(found: dict[int, list[PlacedRegion]]) -> list[NamedRegion]:
    """Those that no reading knew; a place whose name was erased stays nameless."""
    rows = NamedRegion.objects.filter(photo__in=found).values_list(
        "photo", "left", "top", "width", "height", "name"
    )
    known = set(rows)
    new = []
    for pk, regions in found.items():
        for region in regions:
            box = region.box
            place = (pk, box.left, box.top, round(box.width, 2), round(box.height, 2))
            if (*place, region.name) in known or (*place, ERASED) in known:
                continue
            known.add((*place, region.name))
            new.append(
                NamedRegion(
                    photo_id=pk,
                    name=region.name,
                    left=place[1],
                    top=place[2],
                    width=place[3],
                    height=place[4],
                )
            )
    return new


def _keep(claim: Claim[RegionReading], **changes: object) -> None:
    """Renew the lease; raises LeaseLost when the row is somebody else's, or deleted."""
    held = RegionReading.objects.filter(
        pk=claim.row.pk, state=RegionReading.State.PROCESSING, lease=claim.lease
    )
    if not held.update(lease_until=lease_end(), **changes):
        raise LeaseLost


def _judge(error: Exception) -> Fault:
    if isinstance(error, OperationalError | InterfaceError):
        reason = (
            "The database did not answer. Reading goes on by itself; if this stays, tell the administrator."
        )
        return Fault("database_unavailable", reason, passing=True)
    if isinstance(error, OSError) and error.errno in {errno.EIO, errno.ENOSPC, errno.EDQUOT}:
        reason = (
            "The server's disk does not answer. Tell the administrator; reading goes on by itself afterwards."
        )
        return Fault("disk_error", reason, passing=True)
    return Fault(
        "reading_error",
        f"FaceVault could not go on reading ({type(error).__name__}). Read the names again; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
