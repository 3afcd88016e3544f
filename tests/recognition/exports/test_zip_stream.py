"""The streamed ZIP: exact bytes, honest about what is missing, and never more than one photo in memory."""

import gc
import tracemalloc
import zipfile
from datetime import UTC, datetime

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from recognition.exports import ExportScope, stream_zip
from recognition.exports.zip_stream import read_events
from recognition.storage import original_path, scratch_folder
from tests.factories import make_event, make_person
from tests.recognition.exports.making import add_photo, encode, name_face, paint, read_zip

pytestmark = pytest.mark.django_db


def test_the_photos_are_the_originals_byte_by_byte(manager: User) -> None:
    event = make_event()
    originals = {f"{number}.jpg": bytes([number]) * (300_000 + number) for number in range(3)}
    for name, data in originals.items():
        add_photo(event, data, name=name)
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in originals} == originals
        assert archive.namelist() == [*originals, "list.csv"]
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_equal_names_stay_apart(manager: User) -> None:
    event = make_event()
    for data in (b"first", b"second"):
        add_photo(event, data, name="IMG_1.jpg")
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event))) as archive:
        assert (archive.read("IMG_1.jpg"), archive.read("IMG_1 (2).jpg")) == (b"first", b"second")


def test_a_missing_original_is_named_and_breaks_nothing(manager: User) -> None:
    event = make_event()
    gone = add_photo(event, name="gone.jpg")
    add_photo(event, b"here", name="here.jpg")
    original_path(gone.sha256, gone.format).unlink()
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event))) as archive:
        assert archive.namelist() == ["here.jpg", "list.csv", "missing.txt"]
        assert "gone.jpg" in archive.read("missing.txt").decode("utf-8-sig")


def test_a_photo_that_cannot_take_names_goes_out_as_it_is(manager: User) -> None:
    event = make_event()
    heic = add_photo(event, b"\0\0\0\x18ftypheic and more", name="a.heic", photo_format="HEIC")
    name_face(heic, make_person())
    broken = add_photo(event, b"\xff\xd8\xff\xe1 not a photo", name="broken.jpg")
    name_face(broken, make_person())
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event, with_names=True))) as archive:
        assert archive.read("a.heic") == b"\0\0\0\x18ftypheic and more"
        assert archive.read("broken.jpg") == b"\xff\xd8\xff\xe1 not a photo"
        assert archive.read("without-names.txt").decode("utf-8-sig").split()[-2:] == ["a.heic", "broken.jpg"]


def test_a_photo_without_names_is_not_touched(manager: User) -> None:
    event = make_event()
    data = encode(paint(64, 48, (1, 1, 5, 5)), "JPEG")
    add_photo(event, data, name="a.jpg", size=(64, 48))
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event, with_names=True))) as archive:
        assert archive.read("a.jpg") == data


def test_an_entry_has_the_date_of_the_photo_in_the_offices_zone(
    manager: User, settings: LazySettings
) -> None:
    settings.TIME_ZONE = "Europe/Zurich"
    event = make_event()
    photo = add_photo(event, name="a.jpg")
    photo.captured_at = datetime(2026, 7, 1, 22, 30, 10, tzinfo=UTC)
    photo.save(update_fields=["captured_at"])
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event))) as archive:
        assert archive.getinfo("a.jpg").date_time == (2026, 7, 2, 0, 30, 10)


def test_names_with_accents_are_read_by_others(manager: User) -> None:
    event = make_event()
    add_photo(event, b"x", name="Zoë 日本.jpg")
    with read_zip(stream_zip(user=manager, scope=ExportScope(event=event))) as archive:
        assert archive.read("Zoë 日本.jpg") == b"x"


def test_the_zip_says_which_events_it_holds(manager: User) -> None:
    alice = make_person()
    events = [make_event(), make_event()]
    for event in events:
        name_face(add_photo(event), alice)
    with read_zip(stream_zip(user=manager, scope=ExportScope(person=alice))) as archive:
        assert archive.fp is not None
        assert read_events(archive.fp) == {event.pk for event in events}


def test_a_download_that_is_broken_off_leaves_nothing(manager: User) -> None:
    event = make_event()
    add_photo(event, b"x" * 2_000_000, name="large.jpg")
    pieces = stream_zip(user=manager, scope=ExportScope(event=event))
    next(pieces)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    gc.collect()
    assert list(scratch_folder().iterdir()) == []


@pytest.mark.parametrize("with_names", [False, True])
def test_one_photo_is_in_memory_never_two(manager: User, *, with_names: bool) -> None:
    event, alice = make_event(), make_person()
    picture = encode(paint(640, 480, (10, 10, 50, 50)), "JPEG")
    photos, size = 200, 1_000_000
    for number in range(photos):
        # What follows the end of a JPEG is nobody's business, and makes it as large as a camera's.
        data = picture + number.to_bytes(4, "big") * ((size - len(picture)) // 4)
        photo = add_photo(event, data, name=f"{number}.jpg", size=(640, 480))
        name_face(photo, alice, box=(10, 10, 50, 50))
    scope = ExportScope(event=event, with_names=with_names)
    for _ in stream_zip(user=manager, scope=scope):
        break
    gc.collect()
    tracemalloc.start()
    try:
        sent = sum(len(piece) for piece in stream_zip(user=manager, scope=scope))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sent > 0.95 * photos * size
    # A photo, a piece of it on its way, and the rows of fifty photos; two photos at once would not fit.
    assert peak < (2_900_000 if with_names else 1_900_000)
