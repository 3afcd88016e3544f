"""Photos in: each file is added once, refused with its reason, or known already; nothing is lost in between."""

import errno
import io
import shutil
import threading
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django_tasks_db.models import DBTaskResult
from PIL import Image

from recognition.images import read_photo_info
from recognition.models import Event, Photo
from recognition.storage import original_path
from recognition.uploads.adding import UploadResult, add_files, add_photo
from tests.factories import make_event
from tests.fakes import draw_photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event()


def add(event: Event, data: bytes, name: str = "a.png") -> UploadResult:
    return add_photo(event=event, file=io.BytesIO(data), name=name)


def zip_of(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_photo_is_kept_byte_for_byte_and_its_processing_asked_for(event: Event) -> None:
    data = draw_photo("red")
    result = add(event, data)
    assert result.outcome == "added"
    photo = Photo.objects.get()
    assert (photo.width, photo.height, photo.format, photo.state) == (640, 360, "PNG", "queued")
    assert original_path(photo.sha256, photo.format).read_bytes() == data
    assert DBTaskResult.objects.count() == 1


def test_one_task_is_enough_for_many_photos(event: Event) -> None:
    for salt in range(5):
        add(event, draw_photo("red", salt=salt))
    assert Photo.objects.count() == 5
    assert DBTaskResult.objects.count() == 1


def test_the_same_bytes_are_a_duplicate_in_the_same_event(event: Event) -> None:
    add(event, draw_photo("red"), "first.png")
    again = add(event, draw_photo("red"), "second.png")
    assert (again.outcome, again.code) == ("duplicate", "duplicate")
    assert "first.png" in again.message
    assert Photo.objects.count() == 1


def test_a_duplicate_of_a_photo_that_one_may_not_see_tells_nothing_of_it(
    event: Event, uploader: User, manager: User
) -> None:
    add(event, draw_photo("red"), "secret.png")
    results = {
        user: add_photo(event=event, file=io.BytesIO(draw_photo("red")), name="mine.png", user=user)
        for user in (uploader, manager)
    }
    assert results[uploader].outcome == results[manager].outcome == "duplicate"
    assert (results[uploader].photo, results[uploader].message) == (
        None,
        "This photo is in the event already.",
    )
    assert results[manager].photo == Photo.objects.get()
    assert "secret.png" in results[manager].message


def test_ones_own_duplicate_is_named(event: Event, uploader: User) -> None:
    for name in ("first.png", "second.png"):
        result = add_photo(event=event, file=io.BytesIO(draw_photo("red")), name=name, user=uploader)
    assert result.photo is not None
    assert "first.png" in result.message


@pytest.mark.parametrize("lost", ["nothing", "file", "half"])
def test_a_failed_photo_that_is_uploaded_again_is_tried_again(event: Event, lost: str) -> None:
    data = draw_photo("red")
    add(event, data)
    Photo.objects.update(state="failed", attempts=3, failure_code="processing_error", failure_reason="Oh.")
    photo = Photo.objects.get()
    path = original_path(photo.sha256, photo.format)
    if lost == "file":
        path.unlink()
    elif lost == "half":
        path.write_bytes(data[:100])
    DBTaskResult.objects.all().delete()
    result = add(event, data)
    photo.refresh_from_db()
    assert (result.outcome, result.photo) == ("added", photo)
    assert (photo.state, photo.attempts, photo.failure_code) == ("queued", 0, "")
    assert path.read_bytes() == data
    assert DBTaskResult.objects.count() == 1


def test_somebody_elses_failed_photo_is_retried_and_not_shown(event: Event, uploader: User) -> None:
    add(event, draw_photo("red"))
    Photo.objects.update(state="failed", attempts=3, failure_code="processing_error")
    result = add_photo(event=event, file=io.BytesIO(draw_photo("red")), name="mine.png", user=uploader)
    assert (result.outcome, result.photo) == ("added", None)
    assert Photo.objects.get().state == "queued"


def test_a_lost_original_is_written_back_by_the_same_upload(event: Event, data_folder: Path) -> None:
    data = draw_photo("red")
    add(event, data)
    Photo.objects.update(state="done")
    shutil.rmtree(data_folder / "photos")
    assert add(event, data).outcome == "duplicate"
    photo = Photo.objects.get()
    assert photo.state == "done"
    assert original_path(photo.sha256, photo.format).read_bytes() == data


@pytest.mark.django_db(transaction=True)
def test_an_event_that_is_deleted_meanwhile_refuses_the_photo(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete_meanwhile(file: BinaryIO, **caps: Any) -> object:
        Event.objects.all().delete()
        return read_photo_info(file, **caps)

    monkeypatch.setattr("recognition.uploads.adding.read_photo_info", delete_meanwhile)
    result = add(event, draw_photo("red"))
    assert (result.outcome, result.code) == ("refused", "event_gone")
    assert "another event" in result.message


@pytest.mark.django_db(transaction=True)
def test_two_photos_at_most_are_decoded_at_once(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    now, most, lock = 0, 0, threading.Lock()
    two_inside = threading.Event()

    def decode(file: BinaryIO, **caps: int) -> Any:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now >= 2:
                two_inside.set()
        two_inside.wait(5)
        threading.Event().wait(0.2)  # a third one would come in here
        with lock:
            now -= 1
        return np.zeros((1, 1, 3), dtype=np.uint8)

    def add_one(salt: int) -> None:
        try:
            add(event, draw_photo("red", salt=salt))
        finally:
            connection.close()

    monkeypatch.setattr("recognition.uploads.adding.decode_photo", decode)
    threads = [threading.Thread(target=add_one, args=(salt,)) for salt in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
    assert Photo.objects.count() == 5


def test_a_file_that_cannot_be_read_is_refused_and_the_others_go_on(event: Event) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

    files: list[tuple[str, BinaryIO]] = [("a.png", Broken()), ("b.png", io.BytesIO(draw_photo("red")))]
    assert [result.code for result in add_files(event=event, files=files)] == ["unreadable", ""]


def test_the_same_bytes_in_another_event_share_one_file(event: Event, data_folder: Path) -> None:
    add(event, draw_photo("red"))
    assert add(make_event(), draw_photo("red")).outcome == "added"
    assert Photo.objects.count() == 2
    assert len(list((data_folder / "photos").rglob("*.png"))) == 1


def test_a_duplicate_that_slips_past_the_first_look_is_still_one_row(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add_meanwhile(file: BinaryIO, **caps: Any) -> object:
        monkeypatch.undo()
        add(event, draw_photo("red"), "meanwhile.png")
        return read_photo_info(file, **caps)

    monkeypatch.setattr("recognition.uploads.adding.read_photo_info", add_meanwhile)
    assert add(event, draw_photo("red"), "late.png").outcome == "duplicate"
    assert Photo.objects.get().name == "meanwhile.png"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"just text, named like a photo", "not_an_image"),
        (draw_photo("red")[:-200], "truncated"),
    ],
)
def test_a_bad_file_is_refused_with_a_reason_and_leaves_nothing(
    event: Event, data_folder: Path, data: bytes, code: str
) -> None:
    result = add(event, data)
    assert (result.outcome, result.code) == ("refused", code)
    assert result.message.endswith(".")
    assert not Photo.objects.exists()
    assert not [path for path in data_folder.rglob("*") if path.is_file()]


def test_a_file_over_the_limit_is_refused_while_it_streams(event: Event, settings: object) -> None:
    settings.FACEVAULT_MAX_FILE_MB = 1  # type: ignore[attr-defined]
    assert add(event, b"x" * 2_000_000).code == "file_too_large"


def test_too_many_pixels_are_refused(event: Event, settings: object) -> None:
    settings.FACEVAULT_MAX_PIXELS = 10_000  # type: ignore[attr-defined]
    assert add(event, draw_photo("red")).code == "too_many_pixels"


def test_a_full_disk_is_told_and_leaves_no_row(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("recognition.storage.os.fsync", full)
    assert add(event, draw_photo("red")).code == "no_space"
    assert not Photo.objects.exists()


def test_a_bad_file_does_not_stop_the_others(event: Event) -> None:
    files = [("a.png", draw_photo("red")), ("b.jpg", b"no"), ("c.png", draw_photo("blue"))]
    results = list(add_files(event=event, files=[(name, io.BytesIO(data)) for name, data in files]))
    assert [result.outcome for result in results] == ["added", "refused", "added"]


def test_every_photo_of_a_zip_is_added_and_clutter_is_passed_over(event: Event) -> None:
    data = zip_of(
        **{
            "day 1/a.png": draw_photo("red"),
            "day 2/a.png": draw_photo("blue"),
            "__MACOSX/._a.png": b"x",
            ".DS_Store": b"x",
            "notes.txt": b"hello",
        }
    )
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(data))]))
    assert [(result.name, result.outcome) for result in results] == [
        ("a.png", "added"),
        ("a.png", "added"),
        ("notes.txt", "refused"),
    ]


def test_a_broken_zip_is_one_refusal(event: Event) -> None:
    data = zip_of(**{"a.png": draw_photo("red")})[:-30]
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(data))]))
    assert [(result.name, result.code) for result in results] == [("all.zip", "archive_broken")]


def test_a_zip_entry_that_unpacks_to_far_more_is_refused(event: Event) -> None:
    data = zip_of(**{"bomb.png": b"\0" * 30_000_000, "a.png": draw_photo("red")})
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(data))]))
    assert [result.code for result in results] == ["archive_bomb", ""]


def test_a_zip_over_the_cap_is_refused_whole(event: Event, settings: object) -> None:
    settings.FACEVAULT_MAX_ARCHIVE_MB = 1  # type: ignore[attr-defined]
    data = zip_of(**{"a.png": bytes(range(256)) * 8_000})
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(data))]))
    assert [result.code for result in results] == ["archive_too_large"]


def test_names_in_a_zip_are_text_and_never_paths(event: Event, data_folder: Path) -> None:
    data = zip_of(**{"../../../escape.png": draw_photo("red")})
    (result,) = add_files(event=event, files=[("all.zip", io.BytesIO(data))])
    assert (result.outcome, result.name) == ("added", "escape.png")
    assert not list(data_folder.parent.glob("escape*"))


def test_a_flipped_bit_in_a_zip_entry_is_refused(event: Event) -> None:
    data = bytearray(zip_of(**{"a.png": draw_photo("red", "blue")}))
    data[60] ^= 0xFF
    (result,) = add_files(event=event, files=[("all.zip", io.BytesIO(bytes(data)))])
    assert result.outcome == "refused"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_entry_of_an_unusual_method_is_refused_and_the_others_go_on(event: Event, method: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", draw_photo("red"), compress_type=method)
        archive.writestr("b.png", draw_photo("blue"))
    results = list(add_files(event=event, files=[("all.zip", buffer)]))
    assert [(result.name, result.code) for result in results] == [
        ("all.zip: a.png", "archive_method"),
        ("b.png", ""),
    ]
    assert "Deflate" in results[0].message


def test_a_zip_entry_whose_local_name_is_no_text_is_refused_and_the_others_go_on(event: Event) -> None:
    data = zip_of(**{"ü.png": draw_photo("red"), "b.png": draw_photo("blue")})
    broken = data.replace("ü.png".encode(), b"\xff\xff.png", 1)
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(broken))]))
    assert [result.code for result in results] == ["archive_entry_broken", ""]


def test_a_zip_whose_directory_has_a_name_that_is_no_text_is_one_refusal(event: Event) -> None:
    data = zip_of(**{"ü.png": draw_photo("red")}).replace("ü.png".encode(), b"\xff\xff.png")
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(data))]))
    assert [result.code for result in results] == ["archive_broken"]


@pytest.mark.parametrize("seed", range(20))
def test_a_zip_with_any_broken_byte_never_raises(event: Event, seed: int) -> None:
    whole = zip_of(**{"ü.png": draw_photo("red"), "b.png": draw_photo("blue")})
    noise = np.random.default_rng(seed)
    for _ in range(20):
        data = bytearray(whole)
        # The headers and the directory, where zipfile looks for structure.
        position = int(noise.choice([*range(4, 40), *range(len(data) - 140, len(data))]))
        data[position] = int(noise.integers(256))
        list(add_files(event=event, files=[("all.zip", io.BytesIO(bytes(data)))]))


def test_an_offset_beyond_any_file_is_a_broken_entry(event: Event) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", draw_photo("red"))
        archive.filelist[0].header_offset = 2**63 + 5
    (result,) = add_files(event=event, files=[("all.zip", buffer)])
    assert result.outcome == "refused"


def test_a_full_disk_is_not_blamed_on_the_zip_entry(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("recognition.storage.os.fsync", full)
    data = zip_of(**{"a.png": draw_photo("red"), "b.png": draw_photo("blue")})
    results = list(add_files(event=event, files=[("all.zip", io.BytesIO(data))]))
    assert [(result.name, result.code) for result in results] == [
        ("a.png", "no_space"),
        ("b.png", "no_space"),
    ]


def test_the_capture_time_is_read_in_the_offices_zone(event: Event, settings: object) -> None:
    settings.TIME_ZONE = "Europe/Zurich"  # type: ignore[attr-defined]
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2026:05:01 10:00:00"
    file = io.BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG", exif=exif)
    photo = add(event, file.getvalue()).photo
    assert photo is not None
    assert photo.captured_at is not None
    assert photo.captured_at.isoformat() == "2026-05-01T10:00:00+02:00"
