"""Making a report that somebody asked for: measured and drawn by a worker, the newest kept."""

from __future__ import annotations

import logging
import time

from django.db import InterfaceError, OperationalError, transaction

from recognition.active_embedder import find_active_info
from recognition.crash_points import crash_point
from recognition.evaluation.measuring import TooFewFaces, measure_installation
from recognition.evaluation.plots import draw_plots
from recognition.evaluation.reports import remove_old_reports
from recognition.faults import Fault, tell_fault
from recognition.leases import (
    Claim,
    LeaseLost,
    claim_next,
    finish_claim,
    keep_lease,
    release_claim,
    stopping,
)
from recognition.models import QualityPlot, QualityReport
from recognition.probes import is_search_waiting, process_next_probe

logger = logging.getLogger(__name__)

KEEP = 20
_TELL_SECONDS = 0.5


class _Stopped(Exception):
    """The worker was asked to stop in the middle of a report; the next one starts it again."""


def process_next_report() -> QualityReport | None:
    """Claim and make the oldest waiting report; none when nothing waits. Every outcome is recorded on its row."""
    claim = claim_next(QualityReport.objects.all())
    if claim is None:
        return None
    try:
        crash_point("report_claimed")
        with keep_lease(claim):
            _make_report(claim)
    except LeaseLost:
        logger.warning("report %s was taken over by another worker", claim.row.pk)
    except (_Stopped, KeyboardInterrupt, SystemExit) as stop:
        release_claim(claim)
        if not isinstance(stop, _Stopped):
            raise
    except Exception as error:  # noqa: BLE001 - the one edge: whatever broke is told on the report and logged once
        tell_fault(claim, _judge(error), error)
    return claim.row


def _make_report(claim: Claim[QualityReport]) -> None:
    # What is measured is what is in force now, whatever was active when somebody asked.
    info = find_active_info()
    if info is None:
        raise TooFewFaces("No embedder is active, or this version does not know it.")
    progress = _Progress(claim)
    figures = measure_installation(info, tell=progress.tell)
    plots = draw_plots(figures)
    crash_point("report_measured")
    with transaction.atomic():
        finish_claim(claim, figures=figures, progress=100, embedder_id=info.embedder_id)
        # An attempt before this one may have got as far as here; only rows of a finished report are ever read.
        QualityPlot.objects.filter(report=claim.row).delete()
        QualityPlot.objects.bulk_create(
            QualityPlot(report=claim.row, name=name, scheme=scheme, svg=svg)
            for (name, scheme), svg in plots.items()
        )
        remove_old_reports(keep=KEEP)
    logger.info("report %s done: %s faces of %s people", claim.row.pk, figures["faces"], figures["people"])


class _Progress:
    """Tells the row how far its report is, and gives way to whoever waits at a page."""

    def __init__(self, claim: Claim[QualityReport]) -> None:
        self._claim = claim
        self._told = 0.0

    def tell(self, share: float) -> None:
        if stopping.is_set():
            raise _Stopped
        if time.monotonic() - self._told < _TELL_SECONDS:
            return
        self._told = time.monotonic()
        held = QualityReport.objects.filter(
            pk=self._claim.row.pk, state=QualityReport.State.PROCESSING, lease=self._claim.lease
        )
        if not held.update(progress=min(99, round(100 * share))):
            raise LeaseLost
        while is_search_waiting() and process_next_probe() is not None:
            pass


def _judge(error: Exception) -> Fault:
    """Whose fault it was, in a sentence for whoever waits for the report."""
    if isinstance(error, TooFewFaces):
        return Fault("too_few_faces", str(error), final=True)
    if isinstance(error, OperationalError | InterfaceError):
        return Fault(
            "database_unavailable",
            "The database did not answer. The report is made again by itself; if this stays, tell the administrator.",
            passing=True,
        )
    return Fault(
        "report_error",
        f"FaceVault could not measure ({type(error).__name__}). Press Measure now again; if it fails again, the "
        "administrator finds the details in the worker's log.",
    )
