"""A SIGKILL at any named point of an ingest loses nothing and doubles nothing."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fakes import draw_photo
from tests.photos import PHOTOS, needs_photos

ROOT = Path(__file__).resolve().parents[2]
WORKER_POINTS = [
    "photo_claimed",
    "photo_decoded",
    "faces_detected",
    "previews_written",
    "faces_embedded",
    "crops_written",
    "faces_matched",
    "face_written",
    "before_result_commit",
    "after_result_commit",
]
UPLOAD_POINTS = ["upload_received", "upload_kept", "upload_before_commit"]
DELETION_POINTS = ["photos_removed", "files_removed", "before_deletion_commit"]
FACES_PER_PHOTO = 2


@pytest.fixture(scope="module")
def empty_vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("crash") / "vault"
    run(folder, "migrate", "--verbosity", "0")
    return folder


@pytest.fixture
def vault(empty_vault: Path, tmp_path: Path) -> Path:
    """A migrated vault of its own, and three photos of two faces each beside it."""
    folder = tmp_path / "vault"
    subprocess.run(["cp", "-r", str(empty_vault), str(folder)], check=True)
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        (photos / f"{number}.png").write_bytes(draw_photo("red", "blue", salt=number))
    return folder


def run(
    vault: Path, *command: str, crash_at: str = "", lease: str = "60", expect: int = 0
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash_worker", *command],
        cwd=ROOT,
        env=environment_of(vault, crash_at=crash_at, lease=lease),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def environment_of(vault: Path, *, crash_at: str = "", lease: str) -> dict[str, str]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(vault),
        "FACEVAULT_CRASH_AT": crash_at,
        "FACEVAULT_LEASE_SECONDS": lease,
    }
    environment.pop("DATABASE_URL", None)
    return environment


def add(vault: Path, **options: str | int) -> None:
    refused = str(vault / "refused.csv")
    run(
        vault,
        *(
            "ingest_photos",
            str(vault.parent / "photos"),
            "--event",
            "Party",
            "--no-process",
            "--refused",
            refused,
        ),
        **options,  # type: ignore[arg-type]
    )


def ingest(vault: Path, **options: str | int) -> None:
    """Add and process in one process, as the command is used by hand."""
    refused = str(vault / "refused.csv")
    run(
        vault,
        *("ingest_photos", str(vault.parent / "photos"), "--event", "Party", "--refused", refused),
        **options,  # type: ignore[arg-type]
    )


def assert_complete(vault: Path, faces: Sequence[int] = (FACES_PER_PHOTO,) * 3) -> None:
    """Every photo done with so many faces, each once with its crop, embedding and queue entry; no file torn or left."""
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        states = [row[0] for row in database.execute("SELECT state FROM recognition_photo")]
        per_photo = [
            row[0] for row in database.execute("SELECT count(*) FROM recognition_face GROUP BY photo_id")
        ]
        embeddings = database.execute("SELECT count(DISTINCT face_id) FROM recognition_embedding").fetchone()[
            0
        ]
        queued = database.execute("SELECT count(DISTINCT face_id) FROM recognition_unlabeledface").fetchone()[
            0
        ]
        crops = {row[0] for row in database.execute("SELECT crop FROM recognition_face")}
    database.close()
    assert states == ["done"] * len(faces)
    assert sorted(per_photo) == sorted(faces)
    assert embeddings == queued == sum(faces)
    assert crops == {path.stem for path in (vault / "crops").rglob("*.jpg")}
    assert len([path for path in (vault / "photos").rglob("*") if path.is_file()]) == len(faces)
    assert not [path for path in vault.rglob("*.part") if path.parent.name != "incoming"]


def test_the_list_of_points_is_complete() -> None:
    """A point that nobody kills at proves nothing."""
    # Exports and searches have their own lists, in their own tests.
    paths = (ROOT / "recognition").rglob("*.py")
    sources = [path.read_text() for path in paths if path.parent.name not in {"exports", "probes"}]
    named = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert named == {*WORKER_POINTS, *UPLOAD_POINTS, *DELETION_POINTS}


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_killed_at(point: str, vault: Path) -> None:
    add(vault)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    time.sleep(2.1)
    run(vault, "run_worker", "--batch", lease="2")
    assert_complete(vault)


@pytest.mark.parametrize("point", UPLOAD_POINTS)
def test_an_import_killed_at(point: str, vault: Path) -> None:
    add(vault, crash_at=point, expect=-signal.SIGKILL)
    add(vault)
    run(vault, "run_worker", "--batch")
    assert_complete(vault)


@pytest.mark.parametrize("point", DELETION_POINTS)
def test_a_deletion_killed_at(point: str, vault: Path) -> None:
    ingest(vault)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        database.execute("UPDATE recognition_event SET deleted_at = '2026-01-01 00:00:00'")
    database.close()
    run(vault, "run_worker", "--batch", crash_at=point, expect=-signal.SIGKILL)
    run(vault, "run_worker", "--batch")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        tables = ("event", "photo", "face", "embedding", "unlabeledface")
        counts = [
            database.execute(f"SELECT count(*) FROM recognition_{table}").fetchone()[0] for table in tables
        ]
    database.close()
    assert counts == [0] * len(tables)
    kinds = ("photos", "previews", "thumbs", "crops")
    assert not [path for kind in kinds for path in (vault / kind).rglob("*") if path.is_file()]


@pytest.mark.parametrize("point", ["photo_claimed", "crops_written", "after_result_commit"])
def test_an_import_that_processes_killed_at_goes_on_when_it_is_run_again(point: str, vault: Path) -> None:
    """Without waiting for the dead process's lease, and without a worker."""
    ingest(vault, crash_at=point, lease="2", expect=-signal.SIGKILL)
    ingest(vault, lease="2")
    assert_complete(vault)


def test_a_photo_that_kills_its_worker_every_time_is_listed_and_the_others_go_on(vault: Path) -> None:
    add(vault)
    for _ in range(3):
        run(vault, "run_worker", "--batch", crash_at="faces_embedded", lease="2", expect=-signal.SIGKILL)
        time.sleep(2.1)
    run(vault, "run_worker", "--batch", lease="2")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        rows = database.execute(
            "SELECT state, failure_code, attempts FROM recognition_photo ORDER BY id"
        ).fetchall()
    database.close()
    assert rows == [("failed", "worker_died", 3), ("done", "", 1), ("done", "", 1)]


@pytest.fixture
def real_vault(empty_vault: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same with real photos and the real models: one, one and two people."""
    monkeypatch.setenv("REAL_MODELS", "1")
    subprocess.run(["cp", "-r", str(empty_vault), str(tmp_path / "vault")], check=True)
    photos = tmp_path / "photos"
    photos.mkdir()
    for name in ("obama1.jpg", "johnsnow_test1.jpg", "kit_with_rose.jpg"):
        (photos / name).write_bytes((PHOTOS / "knn" / "test" / name).read_bytes())
    return tmp_path / "vault"


@pytest.mark.slow
@needs_photos
@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_with_the_real_models_killed_at(point: str, real_vault: Path) -> None:
    add(real_vault)
    run(real_vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    time.sleep(2.1)
    run(real_vault, "run_worker", "--batch", lease="2")
    assert_complete(real_vault, faces=[1, 1, 2])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_a_worker_killed_at_any_moment(seed: int, vault: Path) -> None:
    """Kills at random times, again and again, until one worker gets through."""
    clock = random.Random(seed)
    for number in range(3, 40):
        (vault.parent / "photos" / f"{number}.png").write_bytes(draw_photo("red", "blue", salt=number))
    add(vault)
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.crash_worker", "run_worker", "--batch"],
            cwd=ROOT,
            env=environment_of(vault, lease="2"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as worker:
            time.sleep(clock.uniform(0.8, 3.0))
            worker.kill()
        time.sleep(2.1)
    run(vault, "run_worker", "--batch", lease="2")
    assert_complete(vault, faces=[FACES_PER_PHOTO] * 40)
