"""SQLite's write-ahead log: emptied now and then, since what was deleted from the database is still in it."""

from __future__ import annotations

from django.conf import settings
from django.db import connection

# A reader that streams a large export must not hold up every writer behind this.
_PATIENCE_MS = 500


def truncate_wal() -> bool:
    """Write the log back and cut it to nothing; False if somebody reads an older state: try again later."""
    if connection.vendor != "sqlite":
        return True
    timeout_ms = int(settings.DATABASES["default"]["OPTIONS"]["timeout"] * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        try:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy = cursor.fetchone()[0]
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {timeout_ms}")
    return not busy
