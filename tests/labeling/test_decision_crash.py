"""A SIGKILL in the middle of naming 500 faces, of its undo or of its redo leaves nothing of it, or all."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.labeling.clusters.test_tending_crash import TENDING_POINTS
from tests.recognition.test_crash import IMPORT_POINTS, ROOT, empty_vault, run

__all__ = ["empty_vault"]
POINTS = ["decision_written", "undo_written", "redo_written"]
FACES = 500
_FILL = f"""
from django.contrib.auth.models import User
from tests.factories import make_event, make_photo, make_unlabeled
User.objects.create_superuser("lena")
event = make_event()
for _ in range({FACES}):
    make_unlabeled(photo=make_photo(event))
"""
_DO = """
from django.contrib.auth.models import User
from labeling.decisions import label_faces, redo_decision, undo_decision
from recognition.models import Face
lena = User.objects.get()
faces = list(Face.objects.select_related("photo"))
decision = label_faces(faces=faces, actor=lena, name="Alice")
undo_decision(decision=decision, actor=lena)
redo_decision(decision=decision, actor=lena)
"""


def test_the_list_of_points_is_complete() -> None:
    """A point that nobody kills at proves nothing."""
    sources = [path.read_text() for path in (ROOT / "labeling").rglob("*.py")]
    named = {name for one in sources for name in re.findall(r'crash_point\("(\w+)"\)', one)}
    assert named == {*POINTS, *TENDING_POINTS, *IMPORT_POINTS}


@pytest.mark.parametrize(
    ("point", "named"), [("decision_written", 0), ("undo_written", FACES), ("redo_written", 0)]
)
def test_a_kill_leaves_what_was_before(point: str, named: int, empty_vault: Path, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    shutil.copytree(empty_vault, vault)
    run(vault, "shell", "--verbosity", "0", "--command", _FILL)
    run(vault, "shell", "--verbosity", "0", "--command", _DO, crash_at=point, expect=-signal.SIGKILL)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counts = [
            database.execute(f"SELECT count(*) FROM {table} WHERE {condition}").fetchone()[0]
            for table, condition in (
                ("recognition_sighting", "is_reference"),
                ("recognition_unlabeledface", "verdict = 'label'"),
                ("recognition_face", "version % 2 = 1"),
                ("labeling_decision", "undone_at IS NULL"),
                ("recognition_person", "hidden_at IS NULL"),
            )
        ]
        snapshots = database.execute("SELECT count(*) FROM labeling_decidedface").fetchone()[0]
    database.close()
    alone = min(named, 1)
    assert counts == [named, named, named, alone, alone]
    assert snapshots == (0 if point == "decision_written" else FACES)
