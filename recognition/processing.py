"""Photos that wait to be processed: asking for it, trying failed ones again, and the sweep over what was dropped."""

from __future__ import annotations

from django.db.models import QuerySet

from recognition.leases import request_task, retry_failed, take_up_dropped
from recognition.models import Photo
from recognition.models._work import MAX_ATTEMPTS
from recognition.tasks import process_photos

_DIED = (
    f"The worker stopped or hung {MAX_ATTEMPTS} times while it processed this photo; it may need more memory than there "
    "is. Press Retry; if it fails again, upload a smaller version."
)


def request_processing() -> None:
    """Have a worker look for waiting photos."""
    request_task(process_photos)


def retry_photos(photos: QuerySet[Photo]) -> int:
    """Let the failed ones among these photos be tried again, as if for the first time; returns how many."""
    return retry_failed(photos, process_photos)


def sweep() -> int:
    """Take up photos whose worker died, and waiting photos without a task; returns how many came from dead workers."""
    return take_up_dropped(waiting_photos(), process_photos, reason=_DIED)


def waiting_photos() -> QuerySet[Photo]:
    """The photos that may be processed: those of an event that is being deleted are left to the deletion."""
    return Photo.objects.filter(event__deleted_at=None)
