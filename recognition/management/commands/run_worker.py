"""Process uploaded photos in the background, and take up what dead workers dropped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from recognition.calibration.work import sweep_calibration
from recognition.evaluation.reports import sweep_reports
from recognition.events.deletion import sweep_deletions
from recognition.exports import sweep_exports
from recognition.gallery_journal import prune_journal
from recognition.leases import stopping
from recognition.looks.describing import sweep_looks
from recognition.named_regions.reading import sweep_readings
from recognition.photos.manual_boxes import sweep_boxes
from recognition.photos.orphans import remove_orphans
from recognition.probes import sweep_probes
from recognition.processing import sweep
from recognition.reembedding.background import sweep_change
from recognition.signals import chores, cleaning_chores
from recognition.storage import remove_stale_uploads
from recognition.videos.work import sweep_videos
from recognition.wal import truncate_wal

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
CLEAN_UPLOADS_EVERY = 60  # sweeps, about five minutes: the picture of a search may be among what is left
# Both also once soon after the start: a worker on an office's computer never runs for a whole day.
CLEAN_EVERY = 720  # about an hour
REMOVE_ORPHANS_EVERY = 24 * CLEAN_EVERY  # about a day: it looks at every file
KEEP_TASKS = timedelta(days=1)
# An index that is further behind builds itself anew, which takes about as long as reading so much journal.
KEEP_VERSIONS = 100_000


class PhotoWorker(Worker):
    """The tasks library's worker; asked to stop, it finishes the photo in hand and not the whole slice."""

    def shutdown(self, signum: int, frame: FrameType | None) -> None:
        stopping.set()
        super().shutdown(signum, frame)


class Command(BaseCommand):
    help = "Process uploaded photos in the background until stopped (Ctrl-C or SIGTERM)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--batch", action="store_true", help="process what waits, then exit")
        parser.add_argument(
            "--interval",
            type=float,
            default=0.5,
            metavar="SECONDS",
            help="pause between looks at an empty queue",
        )

    def handle(self, *args: Any, batch: bool, interval: float, **options: Any) -> None:
        load_models()
        stopping.clear()
        worker = PhotoWorker(
            queue_names=["default"],
            interval=interval,
            batch=batch,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=get_random_string(32),
            excluded_queue_names=[],
        )
        worker.configure_signals()
        chores = Chores()
        chores.look_for_work()
        chores.do(remove_stale_uploads)
        finished = threading.Event()
        sweeper = threading.Thread(target=_sweep_until, args=(finished, chores), name="sweep", daemon=True)
        sweeper.start()
        try:
            worker.run()
        finally:
            finished.set()
            sweeper.join()


def load_models() -> None:
    """Load detector, embedder and index before the first photo: a missing weight file must not cost a photo an attempt."""
    from recognition.active_embedder import ensure_active_embedder
    from recognition.detection import get_detector
    from recognition.embedders import (
        EmbedderUnknown,
        WeightsMissing,
        WeightsRefused,
        choose_embedder,
        get_embedder,
    )
    from recognition.gallery_index import get_gallery_index

    active = ensure_active_embedder(choose_embedder)
    try:
        get_embedder(active.embedder_id)
    except (EmbedderUnknown, WeightsMissing, WeightsRefused) as error:
        raise CommandError(str(error)) from error
    get_detector()
    status = get_gallery_index().status()
    logger.info(
        "ready: embedder %s (%s); %s faces in the gallery", active.embedder_id, active.reason, status.count
    )


class Chores:
    """What is looked at again and again. Whatever stops one of them stops neither the others nor its next time."""

    def __init__(self) -> None:
        self._troubles: dict[str, str] = {}
        self._traces = True  # of what was deleted, in SQLite's log

    def do(self, chore: Callable[[], object]) -> Any:
        """What it returns; None if it failed. The same trouble is told once, however long it lasts."""
        name = chore.__name__
        try:
            answer = chore()
        except Exception as error:
            if self._troubles.get(name) != (trouble := f"{type(error).__name__}: {error}"):
                logger.warning("%s failed; it is tried again", name, exc_info=True)
            self._troubles[name] = trouble
            connection.close_if_unusable_or_obsolete()  # the next one opens another
            return None
        if self._troubles.pop(name, ""):
            logger.warning("%s works again", name)
        return answer

    def look_for_work(self) -> None:
        own = (
            sweep,
            sweep_boxes,
            sweep_deletions,
            sweep_exports,
            sweep_readings,
            sweep_reports,
            sweep_change,
            sweep_calibration,
            sweep_looks,
            sweep_videos,
        )
        for chore in (*own, *chores):
            self.do(chore)
        self._traces = bool(self.do(sweep_probes)) or self._traces

    def do_all(self, rounds: int) -> None:
        """Everything whose turn it is in this round, from 1 on."""
        self.look_for_work()
        if rounds % CLEAN_UPLOADS_EVERY == 0:
            self.do(remove_stale_uploads)
            self._traces = True
        if self._traces:
            self._traces = not self.do(truncate_wal)
        if rounds % CLEAN_EVERY == CLEAN_UPLOADS_EVERY:
            self.do(_prune_journal)
            self.do(_remove_old_tasks)
            for chore in cleaning_chores:
                self.do(chore)
        if rounds % REMOVE_ORPHANS_EVERY == CLEAN_UPLOADS_EVERY:
            self.do(remove_orphans)


def _sweep_until(finished: threading.Event, chores: Chores) -> None:
    rounds = 0
    while not finished.wait(SWEEP_SECONDS):
        rounds += 1
        try:
            chores.do_all(rounds)
        finally:
            connection.close()


def _prune_journal() -> None:
    prune_journal(keep_versions=KEEP_VERSIONS)


def _remove_old_tasks() -> None:
    old = DBTaskResult.objects.filter(enqueued_at__lt=timezone.now() - KEEP_TASKS)
    old.exclude(status="READY").delete()
