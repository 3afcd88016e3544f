"""One process works on a change of the embedder at a time: a lease on its row, renewed while it works."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import Error, connection
from django.db.models import Q, QuerySet
from django.utils import timezone

from recognition.leases import lease_end
from recognition.models import Reembedding
from recognition.reembedding.errors import ReembeddingBusy, ReembeddingLost

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hold:
    """The right to work on a change of the embedder, until its lease runs out."""

    pk: int
    lease: uuid.UUID

    def renew(self, **changes: object) -> None:
        """Inside the transaction that writes: what a process found whose lease was lost is rolled back. Raises ReembeddingLost."""
        mine = Reembedding.objects.filter(pk=self.pk, lease=self.lease)
        if not mine.update(lease_until=lease_end(), **changes):
            raise ReembeddingLost


@contextmanager
def hold(row: Reembedding) -> Iterator[Hold]:
    """Work on it, and let go at the end. A dead process's lease is taken over. Raises ReembeddingBusy."""
    mine = Hold(row.pk, uuid.uuid4())
    if not _free(row).update(lease=mine.lease, lease_until=lease_end()):
        raise ReembeddingBusy
    stop = threading.Event()
    thread = threading.Thread(target=_keep, args=(mine, stop), name="reembedding-lease", daemon=True)
    thread.start()
    try:
        yield mine
    finally:
        stop.set()
        thread.join()
        Reembedding.objects.filter(pk=mine.pk, lease=mine.lease).update(lease=None, lease_until=None)


def is_held(row: Reembedding) -> bool:
    """Whether a process that lives works on it."""
    return row.lease is not None and row.lease_until is not None and row.lease_until >= timezone.now()


def _free(row: Reembedding) -> QuerySet[Reembedding]:
    over = Q(lease=None) | Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return Reembedding.objects.filter(over, pk=row.pk).exclude(state=Reembedding.State.CANCELLED)


def _keep(mine: Hold, stop: threading.Event) -> None:
    """Loading a net or a huge photo takes longer than a lease."""
    try:
        while not stop.wait(settings.FACEVAULT_LEASE_SECONDS / 3):
            try:
                mine.renew()
            except ReembeddingLost:
                return
            except Error:
                # The next round tries again; a lease that runs out is taken over, and every write is fenced.
                logger.warning("the lease of a change of the embedder could not be renewed", exc_info=True)
                connection.close()
    finally:
        connection.close()
