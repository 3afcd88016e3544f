"""The drop folder: a file is taken once it has stopped growing, and only then; by a clock of the test's own."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.utils import timezone

from recognition.models import Event, Photo
from recognition.uploads import drop_watch
from recognition.uploads.adding import UploadResult, add_files
from recognition.uploads.drop_folder import DropFolder, FileMoving, FolderGone, open_steady
from recognition.uploads.drop_watch import DropWatch, EventGone
from tests.fakes import draw_photo
from tests.new_vault import copy_new_vault

ROOT = Path(__file__).resolve().parents[2]


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def names(drop: DropFolder) -> list[str]:
    return [arrival.name for arrival in drop.look()]


def after(clock: Clock, seconds: float, drop: DropFolder) -> list[str]:
    clock.now += seconds
    return names(drop)


class TestWhatIsReady:
    @pytest.fixture
    def drop(self, folder: Path, clock: Clock) -> DropFolder:
        return DropFolder(folder, settle=3, clock=clock)

    def test_a_file_is_ready_once_it_stayed_the_same(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        (folder / "a.png").write_bytes(b"x")
        assert names(drop) == []
        assert after(clock, 2.9, drop) == []
        assert after(clock, 0.1, drop) == ["a.png"]

    def test_a_file_that_grows_is_not(self, folder: Path, clock: Clock, drop: DropFolder) -> None:
        with (folder / "a.png").open("wb") as file:
            for _ in range(5):
                file.write(b"x")
                file.flush()
                assert after(clock, 2, drop) == []
        assert after(clock, 2, drop) == []
        assert after(clock, 2, drop) == ["a.png"]

    def test_a_file_that_is_rewritten_at_the_same_size_is_not(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        path = folder / "a.png"
        path.write_bytes(b"x")
        names(drop)
        os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
        assert after(clock, 3, drop) == []

    def test_a_file_that_was_taken_is_not_given_again(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        (folder / "a.png").write_bytes(b"x")
        names(drop)
        clock.now += 3
        drop.take(drop.look()[0])
        assert after(clock, 100, drop) == []

    def test_a_file_that_changed_after_it_was_taken_is(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        (folder / "a.png").write_bytes(b"x")
        names(drop)
        clock.now += 3
        drop.take(drop.look()[0])
        (folder / "a.png").write_bytes(b"longer")
        assert after(clock, 1, drop) == []
        assert after(clock, 3, drop) == ["a.png"]

    def test_a_file_that_changed_while_it_was_taken_is(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        (folder / "a.png").write_bytes(b"x")
        names(drop)
        clock.now += 3
        (arrival,) = drop.look()
        (folder / "a.png").write_bytes(b"longer")
        names(drop)
        drop.take(arrival)
        assert after(clock, 3, drop) == ["a.png"]

    def test_a_file_that_was_postponed_waits_once_more(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        (folder / "a.png").write_bytes(b"x")
        names(drop)
        clock.now += 3
        drop.postpone(drop.look()[0])
        assert after(clock, 2, drop) == []
        assert after(clock, 1, drop) == ["a.png"]

    @pytest.mark.parametrize(
        "name", [".hidden.png", "a.png.part", "a.TMP", "a.jpg.crdownload", "~$a.png", "a.png~", "Thumbs.db"]
    )
    def test_what_is_not_whole_or_nobodys_is_passed_over(
        self, folder: Path, clock: Clock, drop: DropFolder, name: str
    ) -> None:
        (folder / name).write_bytes(b"x")
        names(drop)
        assert after(clock, 10, drop) == []

    def test_links_and_pipes_and_folders_are_passed_over(
        self, folder: Path, clock: Clock, drop: DropFolder, tmp_path: Path
    ) -> None:
        (tmp_path / "secret.png").write_bytes(b"x")
        (folder / "link.png").symlink_to(tmp_path / "secret.png")
        os.mkfifo(folder / "pipe.png")
        (folder / "below.png").mkdir()
        (folder / "below.png" / "a.png").write_bytes(b"x")
        names(drop)
        assert after(clock, 10, drop) == []

    def test_a_folder_that_is_gone_is_said_and_forgets_nothing(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        (folder / "a.png").write_bytes(b"x")
        names(drop)
        clock.now += 3
        drop.take(drop.look()[0])
        folder.rename(folder.with_name("away"))
        with pytest.raises(FolderGone):
            drop.look()
        folder.with_name("away").rename(folder)
        assert after(clock, 10, drop) == []

    def test_an_unmounted_share_is_an_empty_folder_and_forgets_nothing_for_an_hour(
        self, folder: Path, clock: Clock, drop: DropFolder
    ) -> None:
        path = folder / "a.png"
        path.write_bytes(b"x")
        names(drop)
        clock.now += 3
        drop.take(drop.look()[0])
        path.rename(folder.with_name("a.png"))
        assert after(clock, 3000, drop) == []
        folder.with_name("a.png").rename(path)
        assert after(clock, 10, drop) == []
        path.rename(folder.with_name("a.png"))
        after(clock, 3601, drop)
        folder.with_name("a.png").rename(path)
        assert after(clock, 1, drop) == []
        assert after(clock, 3, drop) == ["a.png"]

    def test_ten_thousand_files_are_never_read(
        self, folder: Path, clock: Clock, drop: DropFolder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(10_000):
            (folder / f"{number}.png").touch()
        names(drop)
        clock.now += 3
        for arrival in drop.look():
            drop.take(arrival)
        monkeypatch.setattr(os, "open", None)
        started = time.monotonic()
        assert after(clock, 3, drop) == []
        assert time.monotonic() - started < 2


def test_folders_below_are_looked_into_when_asked_for(folder: Path, clock: Clock) -> None:
    (folder / "day 2" / "late").mkdir(parents=True)
    (folder / ".trash").mkdir()
    for name in ("a.png", "day 2/b.png", "day 2/late/c.png", ".trash/d.png"):
        (folder / name).write_bytes(b"x")
    (folder / "loop").symlink_to(folder)
    drop = DropFolder(folder, settle=3, recursive=True, clock=clock)
    names(drop)
    assert after(clock, 3, drop) == ["a.png", "day 2/b.png", "day 2/late/c.png"]


def test_where_files_are_moved_to_and_the_list_are_left_out(folder: Path, clock: Clock) -> None:
    (folder / "done").mkdir()
    (folder / "done" / "a.png").write_bytes(b"x")
    (folder / "refused.csv").write_bytes(b"x")
    drop = DropFolder(
        folder, settle=3, recursive=True, leave_out=[folder / "done", folder / "refused.csv"], clock=clock
    )
    names(drop)
    assert after(clock, 3, drop) == []


class TestReading:
    @pytest.fixture
    def ready(self, folder: Path, clock: Clock) -> Callable[[], io.BufferedReader]:
        (folder / "a.png").write_bytes(b"whole")
        drop = DropFolder(folder, settle=3, clock=clock)
        drop.look()
        clock.now += 3
        (arrival,) = drop.look()
        return lambda: open_steady(arrival)  # type: ignore[return-value]

    def test_a_file_that_stays_is_read_as_it_is(self, ready: Callable[[], io.BufferedReader]) -> None:
        with ready() as file:
            assert file.read(100) == b"whole"
            assert file.read(100) == b""

    def test_a_file_that_is_written_while_it_is_read_is_not_taken_for_whole(
        self, folder: Path, ready: Callable[[], io.BufferedReader]
    ) -> None:
        with ready() as file:
            file.read(5)
            with (folder / "a.png").open("ab") as other:
                other.write(b" and more")
            file.read(100)
            with pytest.raises(FileMoving):
                file.read(100)

    def test_a_file_that_was_removed_is_no_error(
        self, folder: Path, ready: Callable[[], io.BufferedReader]
    ) -> None:
        (folder / "a.png").unlink()
        with pytest.raises(FileMoving):
            ready()

    def test_a_link_in_its_place_is_not_followed(
        self, folder: Path, ready: Callable[[], io.BufferedReader], tmp_path: Path
    ) -> None:
        (folder / "a.png").rename(tmp_path / "a.png")
        (folder / "a.png").symlink_to(tmp_path / "a.png")
        with pytest.raises(OSError, match="symbolic"):
            ready()

    def test_a_pipe_in_its_place_does_not_block(
        self, folder: Path, ready: Callable[[], io.BufferedReader]
    ) -> None:
        (folder / "a.png").unlink()
        os.mkfifo(folder / "a.png")
        with pytest.raises(FileMoving):
            ready()


class Watched:
    """A watch whose rounds the test makes by hand, on its own clock."""

    def __init__(self, folder: Path, clock: Clock, move_to: Path | None = None) -> None:
        self.clock = clock
        self.said: list[str] = []
        self.refused: list[tuple[str, str]] = []
        self.watch = DropWatch(
            event=Event.objects.create(name="Party"),
            folder=DropFolder(folder, settle=3, clock=clock, leave_out=[move_to] if move_to else []),
            suffixes={".png", ".zip"},
            interval=2,
            move_to=move_to,
            say=self.said.append,
            refuse=lambda name, code, reason: self.refused.append((name, code)),
        )

    def round(self) -> float:
        self.clock.now += 3
        return self.watch.look_once()

    def rounds(self, number: int = 2) -> None:
        for _ in range(number):
            self.round()


@pytest.fixture
def watched(db: None, folder: Path, clock: Clock) -> Watched:
    return Watched(folder, clock)


def photo_names() -> list[str]:
    return sorted(Photo.objects.values_list("name", flat=True))


class TestAdding:
    def test_what_is_dropped_becomes_a_photo_of_the_event_once(self, folder: Path, watched: Watched) -> None:
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.rounds(4)
        assert photo_names() == ["a.png"]
        assert Photo.objects.get().event == watched.watch.event
        assert watched.said == ["1 photos added, 0 were there already, 0 refused."]
        assert (folder / "a.png").exists()

    def test_half_a_photo_is_never_added(self, folder: Path, watched: Watched) -> None:
        data = draw_photo("red")
        for end in range(1000, len(data) + 1000, 1000):
            (folder / "a.png").write_bytes(data[:end])
            watched.round()
            assert not Photo.objects.exists()
        watched.rounds()
        assert photo_names() == ["a.png"]
        assert watched.refused == []

    def test_another_photo_under_the_same_name_is_added_too(self, folder: Path, watched: Watched) -> None:
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.rounds()
        (folder / "a.png").write_bytes(draw_photo("blue", "red"))
        watched.rounds()
        assert Photo.objects.count() == 2

    def test_the_same_bytes_again_are_a_duplicate(self, folder: Path, watched: Watched) -> None:
        for name in ("a.png", "b.png"):
            (folder / name).write_bytes(draw_photo("red"))
        watched.rounds()
        assert watched.said == ["1 photos added, 1 were there already, 0 refused."]

    def test_what_is_refused_is_listed_once(self, folder: Path, watched: Watched) -> None:
        (folder / "broken.png").write_bytes(b"no photo")
        (folder / "letter.txt").write_bytes(b"Dear office")
        watched.rounds(5)
        assert watched.refused == [("broken.png", "not_an_image"), ("letter.txt", "unsupported_format")]

    def test_a_file_that_may_not_be_read_is_listed_once_and_taken_when_it_may(
        self, folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*args: object) -> None:
            raise PermissionError(13, "Permission denied")

        (folder / "a.png").write_bytes(draw_photo("red"))
        with monkeypatch.context() as patch:
            patch.setattr(drop_watch, "open_steady", refuse)
            watched.rounds(6)
        assert watched.refused == [("a.png", "unreadable")]
        watched.rounds()
        assert photo_names() == ["a.png"]

    def test_a_file_that_is_removed_before_it_is_read_is_no_fault(
        self, folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def remove(arrival: object) -> None:
            (folder / "a.png").unlink()
            raise FileMoving

        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.round()
        monkeypatch.setattr(drop_watch, "open_steady", remove)
        watched.rounds(3)
        assert (watched.said, watched.refused) == ([], [])

    def test_an_archive_is_opened(self, folder: Path, watched: Watched) -> None:
        with zipfile.ZipFile(folder / "many.zip", "w") as archive:
            archive.writestr("a.png", draw_photo("red"))
            archive.writestr("b.png", draw_photo("blue"))
            archive.writestr("c.png", b"no photo")
        watched.rounds(4)
        assert photo_names() == ["a.png", "b.png"]
        assert watched.refused == [("c.png", "not_an_image")]

    def test_no_line_names_a_file(self, folder: Path, watched: Watched) -> None:
        (folder / "Alice.png").write_bytes(draw_photo("red"))
        (folder / "Bob.png").write_bytes(b"no photo")
        watched.rounds()
        assert watched.said
        assert not any("Alice" in line or "Bob" in line for line in watched.said)

    def test_asked_to_stop_it_finishes_the_file_in_hand(
        self, folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, color in (("a.png", "red"), ("b.png", "blue")):
            (folder / name).write_bytes(draw_photo(color))
        really_open = open_steady

        def ask(arrival: object) -> object:
            watched.watch.stopping = True
            return really_open(arrival)  # type: ignore[arg-type]

        monkeypatch.setattr(drop_watch, "open_steady", ask)
        watched.rounds()
        assert photo_names() == ["a.png"]


class TestMoving:
    def test_what_was_added_is_moved_and_what_was_refused_stays(
        self, db: None, folder: Path, clock: Clock
    ) -> None:
        watched = Watched(folder, clock, move_to=folder / "done")
        (folder / "a.png").write_bytes(draw_photo("red"))
        (folder / "b.png").write_bytes(b"no photo")
        watched.rounds()
        assert [path.name for path in (folder / "done").iterdir()] == ["a.png"]
        assert (folder / "b.png").exists()

    def test_nothing_that_was_moved_before_is_overwritten(self, db: None, folder: Path, clock: Clock) -> None:
        watched = Watched(folder, clock, move_to=folder / "done")
        for color in ("red", "blue"):
            (folder / "a.png").write_bytes(draw_photo(color))
            watched.rounds()
        assert sorted(path.name for path in (folder / "done").iterdir()) == ["a (2).png", "a.png"]

    def test_a_folder_that_cannot_take_it_is_said_and_the_photo_is_there(
        self, db: None, folder: Path, clock: Clock
    ) -> None:
        (folder / "done").write_text("a file")
        watched = Watched(folder, clock, move_to=folder / "done")
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.rounds(4)
        assert photo_names() == ["a.png"]
        assert sum("cannot be moved" in line for line in watched.said) == 1

    def test_the_file_in_hand_is_moved_too_when_it_is_asked_to_stop(
        self, db: None, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched = Watched(folder, clock, move_to=folder / "done")

        def ask(**given: Any) -> Iterator[UploadResult]:
            watched.watch.stopping = True
            return add_files(**given)

        monkeypatch.setattr(drop_watch, "add_files", ask)
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.rounds()
        assert (folder / "done" / "a.png").exists()

    def test_an_archive_with_a_refused_photo_stays_also_when_it_is_read_twice(
        self, db: None, folder: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watched = Watched(folder, clock, move_to=folder / "done")
        with zipfile.ZipFile(folder / "many.zip", "w") as archive:
            archive.writestr("a.png", b"no photo")
            archive.writestr("b.png", draw_photo("red"))

        def break_off(**given: Any) -> Iterator[UploadResult]:
            yield next(add_files(**given))
            raise OperationalError("server closed the connection")

        with monkeypatch.context() as patch:
            patch.setattr(drop_watch, "add_files", break_off)
            watched.rounds()
        watched.rounds()
        assert photo_names() == ["b.png"]
        assert watched.refused == [("a.png", "not_an_image")]
        assert (folder / "many.zip").exists()


class TestTrouble:
    def test_a_folder_that_vanishes_is_waited_for_and_told_once(self, folder: Path, watched: Watched) -> None:
        shutil.rmtree(folder)
        watched.rounds(3)
        folder.mkdir()
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.rounds()
        assert [line.split(".")[0] for line in watched.said] == [
            "The folder cannot be read (No such file or directory)",
            "It goes on",
            "1 photos added, 0 were there already, 0 refused",
        ]

    def test_a_full_disk_is_told_once_and_the_file_waits(
        self, folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.round()
        with monkeypatch.context() as patch:
            full = UploadResult(name="a.png", outcome="refused", code="no_space", message="Full.")
            patch.setattr(drop_watch, "add_files", lambda **given: iter([full]))
            assert watched.round() == 30
            watched.rounds(3)
        assert watched.refused == []
        watched.round()
        assert photo_names() == ["a.png"]
        assert [line.split(".")[0] for line in watched.said] == [
            "The disk of the data folder is full",
            "It goes on",
            "1 photos added, 0 were there already, 0 refused",
        ]

    def test_a_database_that_is_away_is_waited_for(
        self, folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**given: object) -> None:
            raise OperationalError("server closed the connection")

        (folder / "a.png").write_bytes(draw_photo("red"))
        with monkeypatch.context() as patch:
            patch.setattr(drop_watch, "add_files", fail)
            watched.rounds(3)
        watched.round()
        assert photo_names() == ["a.png"]
        assert sum("database" in line for line in watched.said) == 1

    @pytest.mark.parametrize("gone", [{"deleted_at": True}, {}])
    def test_a_deleted_event_ends_it_before_anything_is_added(
        self, folder: Path, watched: Watched, gone: dict[str, bool]
    ) -> None:
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.round()
        if gone:
            Event.objects.update(deleted_at=timezone.now())
        else:
            Event.objects.all().delete()
        with pytest.raises(EventGone):
            watched.round()
        assert not Photo.objects.exists()

    def test_photos_that_nobody_processes_are_told_once(
        self, folder: Path, watched: Watched, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(drop_watch, "_WORKER_SECONDS", 0.0)
        (folder / "a.png").write_bytes(draw_photo("red"))
        watched.rounds()
        Photo.objects.update(uploaded_at=timezone.now() - timedelta(minutes=5))
        from django_tasks_db.models import DBTaskResult

        DBTaskResult.objects.update(enqueued_at=timezone.now() - timedelta(minutes=5))
        watched.rounds(3)
        assert sum("run_worker" in line for line in watched.said) == 1


@pytest.mark.django_db(transaction=True)
class TestCommand:
    def watch(self, folder: Path, *options: str) -> str:
        out = io.StringIO()
        refused = str(folder.parent / "refused.csv")
        call_command(
            "ingest_photos",
            str(folder),
            "--event",
            "Party",
            "--refused",
            refused,
            "--watch",
            *options,
            stdout=out,
        )
        return out.getvalue()

    @pytest.mark.parametrize("option", ["--settle", "--interval"])
    @pytest.mark.parametrize("value", ["0", "-1", "soon", "nan"])
    def test_a_time_that_is_none_is_refused(self, folder: Path, option: str, value: str) -> None:
        with pytest.raises(CommandError, match=option):
            self.watch(folder, f"{option}={value}")

    def test_a_deleted_event_has_an_exit_status_that_no_supervisor_starts_again(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def gone(self: DropWatch) -> float:
            raise EventGone

        monkeypatch.setattr(DropWatch, "look_once", gone)
        with pytest.raises(CommandError, match="--event") as stopped:
            self.watch(folder)
        assert stopped.value.returncode == 3


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, folder: Path, signum: signal.Signals) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "facevault_site.settings",
        "FACEVAULT_DATA": str(tmp_path / "data"),
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("DATABASE_URL", None)
    manage = [sys.executable, "manage.py"]
    copy_new_vault(tmp_path / "data")
    (folder / "a.png").write_bytes(draw_photo("red"))
    (folder / "b.txt").write_bytes(b"Dear office")
    refused = tmp_path / "refused.csv"
    options = [
        "--event",
        "Party",
        "--watch",
        "--settle",
        "0.2",
        "--interval",
        "0.1",
        "--refused",
        str(refused),
    ]
    with subprocess.Popen(
        [*manage, "ingest_photos", str(folder), *options],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert "Watching" in process.stdout.readline()
        assert process.stdout.readline() == "1 photos added, 0 were there already, 1 refused.\n"
        process.send_signal(signum)
        said, errors = process.communicate(timeout=30)
        assert (process.returncode, said, errors) == (0, "Stopped.\n", "")
    with refused.open(newline="") as handle:
        assert [row["file"] for row in csv.DictReader(handle)] == ["b.txt"]
