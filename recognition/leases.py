"""Who works on which row: claims with a lease, at most three attempts, and taking up what a dead worker dropped.

The same for photos, exports and probes: whatever is a `Work`.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import Error, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks.base import Task
from django_tasks_db.models import DBTaskResult

from recognition.models._work import MAX_ATTEMPTS, Work

logger = logging.getLogger(__name__)
W = TypeVar("W", bound=Work)

# Set when this process was asked to stop: the row in hand is finished, the next one is somebody else's.
stopping = threading.Event()

# How long a row that failed for a passing reason waits, by how often it was tried.
_BACKOFF_SECONDS = {1: 5, 2: 30}
# How long one attempt may hold its row. The slowest photo takes well under a minute on a small machine; a net or a
# disk that hangs for this long does not come back, and another worker has to get the row.
MAX_PROCESSING_SECONDS = 15 * 60.0


@dataclass(frozen=True, slots=True)
class Claim(Generic[W]):
    """One worker's right to process one row, until its lease runs out."""

    row: W
    lease: uuid.UUID


class LeaseLost(Exception):
    """The row was taken over meanwhile; nothing of this attempt may be written."""


def request_task(task: Task[Any, Any]) -> None:
    """Have a worker look for waiting rows. One task that nobody has taken yet is enough for any number of them."""
    waiting = DBTaskResult.objects.filter(task_path=task.module_path, status=TaskResultStatus.READY)
    if not waiting.exists():
        task.enqueue()


def claim_next(rows: QuerySet[W]) -> Claim[W] | None:
    """The oldest of these rows that waits, now ours; none when nothing waits."""
    while True:
        pk = ready(rows).order_by("pk").values_list("pk", flat=True).first()
        if pk is None:
            return None
        if claim := claim_row(rows.model, pk):
            return claim


def claim_row(model: type[W], pk: int) -> Claim[W] | None:
    """Take a row that waits; none when another worker was first."""
    lease = uuid.uuid4()
    rows = model._default_manager
    taken = rows.filter(pk=pk, state=Work.State.QUEUED, attempts__lt=MAX_ATTEMPTS).update(
        state=Work.State.PROCESSING, attempts=F("attempts") + 1, lease=lease, lease_until=lease_end()
    )
    # It may be deleted between the two: an export, say, with its event.
    row = rows.filter(pk=pk, lease=lease).first() if taken else None
    return Claim(row, lease) if row is not None else None


def finish_claim(claim: Claim[W], **changes: object) -> None:
    """Mark the row done, inside the transaction that writes its results. Raises LeaseLost: then all of it rolls back."""
    done = _held(claim).update(
        state=Work.State.DONE,
        lease=None,
        lease_until=None,
        failure_code="",
        failure_reason="",
        processed_at=timezone.now(),
        **changes,
    )
    if not done:
        raise LeaseLost


def fail_claim(claim: Claim[W], *, code: str, reason: str, final: bool) -> None:
    """Give the row back for another attempt after a while, or list it as failed: at once or after the last attempt."""
    if final or claim.row.attempts >= MAX_ATTEMPTS:
        _held(claim).update(
            state=Work.State.FAILED,
            lease=None,
            lease_until=None,
            failure_code=code,
            failure_reason=reason[:400],
        )
    else:
        wait = timedelta(seconds=_BACKOFF_SECONDS.get(claim.row.attempts, 60))
        _held(claim).update(
            state=Work.State.QUEUED,
            lease=None,
            lease_until=timezone.now() + wait,
            failure_code=code,
            failure_reason=reason[:400],
        )


def release_claim(
    claim: Claim[W], *, wait: timedelta | None = None, code: str = "", reason: str = ""
) -> None:
    """Give the row back as if it had not been tried: what stopped this attempt has nothing to do with it."""
    _held(claim).update(
        state=Work.State.QUEUED,
        attempts=F("attempts") - 1,
        lease=None,
        lease_until=None if wait is None else timezone.now() + wait,
        failure_code=code,
        failure_reason=reason[:400],
    )


def retry_failed(rows: QuerySet[W], task: Task[Any, Any]) -> int:
    """Let the failed ones among these rows be tried again, as if for the first time; returns how many."""
    failed = rows.model._default_manager.filter(pk__in=rows.values("pk"), state=Work.State.FAILED)
    with transaction.atomic():
        retried = failed.update(
            state=Work.State.QUEUED, attempts=0, lease_until=None, failure_code="", failure_reason=""
        )
        if retried:
            request_task(task)
    return retried


def take_up_dropped(rows: QuerySet[W], task: Task[Any, Any], *, reason: str) -> int:
    """Take up what nobody holds any more: rows whose worker died, and waiting rows without a task.

    Returns how many were taken from dead workers. `reason` is told of a row that killed its worker every time.
    """
    taken, noun = 0, rows.model._meta.model_name
    lost = rows.filter(state=Work.State.PROCESSING, lease_until__lt=timezone.now())
    for pk, lease, attempts in lost.values_list("pk", "lease", "attempts"):
        ours = rows.model._default_manager.filter(
            pk=pk, state=Work.State.PROCESSING, lease=lease, lease_until__lt=timezone.now()
        )
        if attempts >= MAX_ATTEMPTS:
            taken += ours.update(
                state=Work.State.FAILED,
                lease=None,
                lease_until=None,
                failure_code="worker_died",
                failure_reason=reason[:400],
            )
            logger.error("%s %s failed: its worker died %s times", noun, pk, MAX_ATTEMPTS)
        else:
            taken += ours.update(state=Work.State.QUEUED, lease=None, lease_until=None)
            logger.warning("%s %s taken up again after its worker died", noun, pk)
    if ready(rows).exists():
        with transaction.atomic():
            request_task(task)
    return taken


@contextmanager
def keep_lease(claim: Claim[W]) -> Iterator[None]:
    """Renew the lease in the background while the block runs, up to MAX_PROCESSING_SECONDS: slow work is not a dead
    worker, but one that hangs must not hold its row for ever. Whoever lost it is fenced off by finish_claim."""
    stop = threading.Event()
    interval = settings.FACEVAULT_LEASE_SECONDS / 3
    end = time.monotonic() + MAX_PROCESSING_SECONDS
    noun = claim.row._meta.model_name

    def renew() -> None:
        try:
            while not stop.wait(interval):
                if time.monotonic() >= end:
                    logger.error("%s %s takes too long; another worker may take it over", noun, claim.row.pk)
                    return
                try:
                    _held(claim).update(lease_until=lease_end())
                except Error:
                    # The next round tries again; a lease that runs out is taken up by the sweep, and fenced.
                    logger.warning(
                        "the lease of %s %s could not be renewed", noun, claim.row.pk, exc_info=True
                    )
                    connection.close()  # one that is broken stays so; the next round opens another
        finally:
            connection.close()

    thread = threading.Thread(target=renew, name=f"lease-{claim.row.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def ready(rows: QuerySet[W]) -> QuerySet[W]:
    """Those that wait and may be tried now."""
    return rows.filter(state=Work.State.QUEUED).exclude(lease_until__gt=timezone.now())


def _held(claim: Claim[W]) -> QuerySet[W]:
    """The row, if the claim still holds it."""
    rows = type(claim.row)._default_manager
    return rows.filter(pk=claim.row.pk, state=Work.State.PROCESSING, lease=claim.lease)


def lease_end() -> datetime:
    """Of a lease that begins, or is renewed, now."""
    return timezone.now() + timedelta(seconds=settings.FACEVAULT_LEASE_SECONDS)
