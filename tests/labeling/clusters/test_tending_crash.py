"""A SIGKILL while the worker looks at the queue: the next one goes on, and every face is looked at, named or grouped once."""

from __future__ import annotations

import signal
import sqlite3
from pathlib import Path

import pytest

from tests.new_vault import expire_leases
from tests.recognition.test_crash import empty_vault, ingest, run, vault

__all__ = ["empty_vault", "vault"]
TENDING_POINTS = ["before_names_commit", "before_clusters_commit", "before_looks_commit"]
_NAME_A_RED_FACE = """
from django.contrib.auth.models import User
from labeling.decisions import label_face
from recognition.models import Face
label_face(face=Face.objects.select_related("photo").earliest("pk"), actor=User.objects.create_superuser("lena"), name="Red")
"""
_FIND_BROKEN = "from tests.labeling.invariants import find_broken; print(find_broken())"


@pytest.mark.parametrize("point", TENDING_POINTS)
def test_a_worker_that_tends_the_queue_killed_at(point: str, vault: Path) -> None:
    ingest(vault)
    run(vault, "shell", "--verbosity", "0", "--command", _NAME_A_RED_FACE)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    assert run(vault, "shell", "--verbosity", "0", "--command", _FIND_BROKEN).stdout.strip() == "[]"
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        names = database.execute(
            "SELECT decided_by, count(*) FROM recognition_sighting GROUP BY decided_by ORDER BY decided_by"
        ).fetchall()
        groups = database.execute("SELECT open_count FROM labeling_cluster").fetchall()
        looks = database.execute("SELECT count(*) FROM labeling_look").fetchone()
    database.close()
    assert names == [("human", 1), ("machine", 2)]
    assert groups == [(3,)]
    assert looks == (3,)
