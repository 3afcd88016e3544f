"""A SIGKILL at any named point of looks: photos are described and pictures answered all the same, once."""

from __future__ import annotations

import re
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from recognition.looks.descriptor import LOOK
from tests.new_vault import expire_leases
from tests.recognition.test_crash import ROOT, empty_vault, ingest, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

POINTS = ["look_described", "look_written"]
PROBE_POINTS = ["look_probe_claimed", "look_probe_seen", "look_probe_committed"]


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACEVAULT_LOOK_SEARCH", "yes")


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "looks").glob("*.py")]
    named = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert named == {*POINTS, *PROBE_POINTS}


@pytest.mark.parametrize("point", POINTS)
def test_photos_of_a_worker_that_is_killed_at(point: str, vault: Path) -> None:
    """The next one describes what is missing, and nothing twice."""
    ingest(vault)
    run(vault, "describe_looks", crash_at=point, expect=-signal.SIGKILL)
    run(vault, "describe_looks")
    looks = read(vault, "SELECT photo_id, face_id IS NULL, length(vector) FROM recognition_photolook")
    assert sorted(looks) == [(photo, whole, 4 * LOOK) for photo in (1, 2, 3) for whole in (0, 0, 1)]


@pytest.mark.parametrize("point", PROBE_POINTS)
def test_the_picture_of_a_search_whose_worker_is_killed_at(point: str, vault: Path) -> None:
    """The next one answers, and the picture itself is gone."""
    picture = vault.parent / "photos" / "0.png"
    add = (
        "from django.contrib.auth.models import User; from recognition.looks.probing import add_look_probe; "
        f"add_look_probe(file=open({str(picture)!r}, 'rb'), user=User.objects.create_user('lena'))"
    )
    run(vault, "shell", "-c", add)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    assert read(vault, "SELECT state, length(vectors) FROM recognition_lookprobe") == [("done", 3 * 4 * LOOK)]
    [left] = (vault / "probes").iterdir()
    assert left.name.endswith("-preview.jpg")


def read(vault: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(vault / "facevault.sqlite3")) as database:
        return database.execute(statement).fetchall()
