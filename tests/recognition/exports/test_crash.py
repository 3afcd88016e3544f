"""A SIGKILL at any named point of an export: it is made all the same, once, and leaves nothing lying about."""

from __future__ import annotations

import re
import signal
import sqlite3
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.new_vault import expire_leases
from tests.recognition.test_crash import ROOT, add, empty_vault, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

POINTS = ["export_claimed", "export_written", "export_published", "export_finished"]
ASK = (
    "from django.contrib.auth.models import User; from recognition.models import Event; "
    "from recognition.exports import *; boss = User.objects.create_superuser('boss'); "
    "request_export(user=boss, scope=ExportScope(event=Event.objects.get()))"
)
SWEEP = "from recognition.exports import sweep_exports; sweep_exports()"


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "exports").glob("*.py")]
    assert {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)} == set(
        POINTS
    )


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at(point: str, vault: Path) -> None:
    add(vault)
    run(vault, "run_worker", "--batch")
    run(vault, "shell", "-c", ASK)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    run(vault, "shell", "-c", SWEEP)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        [(state, done, size)] = database.execute(
            "SELECT state, photos_done, byte_size FROM recognition_export"
        ).fetchall()
    database.close()
    [path] = (vault / "exports").iterdir()
    assert (state, done, size) == ("done", 3, path.stat().st_size)
    with ZipFile(path) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == 4
    assert list((vault / "incoming").glob("export-*")) == []
