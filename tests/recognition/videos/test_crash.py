"""A SIGKILL at any named point of a video: it goes on, and ends with the same rows as one that was never interrupted."""

from __future__ import annotations

import re
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.new_vault import expire_leases
from tests.recognition.test_crash import ROOT, empty_vault, run, vault
from tests.recognition.videos.drawn import walk, write_video

__all__ = ["empty_vault", "vault"]  # fixtures

ADDING_POINTS = ["video_kept"]
POINTS = [
    "video_claimed",
    "video_frame_described",
    "before_video_frame_commit",
    "video_frame_written",
    "video_looked_at",
    "video_photo_ready",
    "video_matched",
    "before_video_photo_commit",
    "video_photo_written",
    "before_video_commit",
    "video_finished",
]
DELETION_POINTS = ["video_photos_removed"]
DELETE = (
    "from recognition.models import Video; from recognition.videos.removal import delete_video; "
    "delete_video(Video.objects.get())"
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all tests: no two files of the same frames have the same bytes."""
    return write_video(tmp_path_factory.mktemp("film") / "walk.mkv", walk(6))


@pytest.fixture(scope="module")
def uninterrupted(
    empty_vault: Path, film: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[tuple[object, ...]]:
    """What becomes of the video when nothing happens."""
    calm = tmp_path_factory.mktemp("whole") / "vault"
    calm.mkdir()
    for path in empty_vault.iterdir():
        if path.is_file():
            (calm / path.name).write_bytes(path.read_bytes())
    ingest(calm, film)
    return rows(calm)


def ingest(vault: Path, video: Path, **options: str | int) -> None:
    command = ("ingest_video", str(video), "--event", "Party", "--interval", "0.1")
    run(vault, *command, lease="2", **options)  # type: ignore[arg-type]


def rows(vault: Path) -> list[tuple[object, ...]]:
    """Every appearance with its photo, and nothing of the way there left over."""
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT count(*) FROM recognition_videoframe").fetchone() == (0,)
        assert database.execute(
            "SELECT state, frames_done, failure_code FROM recognition_video"
        ).fetchall() == [("done", 6, "")]
        found = database.execute(
            "SELECT t.first_ms, t.last_ms, t.frames, f.crop, f.'left', f.size, p.sha256, p.name, p.frame_number, "
            "p.state, (SELECT count(*) FROM recognition_embedding e WHERE e.face_id = f.id), "
            "(SELECT count(*) FROM recognition_unlabeledface u WHERE u.face_id = f.id) "
            "FROM recognition_track t JOIN recognition_face f ON f.id = t.face_id "
            "JOIN recognition_photo p ON p.id = f.photo_id ORDER BY t.first_ms, f.'left'"
        ).fetchall()
        photos = database.execute("SELECT count(*) FROM recognition_photo").fetchone()[0]
        assert database.execute("SELECT count(*) FROM recognition_face").fetchone()[0] == len(found)
    database.close()
    assert photos == len({one[6] for one in found})
    assert {one[3] for one in found} == {path.stem for path in (vault / "crops").rglob("*.jpg")}
    return found


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "videos").glob("*.py")]
    named = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert named == {*POINTS, *ADDING_POINTS, *DELETION_POINTS}


@pytest.mark.parametrize("point", [*ADDING_POINTS, *POINTS])
def test_a_command_killed_at(
    point: str, vault: Path, film: Path, uninterrupted: list[tuple[object, ...]]
) -> None:
    ingest(vault, film, crash_at=point, expect=-signal.SIGKILL)
    ingest(vault, film)
    assert len(uninterrupted) == 3
    assert rows(vault) == uninterrupted


def test_a_worker_goes_on_with_what_a_killed_command_left(
    vault: Path, film: Path, uninterrupted: list[tuple[object, ...]]
) -> None:
    ingest(vault, film, crash_at="video_photo_written", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    assert rows(vault) == uninterrupted


@pytest.mark.parametrize("point", DELETION_POINTS)
def test_a_deletion_killed_at(point: str, vault: Path, film: Path) -> None:
    ingest(vault, film)
    run(vault, "shell", "-c", DELETE, crash_at=point, expect=-signal.SIGKILL)
    run(vault, "shell", "-c", DELETE)
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        for table in ("video", "photo", "face", "track"):
            assert database.execute(f"SELECT count(*) FROM recognition_{table}").fetchone() == (0,)
    database.close()
    assert not list((vault / "crops").rglob("*.jpg"))
