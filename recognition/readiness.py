"""Whether this process and what it stands on can do their work: the checks behind /readyz, without names or paths."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from recognition.active_embedder import NoActiveEmbedder
from recognition.embedders import EmbedderUnknown
from recognition.events.progress import nothing_moves
from recognition.gallery_index import get_gallery_index

logger = logging.getLogger(__name__)
OK = "ok"
_NOT_ASKED = "not asked: the database does not answer"

# The code of a process does not change, and nobody unapplies a migration under a running one.
_migrated = False


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    said: str = OK
    passed: bool = True


def check_readiness() -> list[Check]:
    """Every check, in a fixed order, whatever the others say."""
    database = _check_database()
    if not database.passed:
        return [
            database,
            Check("migrations", _NOT_ASKED, passed=False),
            Check("index", _NOT_ASKED, passed=False),
            _check_disk(),
            Check("worker", _NOT_ASKED, passed=False),
        ]
    migrations = _check_migrations()
    # What the tables do not hold yet cannot be asked.
    asked = [_check_index(), _check_disk(), _check_worker()] if migrations.passed else [_check_disk()]
    return [database, migrations, *asked]


def forget_migrations() -> None:
    """For tests: ask the database again."""
    global _migrated
    _migrated = False


def _check_database() -> Check:
    try:
        # The list of tables: SQLite answers SELECT 1 without looking into its file, and an empty database has one, too.
        connection.introspection.table_names()
    except DatabaseError:
        logger.warning("readyz: the database does not answer", exc_info=True)
        return Check("database", "does not answer", passed=False)
    return Check("database")


def _check_migrations() -> Check:
    global _migrated
    if not _migrated:
        try:
            executor = MigrationExecutor(connection)
            missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        except DatabaseError:
            return Check("migrations", "cannot be read", passed=False)
        if missing:
            return Check(
                "migrations", f"{missing} are not applied: run `manage.py migrate` and restart", passed=False
            )
        _migrated = True
    return Check("migrations")


def _check_index() -> Check:
    try:
        # What a search does first: load where nothing is loaded, and pull what is new.
        get_gallery_index().refresh()
    except NoActiveEmbedder:
        return Check("index", "no embedder is chosen yet: the worker chooses one at its first start")
    except EmbedderUnknown:
        return Check("index", "the active embedder is not known to this version", passed=False)
    except DatabaseError:
        logger.warning("readyz: the index cannot be read", exc_info=True)
        return Check("index", "cannot be read from the database", passed=False)
    return Check("index")


def _check_disk() -> Check:
    folder: Path = settings.FACEVAULT_DATA
    try:
        # A data folder that is not there yet is made on the disk of the folder above it.
        free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    except OSError:
        return Check("disk", "the data folder cannot be reached", passed=False)
    if free < settings.FACEVAULT_MIN_FREE_MB * 1024 * 1024:
        reserve = settings.FACEVAULT_MIN_FREE_MB
        return Check("disk", f"less than {reserve} MB are free for the data folder", passed=False)
    return Check("disk")


def _check_worker() -> Check:
    try:
        stalled = nothing_moves()
    except DatabaseError:
        return Check("worker", "cannot be asked", passed=False)
    if stalled:
        return Check("worker", "photos wait and nobody processes them: start a worker", passed=False)
    return Check("worker")
