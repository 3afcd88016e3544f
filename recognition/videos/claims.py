"""What every write for a video asks first: whether the claim still holds it, and whether its event is still there."""

from __future__ import annotations

from recognition.leases import Claim, LeaseLost, lease_end
from recognition.models import Event, Video


def write_held(claim: Claim[Video], **changes: object) -> None:
    """Change the row and renew the lease, inside the transaction of what belongs to it. Raises LeaseLost."""
    held = Video.objects.filter(pk=claim.row.pk, state=Video.State.PROCESSING, lease=claim.lease)
    there = Event.objects.filter(pk=claim.row.event_id, deleted_at=None)
    if not held.filter(event__in=there).update(lease_until=lease_end(), **changes):
        raise LeaseLost
