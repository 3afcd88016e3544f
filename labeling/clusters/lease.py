"""One worker tends the queue at a time: a lease on the one row of QueueState, renewed by every write."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from labeling.models import QueueState
from recognition.leases import lease_end

_ROW = 1


class TendingLost(Exception):
    """Another worker tends the queue by now; nothing of this one's may be written."""


@dataclass(frozen=True, slots=True)
class Tender:
    """The right to tend the queue, until its lease runs out."""

    lease: uuid.UUID

    def renew(self, **changes: object) -> None:
        """Inside the transaction that writes: what a worker found whose lease was lost is rolled back. Raises TendingLost."""
        mine = QueueState.objects.filter(pk=_ROW, lease=self.lease)
        if not mine.update(lease_until=lease_end(), **changes):
            raise TendingLost

    def release(self) -> None:
        QueueState.objects.filter(pk=_ROW, lease=self.lease).update(lease=None, lease_until=None)


def take_queue() -> Tender | None:
    """None while another worker tends it."""
    tender = Tender(uuid.uuid4())
    free = Q(lease=None) | Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    for _ in range(2):
        rows = QueueState.objects.filter(free, pk=_ROW)
        if rows.update(lease=tender.lease, lease_until=lease_end()):
            return tender
        QueueState.objects.bulk_create([QueueState(pk=_ROW)], ignore_conflicts=True)
    return None


def is_queue_taken() -> bool:
    return QueueState.objects.filter(pk=_ROW, lease_until__gte=timezone.now()).exists()
