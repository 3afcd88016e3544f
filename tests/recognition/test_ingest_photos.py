"""`manage.py ingest_photos`: a folder in, processed here; run again, it goes on where it stopped."""

import csv
import errno
import io
import os
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from recognition import ingest as ingest_module
from recognition.images import PhotoRefused
from recognition.leases import claim_row, finish_claim
from recognition.models import Event, Face, Photo
from recognition.uploads.adding import add_photo
from tests.fakes import draw_photo

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "day 2").mkdir(parents=True)
    (folder / "a.png").write_bytes(draw_photo("red"))
    (folder / "day 2" / "b.png").write_bytes(draw_photo("red", "blue"))
    return folder


def ingest(folder: Path, *options: str) -> str:
    out = io.StringIO()
    refused = str(folder.parent / "refused.csv")
    arguments = [str(folder), "--event", "Party", "--refused", refused, *options]
    call_command("ingest_photos", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refused(folder: Path) -> list[tuple[str, str]]:
    with (folder.parent / "refused.csv").open(newline="") as handle:
        return [(row["file"], row["code"]) for row in csv.DictReader(handle)]


def test_a_folder_is_added_to_a_new_event_and_processed(folder: Path) -> None:
    said = ingest(folder, "--recursive")
    assert "Party: 2 photos added, 0 were there already, 0 refused." in said
    assert "2 photos processed, 0 failed, 0 still waiting; 3 faces, 0 named, 3 for the queue." in said
    assert Event.objects.get().name == "Party"
    assert sorted(Photo.objects.values_list("name", flat=True)) == ["a.png", "day 2/b.png"]


def test_folders_below_are_left_out_unless_asked_for(folder: Path) -> None:
    assert "1 photos added" in ingest(folder)


def test_run_again_nothing_is_counted_twice(folder: Path) -> None:
    ingest(folder, "--recursive")
    assert "0 photos added, 2 were there already" in ingest(folder, "--recursive")
    assert (Photo.objects.count(), Face.objects.count()) == (2, 3)


def test_it_goes_on_with_photos_that_were_added_but_not_processed(folder: Path) -> None:
    ingest(folder, "--recursive", "--no-process")
    assert set(Photo.objects.values_list("state", flat=True)) == {"queued"}
    ingest(folder, "--recursive")
    assert set(Photo.objects.values_list("state", flat=True)) == {"done"}


def test_photos_of_another_event_are_left_to_their_worker(folder: Path) -> None:
    other = Event.objects.create(name="Other")
    add_photo(event=other, file=io.BytesIO(draw_photo("green")), name="g.png")
    ingest(folder)
    assert Photo.objects.get(event=other).state == "queued"


def test_what_was_refused_is_listed_with_its_reason(folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"no photo")
    (folder / "phone.heic").write_bytes(b"....ftypheic")
    (folder / ".hidden.png").write_bytes(b"x")
    assert "1 photos added, 0 were there already, 2 refused." in ingest(folder)
    assert refused(folder) == [("broken.jpg", "not_an_image"), ("phone.heic", "unsupported_format")]


def test_links_and_pipes_are_passed_over(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(draw_photo("green"))
    (folder / "link.png").symlink_to(secret)
    os.mkfifo(folder / "pipe.png")
    assert "1 photos added, 0 were there already, 0 refused." in ingest(folder)


def test_an_event_is_found_whatever_its_case(folder: Path) -> None:
    Event.objects.create(name="PARTY")
    ingest(folder)
    assert Event.objects.count() == 1


@pytest.mark.parametrize("name", ["", "x" * 121])
def test_a_name_that_no_event_can_have_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(CommandError, match="1 to 120 characters"):
        call_command("ingest_photos", str(folder), "--event", name)


def test_a_folder_without_photos_says_so(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="--recursive"):
        call_command("ingest_photos", str(tmp_path), "--event", "Party")
    with pytest.raises(CommandError, match="not a folder"):
        call_command("ingest_photos", str(tmp_path / "nowhere"), "--event", "Party")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recognition.management.commands.ingest_photos.POLL_SECONDS", 0.02)
    monkeypatch.setattr("recognition.management.commands.ingest_photos.PATIENCE_SECONDS", 2.0)


def test_photos_of_a_dead_process_are_taken_up_beside_those_that_wait(folder: Path) -> None:
    ingest(folder, "--recursive", "--no-process")
    assert claim_row(Photo, Photo.objects.get(name="a.png").pk) is not None
    Photo.objects.filter(name="a.png").update(lease_until=timezone.now() - timedelta(seconds=1))
    assert "2 photos processed" in ingest(folder, "--recursive")


@pytest.mark.usefixtures("impatient")
def test_a_photo_between_two_attempts_is_waited_for(folder: Path) -> None:
    ingest(folder, "--no-process")
    Photo.objects.update(attempts=1, lease_until=timezone.now() + timedelta(seconds=0.3))
    assert "1 photos processed" in ingest(folder)


@pytest.mark.usefixtures("impatient")
def test_a_photo_in_a_living_workers_hands_is_waited_for(folder: Path) -> None:
    ingest(folder, "--no-process")
    claim = claim_row(Photo, Photo.objects.get().pk)
    assert claim is not None

    def finish() -> None:
        try:
            finish_claim(claim)
        finally:
            connection.close()

    worker = threading.Timer(0.3, finish)
    worker.start()
    assert "1 photos processed, 0 failed, 0 still waiting" in ingest(folder)
    worker.join()


@pytest.mark.usefixtures("impatient")
def test_what_does_not_get_done_is_reported_as_waiting(folder: Path) -> None:
    ingest(folder, "--no-process")
    assert claim_row(Photo, Photo.objects.get().pk) is not None
    said = ingest(folder)
    assert "0 photos processed, 0 failed, 1 still waiting" in said
    assert "run_worker" in said


def test_ctrl_c_gives_the_photo_back_and_says_how_to_go_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, "find_faces", interrupt)
        with pytest.raises(CommandError, match="goes on where it stopped") as stopped:
            ingest(folder)
    assert stopped.value.returncode == 130
    assert list(Photo.objects.values_list("state", "attempts")) == [("queued", 0)]
    assert "1 photos processed" in ingest(folder)


def test_a_failed_photo_is_tried_again_by_the_next_run(folder: Path) -> None:
    ingest(folder, "--no-process")
    Photo.objects.update(state="failed", attempts=3, failure_code="worker_died", failure_reason="It died.")
    assert "1 photos added" in ingest(folder)
    assert Photo.objects.get().state == "done"


def test_a_photo_that_fails_is_listed_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise PhotoRefused("truncated", "Send it again.")

    monkeypatch.setattr(ingest_module, "find_faces", refuse)
    ingest(folder)
    assert refused(folder) == [("a.png", "truncated")]


def test_a_name_whose_bytes_are_no_text_is_listed_all_the_same(folder: Path) -> None:
    (folder / os.fsdecode(b"f\xfc.gif")).write_bytes(b"x")
    (folder / os.fsdecode(b"g\xfc.png")).write_bytes(b"x")
    ingest(folder)
    assert sorted(refused(folder)) == [("f .gif", "unsupported_format"), ("g .png", "not_an_image")]


@pytest.mark.parametrize("sign", "=+-@")
def test_a_name_that_a_spreadsheet_would_run_is_quoted(folder: Path, sign: str) -> None:
    (folder / f"{sign}cmd.gif").write_bytes(b"x")
    ingest(folder)
    assert refused(folder) == [(f"'{sign}cmd.gif", "unsupported_format")]


def test_the_list_has_its_header_when_nothing_was_refused(folder: Path) -> None:
    (folder.parent / "refused.csv").write_text("an older list")
    ingest(folder)
    assert (folder.parent / "refused.csv").read_text().split() == ["file,code,reason"]


def test_a_list_that_cannot_be_written_stops_it_before_the_work(folder: Path) -> None:
    with pytest.raises(CommandError, match="--refused"):
        ingest(folder, "--refused", str(folder / "nowhere" / "refused.csv"))
    assert not Event.objects.exists()


def test_rows_are_in_the_list_as_soon_as_they_are_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "Broken.jpg").write_bytes(b"no photo")

    def look(*args: Any) -> None:
        assert refused(folder) == [("Broken.jpg", "not_an_image")]
        raise KeyboardInterrupt

    monkeypatch.setattr(ingest_module, "find_faces", look)
    with pytest.raises(CommandError, match="Stopped"):
        ingest(folder)


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (OSError(errno.EROFS, "Read-only file system"), "cannot be written.*Read-only.*again"),
        (OSError(errno.ENOSPC, "No space left on device"), "is full.*Make room.*again"),
    ],
)
def test_a_fault_of_the_data_folder_stops_it_and_is_not_blamed_on_the_photo(
    folder: Path, error: OSError, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise error

    monkeypatch.setattr("recognition.storage.os.fsync", fail)
    with pytest.raises(CommandError, match=what):
        ingest(folder)
    assert refused(folder) == []


@pytest.mark.usefixtures("impatient")
def test_a_disk_that_fills_up_while_it_processes_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(ingest_module, "find_faces", full)
    said = ingest(folder)
    assert "1 still waiting" in said
    assert "disk is full" in said
