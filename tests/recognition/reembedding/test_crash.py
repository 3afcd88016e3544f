"""A SIGKILL at any named point of a change of the embedder: the next run ends where it would have ended."""

from __future__ import annotations

import re
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.fakes import EMBEDDER_ID, SECOND_ID
from tests.new_vault import expire_leases
from tests.recognition.test_crash import ROOT, empty_vault, ingest, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

POINTS = [
    "reembed_decoded",
    "reembed_embedded",
    "before_reembed_commit",
    "reembed_committed",
    "reembed_complete",
    "reembed_measured",
    "before_switch_commit",
    "after_switch_commit",
]
FACES = 6


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "reembedding").glob("*.py")]
    named = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert named == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_a_change_killed_at(point: str, vault: Path) -> None:
    ingest(vault)
    before = read(vault, "SELECT face_id, embedder_id, vector FROM recognition_embedding ORDER BY id")
    change = ("reembed", "--to", SECOND_ID, "--batch", "2")
    run(vault, *change, crash_at=point, lease="2", expect=-signal.SIGKILL)
    active = read(vault, "SELECT embedder_id FROM recognition_activeembedder")
    if point == "after_switch_commit":
        assert active == [(SECOND_ID,)]
    else:
        assert active == [(EMBEDDER_ID,)]
        expire_leases(vault)
        run(vault, *change)
    assert read(vault, "SELECT embedder_id FROM recognition_activeembedder") == [(SECOND_ID,)]
    assert read(vault, "SELECT state, faces_done, faces_total FROM recognition_reembedding") == [
        ("switched", FACES, FACES)
    ]
    old = f"SELECT face_id, embedder_id, vector FROM recognition_embedding WHERE embedder_id = '{EMBEDDER_ID}' ORDER BY id"
    assert read(vault, old) == before
    made = f"SELECT count(*), count(DISTINCT face_id) FROM recognition_embedding WHERE embedder_id = '{SECOND_ID}'"
    assert read(vault, made) == [(FACES, FACES)]


def read(vault: Path, statement: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        rows = database.execute(statement).fetchall()
    database.close()
    return rows
