"""A SIGKILL at any named point of an import or export: run again, it is the same as if nothing had happened."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.recognition.facedb.building import build_store, read_store
from tests.recognition.test_crash import ROOT, empty_vault, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

IMPORT_POINTS = [
    "facedb_begun",
    "facedb_some_people_written",
    "facedb_people_written",
    "facedb_batch_written",
]
EXPORT_POINTS = [
    "facedb_person_exported",
    "facedb_references_exported",
    "before_facedb_publish",
    "after_facedb_publish",
]
# Of recognition/outside_faces, whose own tests list them all.
SHARED_POINTS = ["outside_described", "before_outside_commit"]


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "facedb").glob("*.py")]
    found = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert found == {*IMPORT_POINTS, *EXPORT_POINTS}


@pytest.mark.parametrize("point", [*IMPORT_POINTS, *SHARED_POINTS])
def test_an_import_killed_at(point: str, vault: Path, tmp_path: Path) -> None:
    store = build_store(tmp_path / "store", people=3, each=60, waiting=3, labeled=1, dimension=32)
    command = ("import_facedb", str(store), "--event", "Foyer")
    run(vault, *command, crash_at=point, expect=-signal.SIGKILL)
    run(vault, *command)
    assert count(vault) == [3, 183, 183, 1]
    run(vault, "export_facedb", str(tmp_path / "back"), "--event", "Foyer")
    before, after = read_store(store), read_store(tmp_path / "back")
    assert (after.people, after.visits, after.entries) == (before.people, before.visits, before.entries)
    assert after.crops == before.crops


@pytest.fixture(scope="module")
def imported(empty_vault: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A vault with a store in it, and beside it the export that nothing interrupted."""
    folder = tmp_path_factory.mktemp("imported")
    shutil.copytree(empty_vault, folder / "vault")
    store = build_store(folder / "store")
    run(folder / "vault", "import_facedb", str(store), "--event", "Foyer")
    run(folder / "vault", "export_facedb", str(folder / "whole"), "--event", "Foyer")
    return folder


@pytest.mark.parametrize("point", EXPORT_POINTS)
def test_an_export_killed_at(point: str, imported: Path, tmp_path: Path) -> None:
    vault, back = imported / "vault", tmp_path / "back"
    command = ("export_facedb", str(back), "--event", "Foyer")
    run(vault, *command, crash_at=point, expect=-signal.SIGKILL)
    if point == "after_facedb_publish":
        assert "not empty" in run(vault, *command, expect=1).stderr
    else:
        assert not back.exists()
        run(vault, *command)
    assert [path.name for path in tmp_path.iterdir()] == ["back"]
    assert contents(back) == contents(imported / "whole")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def count(vault: Path) -> list[int]:
    with closing(sqlite3.connect(vault / "facevault.sqlite3")) as database:
        return [
            database.execute(f"SELECT count(*) FROM recognition_{table}").fetchone()[0]
            for table in ("person", "face", "importedface", "faceimport")
        ]
