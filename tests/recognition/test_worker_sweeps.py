"""The worker's sweeps: one that breaks stops neither the others nor its own next time, and each has its turn."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import InterfaceError

from recognition.management.commands import run_worker
from recognition.management.commands.run_worker import CLEAN_EVERY, REMOVE_ORPHANS_EVERY, Chores
from recognition.photos.orphans import remove_orphans
from tests.factories import fake_sha

SWEEPS = (
    "sweep",
    "sweep_boxes",
    "sweep_deletions",
    "sweep_exports",
    "sweep_readings",
    "sweep_reports",
    "sweep_change",
    "sweep_calibration",
    "sweep_looks",
    "sweep_videos",
    "sweep_probes",
)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The chores in the order of their turns; none does anything."""
    names: list[str] = []

    def noting(name: str) -> Callable[[], int]:
        def chore() -> int:
            names.append(name)
            return 0

        chore.__name__ = name
        return chore

    chores = ("remove_stale_uploads", "truncate_wal", "_prune_journal", "_remove_old_tasks", "remove_orphans")
    for name in (*SWEEPS, *chores):
        monkeypatch.setattr(run_worker, name, noting(name))
    for kind in ("chores", "cleaning_chores"):
        monkeypatch.setattr(run_worker, kind, [noting(f"{kind} of other apps")])
    return names


def break_chore(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    def chore() -> None:
        raise error

    chore.__name__ = name
    monkeypatch.setattr(run_worker, name, chore)


@pytest.mark.parametrize("error", [PermissionError(13, "Permission denied"), InterfaceError("closed")])
@pytest.mark.parametrize("broken", SWEEPS)
def test_one_that_breaks_does_not_stop_the_others(
    broken: str, error: Exception, done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_chore(monkeypatch, broken, error)
    Chores().look_for_work()
    assert set(done) == {*SWEEPS, "chores of other apps"} - {broken}


def test_a_trouble_that_lasts_is_told_once_and_so_is_its_end(
    done: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    chores, whole = Chores(), vars(run_worker)["sweep_exports"]
    break_chore(monkeypatch, "sweep_exports", PermissionError(13, "Permission denied"))
    with caplog.at_level(logging.WARNING, run_worker.__name__):
        for _ in range(3):
            chores.look_for_work()
        monkeypatch.setattr(run_worker, "sweep_exports", whole)
        for _ in range(3):
            chores.look_for_work()
    assert [record.getMessage() for record in caplog.records] == [
        "sweep_exports failed; it is tried again",
        "sweep_exports works again",
    ]


@pytest.mark.django_db(transaction=True)
def test_the_sweeping_thread_survives_what_breaks_in_it(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_worker, "SWEEP_SECONDS", 0.01)
    break_chore(monkeypatch, "remove_stale_uploads", PermissionError(13, "Permission denied"))
    monkeypatch.setattr(run_worker, "CLEAN_UPLOADS_EVERY", 1)
    finished = threading.Event()
    thread = threading.Thread(target=run_worker._sweep_until, args=(finished, Chores()))
    thread.start()
    deadline = time.monotonic() + 20
    while done.count("sweep") < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    finished.set()
    thread.join()
    assert done.count("sweep") >= 5


def test_files_that_belong_to_nothing_go_soon_after_the_start_and_then_daily(done: list[str]) -> None:
    chores = Chores()
    for rounds in range(1, CLEAN_EVERY):
        chores.do_all(rounds)
    assert (
        done.count("remove_orphans") == done.count("_prune_journal") == done.count("_remove_old_tasks") == 1
    )
    for rounds in range(CLEAN_EVERY, REMOVE_ORPHANS_EVERY + CLEAN_EVERY):
        chores.do_all(rounds)
    assert done.count("remove_orphans") == 2
    assert done.count("_prune_journal") == 25


@pytest.mark.django_db
def test_a_file_that_goes_while_orphans_are_looked_for_breaks_nothing(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = data_folder / "crops" / "ab"
    folder.mkdir(parents=True)
    vanishing, old = folder / f"{fake_sha('gone')}.jpg", folder / f"{fake_sha('old')}.jpg"
    for path in (vanishing, old):
        path.write_bytes(b"a face")
        os.utime(path, (1, 1))

    def is_file_then_gone(path: Path) -> bool:
        path_is_there = os.path.isfile(path)  # noqa: PTH113 - the method itself is replaced
        if path == vanishing:
            path.unlink(missing_ok=True)
        return path_is_there

    monkeypatch.setattr(Path, "is_file", is_file_then_gone)
    assert remove_orphans() == 1
    assert not old.exists()


def test_a_chore_of_another_app_that_breaks_does_not_stop_the_others(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_worker, "chores", [break_down, *vars(run_worker)["chores"]])
    Chores().look_for_work()
    assert set(done) == {*SWEEPS, "chores of other apps"}


def test_other_apps_clean_up_about_every_hour(done: list[str]) -> None:
    chores = Chores()
    for rounds in range(1, CLEAN_EVERY + 1):
        chores.do_all(rounds)
    assert done.count("cleaning_chores of other apps") == 1
