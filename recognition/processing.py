"""Who works on which photo: claims with a lease, at most three attempts, and the sweep that takes up what was dropped."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from recognition.models import Photo
from recognition.models.photos import MAX_ATTEMPTS

logger = logging.getLogger(__name__)

# Set when this process was asked to stop: the photo in hand is finished, the next one is somebody else's.
stopping = threading.Event()

# How long a photo that failed for a passing reason waits, by how often it was tried.
_BACKOFF_SECONDS = {1: 5, 2: 30}
# How long one attempt may hold its photo. The slowest photo takes well under a minute on a small machine; a net or a
# disk that hangs for this long does not come back, and another worker has to get the photo.
MAX_PROCESSING_SECONDS = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's right to process one photo, until its lease runs out."""

    photo: Photo
    lease: uuid.UUID


class LeaseLost(Exception):
    """The photo was taken over meanwhile; nothing of this attempt may be written."""


def request_processing() -> None:
    """Have a worker look for waiting photos. One task that nobody has taken yet is enough for any number of them."""
    from recognition.tasks import process_photos

    waiting = DBTaskResult.objects.filter(task_path=process_photos.module_path, status=TaskResultStatus.READY)
    if not waiting.exists():
        process_photos.enqueue()


def retry_photos(photos: QuerySet[Photo]) -> int:
    """Let the failed ones among these photos be tried again, as if for the first time; returns how many."""
    failed = Photo.objects.filter(pk__in=photos.values("pk"), state=Photo.State.FAILED)
    with transaction.atomic():
        retried = failed.update(
            state=Photo.State.QUEUED, attempts=0, lease_until=None, failure_code="", failure_reason=""
        )
        if retried:
            request_processing()
    return retried


def claim_next_photo(photos: QuerySet[Photo] | None = None) -> Claim | None:
    """The oldest waiting photo, of these if some are given, now ours; none when nothing waits."""
    photos = Photo.objects.all() if photos is None else photos
    while True:
        now = timezone.now()
        ready = photos.filter(state=Photo.State.QUEUED).exclude(lease_until__gt=now)
        pk = ready.order_by("pk").values_list("pk", flat=True).first()
        if pk is None:
            return None
        if claim := claim_photo(pk):
            return claim


def claim_photo(pk: int) -> Claim | None:
    """Take a photo that waits; none when another worker was first."""
    lease = uuid.uuid4()
    taken = Photo.objects.filter(pk=pk, state=Photo.State.QUEUED, attempts__lt=MAX_ATTEMPTS).update(
        state=Photo.State.PROCESSING, attempts=F("attempts") + 1, lease=lease, lease_until=_lease_end()
    )
    return Claim(Photo.objects.get(pk=pk), lease) if taken else None


def finish_claim(claim: Claim) -> None:
    """Mark the photo done, inside the transaction that writes its faces. Raises LeaseLost: then all of it rolls back."""
    done = Photo.objects.filter(pk=claim.photo.pk, state=Photo.State.PROCESSING, lease=claim.lease).update(
        state=Photo.State.DONE,
        lease=None,
        lease_until=None,
        failure_code="",
        failure_reason="",
        processed_at=timezone.now(),
    )
    if not done:
        raise LeaseLost


def fail_claim(claim: Claim, *, code: str, reason: str, final: bool) -> None:
    """Give the photo back for another attempt after a while, or list it as failed: at once or after the last attempt."""
    ours = Photo.objects.filter(pk=claim.photo.pk, state=Photo.State.PROCESSING, lease=claim.lease)
    if final or claim.photo.attempts >= MAX_ATTEMPTS:
        ours.update(
            state=Photo.State.FAILED,
            lease=None,
            lease_until=None,
            failure_code=code,
            failure_reason=reason[:400],
        )
    else:
        wait = timedelta(seconds=_BACKOFF_SECONDS.get(claim.photo.attempts, 60))
        ours.update(
            state=Photo.State.QUEUED,
            lease=None,
            lease_until=timezone.now() + wait,
            failure_code=code,
            failure_reason=reason[:400],
        )


def release_claim(claim: Claim, *, wait: timedelta | None = None, code: str = "", reason: str = "") -> None:
    """Give the photo back as if it had not been tried: what stopped this attempt has nothing to do with the photo."""
    Photo.objects.filter(pk=claim.photo.pk, state=Photo.State.PROCESSING, lease=claim.lease).update(
        state=Photo.State.QUEUED,
        attempts=F("attempts") - 1,
        lease=None,
        lease_until=None if wait is None else timezone.now() + wait,
        failure_code=code,
        failure_reason=reason[:400],
    )


def sweep() -> int:
    """Take up what nobody holds any more: photos whose worker died, and waiting photos without a task. Returns how many
    photos were taken from dead workers."""
    taken = 0
    lost = Photo.objects.filter(state=Photo.State.PROCESSING, lease_until__lt=timezone.now())
    for pk, lease, attempts in lost.values_list("pk", "lease", "attempts"):
        ours = Photo.objects.filter(
            pk=pk, state=Photo.State.PROCESSING, lease=lease, lease_until__lt=timezone.now()
        )
        if attempts >= MAX_ATTEMPTS:
            taken += ours.update(
                state=Photo.State.FAILED,
                lease=None,
                lease_until=None,
                failure_code="worker_died",
                failure_reason=(
                    f"The worker stopped or hung {MAX_ATTEMPTS} times while it processed this photo; it may need more "
                    "memory than there is. Press Retry; if it fails again, upload a smaller version."
                ),
            )
            logger.error("photo %s failed: its worker died %s times", pk, MAX_ATTEMPTS)
        else:
            taken += ours.update(state=Photo.State.QUEUED, lease=None, lease_until=None)
            logger.warning("photo %s taken up again after its worker died", pk)
    if Photo.objects.filter(state=Photo.State.QUEUED).exclude(lease_until__gt=timezone.now()).exists():
        with transaction.atomic():
            request_processing()
    return taken


@contextmanager
def keep_lease(claim: Claim) -> Iterator[None]:
    """Renew the lease in the background while the block runs, up to MAX_PROCESSING_SECONDS: a slow photo is not a dead
    worker, but one that hangs must not hold its photo for ever. Whoever lost it is fenced off by finish_claim."""
    stop = threading.Event()
    interval = settings.FACEVAULT_LEASE_SECONDS / 3
    end = time.monotonic() + MAX_PROCESSING_SECONDS

    def renew() -> None:
        try:
            while not stop.wait(interval):
                if time.monotonic() >= end:
                    logger.error("photo %s takes too long; another worker may take it over", claim.photo.pk)
                    return
                try:
                    Photo.objects.filter(pk=claim.photo.pk, lease=claim.lease).update(
                        lease_until=_lease_end()
                    )
                except DatabaseError:
                    # The next round tries again; a lease that runs out is taken up by the sweep, and fenced.
                    logger.warning(
                        "the lease of photo %s could not be renewed", claim.photo.pk, exc_info=True
                    )
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{claim.photo.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _lease_end() -> datetime:
    return timezone.now() + timedelta(seconds=settings.FACEVAULT_LEASE_SECONDS)
