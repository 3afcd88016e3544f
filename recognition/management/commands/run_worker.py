"""Process uploaded photos in the background, and take up what dead workers dropped."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection
from django.utils import timezone
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker
from django_tasks_db.models import DBTaskResult

from recognition.event_deletion import sweep_deletions
from recognition.exports import sweep_exports
from recognition.gallery_journal import prune_journal
from recognition.leases import stopping
from recognition.orphans import remove_orphans
from recognition.probes import sweep_probes
from recognition.processing import sweep
from recognition.storage import remove_stale_uploads
from recognition.wal import truncate_wal

logger = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
CLEAN_UPLOADS_EVERY = 60  # sweeps, about five minutes: the picture of a search may be among what is left
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
        sweep()
        sweep_deletions()
        sweep_probes()
        sweep_exports()
        remove_stale_uploads()
        finished = threading.Event()
        sweeper = threading.Thread(target=_sweep_until, args=(finished,), name="sweep", daemon=True)
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


def _sweep_until(finished: threading.Event) -> None:
    rounds, traces = 0, True
    while not finished.wait(SWEEP_SECONDS):
        rounds += 1
        try:
            sweep()
            sweep_deletions()
            traces = sweep_probes() > 0 or traces
            sweep_exports()
            if rounds % CLEAN_UPLOADS_EVERY == 0:
                remove_stale_uploads()
                traces = True
            if traces:
                traces = not truncate_wal()
            if rounds % CLEAN_EVERY == 0:
                prune_journal(keep_versions=KEEP_VERSIONS)
                if rounds % REMOVE_ORPHANS_EVERY == 0:
                    remove_orphans()
                DBTaskResult.objects.filter(enqueued_at__lt=timezone.now() - KEEP_TASKS).exclude(
                    status="READY"
                ).delete()
        except DatabaseError:
            logger.warning("the sweep failed; it runs again in %s s", SWEEP_SECONDS, exc_info=True)
        finally:
            connection.close()
