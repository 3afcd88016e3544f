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
from tests.new_vault import copy_new_vault, expire_leases
from tests.photos import PHOTOS, needs_photos
from tests.preloaded import run_preloaded

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
    "calibration_fitted",
    "before_calibration_commit",
]
UPLOAD_POINTS = ["upload_received", "upload_kept", "upload_before_commit"]
DELETION_POINTS = ["photos_removed", "files_removed", "before_deletion_commit"]
BOX_POINTS = ["box_claimed", "box_described", "before_box_commit", "box_committed"]
REDETECT_POINTS = [
    "redetect_described",
    "redetect_face_written",
    "before_redetect_commit",
    "after_redetect_commit",
]
IMPORT_POINTS = ["portrait_added", "before_people_commit"]
FACES_PER_PHOTO = 2


@pytest.fixture(scope="module")
def empty_vault(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_new_vault(tmp_path_factory.mktemp("crash") / "vault")


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
    environment = environment_of(vault, crash_at=crash_at, lease=lease)
    done = run_preloaded("-m", "tests.crash_worker", *command, env=environment)
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


# They have their own lists, in their own tests; those of outside_faces are in the tests of both that write such faces.
ROOMS_WITH_A_LIST = {
    "embedding_files",
    "evaluation",
    "exports",
    "facedb",
    "looks",
    "named_regions",
    "outside_faces",
    "probes",
    "reembedding",
    "videos",
}


def test_the_list_of_points_is_complete() -> None:
    """A point that nobody kills at proves nothing."""
    paths = (ROOT / "recognition").rglob("*.py")
    sources = [path.read_text() for path in paths if path.parent.name not in ROOMS_WITH_A_LIST]
    named = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert named == {*WORKER_POINTS, *UPLOAD_POINTS, *DELETION_POINTS, *BOX_POINTS, *REDETECT_POINTS}


@pytest.mark.parametrize("point", WORKER_POINTS)
def test_a_worker_killed_at(point: str, vault: Path) -> None:
    add(vault)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    assert_complete(vault)


@pytest.mark.parametrize("point", UPLOAD_POINTS)
def test_an_import_killed_at(point: str, vault: Path) -> None:
    add(vault, crash_at=point, expect=-signal.SIGKILL)
    add(vault)
    run(vault, "run_worker", "--batch")
    assert_complete(vault)


@pytest.mark.parametrize("point", BOX_POINTS)
def test_a_drawn_face_whose_worker_is_killed_at(point: str, vault: Path) -> None:
    ingest(vault)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        columns = (
            "photo_id, left, top, width, height, state, attempts, failure_code, failure_reason, created_at"
        )
        database.execute(
            f"INSERT INTO recognition_manualbox ({columns}) "
            "VALUES ((SELECT min(id) FROM recognition_photo), 300, 200, 80, 80, 'queued', 0, '', '', '2026-01-01 00:00:00')"
        )
    database.close()
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        drawn = database.execute(
            "SELECT box.state, face.left FROM recognition_manualbox AS box JOIN recognition_face AS face ON face.id = box.face_id"
        ).fetchall()
        by_hand = database.execute("SELECT count(*) FROM recognition_face WHERE by_hand").fetchone()
    database.close()
    assert drawn == [("done", 300.0)]
    assert by_hand == (1,)
    assert_complete(vault, faces=[3, 2, 2])


# As if another detector had found them: shifted boxes, one face missed; and one was named by somebody.
_BY_ANOTHER_DETECTOR = """
UPDATE recognition_face SET left = left + 5, width = width + 8;
UPDATE recognition_photo SET detector_id = 'another';
DELETE FROM recognition_unlabeledface WHERE face_id = 2;
DELETE FROM recognition_embedding WHERE face_id = 2;
DELETE FROM recognition_face WHERE id = 2;
INSERT INTO recognition_person (id, name, aliases, search_text, created_at) VALUES (1, 'Red', '[]', ' red', '2026-01-01');
UPDATE recognition_unlabeledface SET reviewed = 1, verdict = 'label' WHERE face_id = 1;
INSERT INTO recognition_sighting (face_id, person_id, decided_by, is_reference, "references", thresholds, embedder_id, seen_at, created_at)
VALUES (1, 1, 'human', 1, '[]', '{}', '', '2026-01-01', '2026-01-01');
"""


@pytest.mark.parametrize("point", REDETECT_POINTS)
def test_a_second_look_at_all_photos_that_is_killed_at(point: str, vault: Path) -> None:
    """Run again, it goes on where it stopped; every face has its row and its name."""
    ingest(vault)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        database.executescript(_BY_ANOTHER_DETECTOR)
    database.close()
    run(vault, "redetect_photos", crash_at=point, expect=-signal.SIGKILL)
    run(vault, "redetect_photos")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        lefts = database.execute(
            "SELECT id, left, width FROM recognition_face ORDER BY photo_id, left"
        ).fetchall()
        names = database.execute(
            "SELECT face_id, person_id, is_reference FROM recognition_sighting"
        ).fetchall()
        detectors = database.execute("SELECT DISTINCT detector_id FROM recognition_photo").fetchall()
    database.close()
    assert [(left, width) for _, left, width in lefts] == [(20.0, 60.0), (100.0, 60.0)] * 3
    assert [face for face, _, _ in lefts][:1] + [face for face, _, _ in lefts][2:] == [1, 3, 4, 5, 6]
    assert names == [(1, 1, 1)]
    assert detectors == [("drawn",)]
    assert_complete(vault)


@pytest.mark.parametrize("point", [*IMPORT_POINTS, "photo_claimed"])
def test_an_import_of_people_killed_at(point: str, vault: Path) -> None:
    """Run again, everybody is there once with their portraits; drawn faces are too plain to be references."""
    names = "".join(f"Person {number},S-{number},{number}.png\n" for number in range(3))
    people = vault.parent / "people.csv"
    people.write_text(f"name,external_id,portraits\n{names}")
    for number in range(3):
        (vault.parent / "photos" / f"{number}.png").write_bytes(draw_photo("red", salt=number))
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        columns = (
            "password, is_superuser, username, first_name, last_name, email, is_staff, is_active, date_joined"
        )
        database.execute(
            f"INSERT INTO auth_user ({columns}) VALUES ('', 1, 'ada', '', '', '', 1, 1, '2026-01-01 00:00:00')"
        )
    database.close()
    command = ("import_people", str(people), "--portraits", str(vault.parent / "photos"))
    run(vault, *command, crash_at=point, lease="2", expect=-signal.SIGKILL)
    run(vault, *command, lease="2")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        numbers = database.execute("SELECT external_id FROM recognition_person ORDER BY id").fetchall()
        settled = database.execute(
            "SELECT person.external_id, photo.name, enrolment.state FROM labeling_enrolment AS enrolment "
            "JOIN recognition_person AS person ON person.id = enrolment.person_id "
            "JOIN recognition_photo AS photo ON photo.id = enrolment.photo_id ORDER BY 1"
        ).fetchall()
    database.close()
    assert numbers == [("S-0",), ("S-1",), ("S-2",)]
    assert settled == [(f"S-{number}", f"{number}.png", "refused") for number in range(3)]
    assert_complete(vault, faces=[1, 1, 1])


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
@needs_photos
def test_a_second_look_with_the_real_models_killed_in_the_middle_keeps_every_name(real_vault: Path) -> None:
    """The photos were looked at by the detector at another setting; a third of their faces carries a name."""
    for name in ("two_people.jpg", "multiface.jpg"):
        (real_vault.parent / "photos" / name).write_bytes((PHOTOS / name).read_bytes())
    add(real_vault)
    os.environ["DETECTOR_SETTING"] = "640"
    try:
        run(real_vault, "run_worker", "--batch")
    finally:
        del os.environ["DETECTOR_SETTING"]
    with sqlite3.connect(real_vault / "facevault.sqlite3") as database:
        database.executescript(_NAME_THEM)
        before = database.execute(_SAID).fetchall()
        boxes = database.execute("SELECT id, left, top FROM recognition_face ORDER BY id").fetchall()
    database.close()
    assert len(before) >= 8
    run(real_vault, "redetect_photos", crash_at="before_redetect_commit", expect=-signal.SIGKILL)
    clock = random.Random(1)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.crash_worker", "redetect_photos"],
        cwd=ROOT,
        env=environment_of(real_vault, lease="2"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        time.sleep(clock.uniform(6.0, 8.0))
        command.kill()
    run(real_vault, "redetect_photos")
    with sqlite3.connect(real_vault / "facevault.sqlite3") as database:
        after = database.execute(_SAID).fetchall()
        moved = database.execute("SELECT id, left, top FROM recognition_face ORDER BY id").fetchall()
        detectors = database.execute("SELECT DISTINCT detector_id FROM recognition_photo").fetchall()
    database.close()
    assert after == before
    assert moved[: len(boxes)] != boxes
    assert len(detectors) == 1


# Three ways to have decided about a face, all over the photos.
_NAME_THEM = """
INSERT INTO recognition_person (id, name, aliases, search_text, created_at) VALUES (1, 'One', '[]', ' one', '2026-01-01');
UPDATE recognition_face SET version = 1;
UPDATE recognition_unlabeledface SET reviewed = 1, verdict = 'label' WHERE id % 3 = 0;
INSERT INTO recognition_sighting (face_id, person_id, decided_by, is_reference, "references", thresholds, embedder_id, seen_at, created_at)
SELECT face_id, 1, 'human', 1, '[]', '{}', '', '2026-01-01', '2026-01-01' FROM recognition_unlabeledface WHERE id % 3 = 0;
UPDATE recognition_unlabeledface SET reviewed = 1, verdict = 'stranger' WHERE id % 3 = 1;
"""
_SAID = """
SELECT face.id, face.face_id, face.version, sighting.id, sighting.person_id, sighting.is_reference, entry.reviewed, entry.verdict
FROM recognition_face AS face
LEFT JOIN recognition_sighting AS sighting ON sighting.face_id = face.id
JOIN recognition_unlabeledface AS entry ON entry.face_id = face.id
WHERE face.version = 1 ORDER BY face.id
"""


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
