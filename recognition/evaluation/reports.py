"""Reports as pages, scripts and chores know them: asked for once, read, taken up again. Made in `work`, by a worker alone."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognition.active_embedder import get_active_embedder_id
from recognition.leases import request_task, take_up_dropped
from recognition.models import Export, Photo, Probe, QualityReport
from recognition.models._work import MAX_ATTEMPTS
from recognition.tasks import measure_quality

# Fewer people than these say nothing about the next one.
LEAST_PEOPLE = 10
# A line fitted to a third of fewer says more about the draw than about the names.
SPLIT_PEOPLE = 30
_OPEN = [QualityReport.State.QUEUED, QualityReport.State.PROCESSING]
# After so long without a sign of work the page asks whether the worker runs.
_QUIET = timedelta(seconds=60)
_DIED = (
    f"The worker stopped or hung {MAX_ATTEMPTS} times while it measured; it may need more memory than there is. "
    "Ask the administrator to look at the worker's log, then measure again."
)


def request_report(*, user: User | None) -> QualityReport:
    """Have a worker measure. While one report waits or is being made, asking again gives that one.

    Raises NoActiveEmbedder.
    """
    embedder_id = get_active_embedder_id()
    with transaction.atomic():
        waiting = QualityReport.objects.filter(state__in=_OPEN, embedder_id=embedder_id).first()
        if waiting is not None:
            return waiting
        report = QualityReport.objects.create(user=user, embedder_id=embedder_id)
        request_task(measure_quality)
    return report


def finished_reports() -> QuerySet[QualityReport]:
    """Those with figures, newest first."""
    return QualityReport.objects.filter(state=QualityReport.State.DONE)


def open_report() -> QualityReport | None:
    """The newest one that waits, is being made or has failed after the last that was finished; its figures are not read."""
    newest = QualityReport.objects.defer("figures").first()
    return newest if newest is not None and newest.state != QualityReport.State.DONE else None


def is_stalled(report: QualityReport) -> bool:
    """Whether it waits for longer than it should while no worker has anything in hand."""
    now = timezone.now()
    since = max(report.created_at, report.lease_until or report.created_at)
    if report.state not in _OPEN or since > now - _QUIET:
        return False
    return not any(
        rows.filter(state="processing", lease_until__gt=now).exists()
        for rows in (Photo.objects, Probe.objects, Export.objects, QualityReport.objects)
    )


def sweep_reports() -> int:
    """Take up reports whose worker died, and waiting ones without a task; returns how many came from dead workers."""
    return take_up_dropped(QualityReport.objects.all(), measure_quality, reason=_DIED)


def remove_old_reports(*, keep: int) -> None:
    """All but the newest of those that are finished or failed."""
    kept = QualityReport.objects.exclude(state__in=_OPEN).order_by("-pk").values_list("pk", flat=True)[:keep]
    QualityReport.objects.exclude(state__in=_OPEN).exclude(pk__in=list(kept)).delete()
