"""A SIGKILL at any named point of an import or an export: the next run finishes it, and nothing is lost, doubled or different."""

from __future__ import annotations

import re
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.recognition.embedding_files.making import files_of, make_folder
from tests.recognition.test_crash import ROOT, empty_vault, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

IMPORT_POINTS = [
    "embedding_import_begun",
    "outside_described",
    "outside_files_written",
    "before_outside_commit",
    "outside_committed",
]
EXPORT_POINTS = [
    "export_block_appended",
    "export_block_noted",
    "export_files_written",
    "export_file_named",
    "export_report_written",
]


def test_the_list_of_points_is_complete() -> None:
    folders = (ROOT / "recognition" / "embedding_files", ROOT / "recognition" / "outside_faces")
    sources = [path.read_text() for folder in folders for path in folder.glob("*.py")]
    found = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert found == {*IMPORT_POINTS, *EXPORT_POINTS}


def bring_in(vault: Path, folder: Path, *, crash_at: str = "") -> None:
    options = ["--event", "Gala", "--refused", str(vault.parent / "refused.csv")]
    expect = -signal.SIGKILL if crash_at else 0
    run(vault, "import_embeddings", str(folder), *options, crash_at=crash_at, expect=expect)


def write_out(vault: Path, folder: Path, *, crash_at: str = "") -> None:
    expect = -signal.SIGKILL if crash_at else 0
    run(vault, "export_embeddings", str(folder), "--import", "1", crash_at=crash_at, expect=expect)


@pytest.mark.parametrize("point", IMPORT_POINTS)
def test_an_import_killed_at(point: str, vault: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", faces=300)
    bring_in(vault, folder, crash_at=point)
    bring_in(vault, folder)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        counts = [
            database.execute(f"SELECT count(*) FROM recognition_{table}").fetchone()[0]
            for table in ("faceimport", "photo", "face", "embedding", "importedface", "unlabeledface")
        ]
    database.close()
    assert counts == [1, 150, 300, 300, 300, 300]
    write_out(vault, tmp_path / "out")
    assert files_of(tmp_path / "out") == files_of(folder)


def test_an_export_killed_anywhere_writes_the_same_bytes(vault: Path, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "in", faces=300)
    bring_in(vault, folder)
    write_out(vault, tmp_path / "whole")
    for point in EXPORT_POINTS:
        target = tmp_path / point
        write_out(vault, target, crash_at=point)
        write_out(vault, target)
        assert files_of(target) == files_of(tmp_path / "whole") == files_of(folder)
        assert (target / "export.json").read_bytes() == (tmp_path / "whole" / "export.json").read_bytes()
        assert sorted(path.name for path in target.iterdir()) == sorted(
            path.name for path in (tmp_path / "whole").iterdir()
        )
