"""Fit the lines to this installation's own faces when the gallery has changed enough, and put them in force."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.calibration.lines import describe_calibrated, newest_calibration
from recognition.calibration.own_faces import fit_own_faces
from recognition.calibration.reading import read_labeled_faces
from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state, read_gallery_state
from recognition.leases import request_task
from recognition.models import Calibration, Sighting
from recognition.signals import lines_moved

logger = logging.getLogger(__name__)

# The line of a gallery that is a twentieth larger lets at most a twentieth more strangers through.
_GROWTH = 0.05
_PAUSE = timedelta(seconds=15)
# What changed without a growth, a name that was corrected say, is followed in the end as well.
_LONGEST = timedelta(hours=1)
_KEPT = 200
# One that failed, or took its worker with it, is asked for again after five minutes; after the third time within the hour
# not before the hour is over.
_RETRY = timedelta(minutes=5)
_TRIES = 3
_SEED = 1


def request_calibration() -> None:
    """Have a worker fit the lines anew."""
    from recognition.tasks import calibrate_lines

    request_task(calibrate_lines)


def sweep_calibration() -> bool:
    """Ask for a calibration if one is due; whether it did."""
    try:
        due = is_calibration_due(get_active_embedder_id())
    except NoActiveEmbedder:
        return False
    due = due and not _keeps_failing()
    if due:
        with transaction.atomic():
            request_calibration()
    return due


def is_calibration_due(embedder_id: str, *, pause: timedelta = _PAUSE) -> bool:
    """Whether the target was set anew, or the gallery has grown or shrunk by a twentieth, or moved an hour ago; `pause` after
    the last time at the earliest."""
    newest = newest_calibration(embedder_id)
    if newest is None or newest.target != settings.FACEVAULT_FPIR:
        return True
    age = timezone.now() - newest.created_at
    if newest.gallery_version == read_gallery_state().version or age < pause:
        return False
    references = Sighting.objects.filter(is_reference=True).count()
    return age >= _LONGEST or abs(references - newest.references) > _GROWTH * newest.references


def calibrate(embedder_id: str) -> Calibration:
    """Fit the lines of an embedder, active or not, and put them in force. Not inside a transaction.

    Raises EmbedderUnknown.
    """
    info = describe_calibrated(embedder_id)
    version, target = read_gallery_state().version, settings.FACEVAULT_FPIR
    labeled = read_labeled_faces(info)
    fit = fit_own_faces(labeled, info=info, target=target, rng=np.random.default_rng(_SEED)).fit
    new = fit.thresholds
    crash_point("calibration_fitted")
    enrolled = len(np.unique(labeled.people[labeled.references]))
    with transaction.atomic():
        # Names are written under the same lock: none that was found by the old lines comes after the new ones.
        lock_gallery_state()
        # Another worker may have moved them while this one measured.
        old = describe_calibrated(embedder_id).thresholds
        row = Calibration.objects.create(
            embedder_id=embedder_id,
            gallery_version=version,
            target=target,
            enrolled=enrolled,
            references=int(labeled.references.sum()),
            probes=fit.probes,
            figures=fit.figures(),
            **asdict(new),
        )
        beyond = Calibration.objects.filter(embedder_id=embedder_id).order_by("-pk")[_KEPT:]
        Calibration.objects.filter(pk__in=list(beyond.values_list("pk", flat=True))).delete()
        if embedder_id == get_active_embedder_id() and new != old:
            lines_moved.send(Calibration, old=old, new=new)
        crash_point("before_calibration_commit")
    logger.info(
        "calibrated %s: automatic %.3f (was %.3f) for %d people, by %d faces",
        embedder_id, row.automatic, old.automatic, enrolled, fit.probes,
    )  # fmt: skip
    return row


def _keeps_failing() -> bool:
    """Whether a calibration that was asked for has not come to its end, and it is too early to ask again."""
    from recognition.tasks import calibrate_lines

    now = timezone.now()
    tried = DBTaskResult.objects.filter(task_path=calibrate_lines.module_path, enqueued_at__gt=now - _LONGEST)
    failed = tried.exclude(status__in=[TaskResultStatus.READY, TaskResultStatus.SUCCESSFUL])
    times = sorted(failed.values_list("enqueued_at", flat=True))
    return len(times) >= _TRIES or (bool(times) and times[-1] > now - _RETRY)
