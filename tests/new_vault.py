"""Data folders of processes under test: an empty one with its tables, made once, and one whose leases are over."""

from __future__ import annotations

import atexit
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import cache
from pathlib import Path

from tests.preloaded import run_preloaded


def copy_new_vault(folder: Path) -> Path:
    """Into `folder`, which is not there yet: what an installation is before its first event."""
    return Path(shutil.copytree(_new_vault(), folder))


@cache
def _new_vault() -> Path:
    parent = tempfile.mkdtemp(prefix="facevault-new-")
    atexit.register(shutil.rmtree, parent, ignore_errors=True)
    folder = Path(parent) / "vault"
    settings = {"DJANGO_SETTINGS_MODULE": "facevault_site.settings", "FACEVAULT_DATA": str(folder)}
    own = {"DATABASE_URL", "FACEVAULT_SECRET_KEY"}
    given = {name: value for name, value in os.environ.items() if name not in own}
    done = run_preloaded("manage.py", "migrate", "--verbosity", "0", env={**given, **settings})
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def expire_leases(folder: Path) -> None:
    """As if the time of every lease in that installation were over: nobody need wait for a worker that was killed."""
    with closing(sqlite3.connect(folder / "facevault.sqlite3", timeout=20)) as database:
        tables = database.execute(
            "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ON c.name = 'lease_until' "
            "WHERE m.type = 'table'"
        ).fetchall()
        for (table,) in tables:
            database.execute(
                f"UPDATE {table} SET lease_until = '2020-01-01 00:00:00' WHERE lease_until IS NOT NULL"
            )
        database.commit()
