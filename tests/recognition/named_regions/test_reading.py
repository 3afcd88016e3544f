"""Reading an event's photos: regions find their faces, once, and reading again brings what is new alone."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recognition.gallery_journal import lock_gallery_state
from recognition.geometry import Box
from recognition.ingest import process_next_photo
from recognition.leases import stopping
from recognition.models import Event, Face, NamedRegion, Photo, RegionReading
from recognition.named_regions.erasing import ERASED, erase_names
from recognition.named_regions.matching import pair_regions
from recognition.named_regions.reading import BATCH, process_next_reading, request_reading
from recognition.people.edits import delete_person
from recognition.photos.removal import remove_photos
from recognition.uploads.adding import add_photo as upload_photo
from tests.factories import make_event, make_face, make_person
from tests.fakes import draw_photo
from tests.recognition.exports.making import add_photo, encode, paint
from tests.recognition.named_regions.packets import as_attributes, as_elements, wrap

pytestmark = pytest.mark.django_db
SIZE = (200, 100)


def photo_of(event: Event, body: str = "", *, seed: int = 0) -> Photo:
    pixels = paint(*SIZE, (0, 0, 1 + seed, 1))
    return add_photo(event, encode(pixels, "JPEG", xmp=wrap(body) if body else b""), size=SIZE)


def face_at(photo: Photo, left: float, top: float, width: float, height: float) -> Face:
    face = make_face(photo)
    face.left, face.top, face.width, face.height = left, top, width, height
    face.save()
    return face


def read(event: Event) -> RegionReading:
    request_reading(event=event, user=None)
    found = process_next_reading()
    assert found is not None
    found.refresh_from_db()
    return found


def test_a_region_gets_the_face_it_was_drawn_around() -> None:
    photo = photo_of(make_event(), as_elements("Alice Smith"))
    face_at(photo, 120, 20, 40, 40)
    face = face_at(photo, 45, 25, 35, 35)
    reading = read(photo.event)
    region = NamedRegion.objects.get()
    assert (region.name, region.face, region.left, region.top) == ("Alice Smith", face, 40, 20)
    assert (reading.state, reading.photos_done, reading.regions_found) == ("done", 1, 1)


def test_reading_names_nobody() -> None:
    photo = photo_of(make_event(), as_elements("Alice Smith"))
    face = face_at(photo, 45, 25, 35, 35)
    read(photo.event)
    assert not hasattr(face, "sighting")
    assert face.version == Face.objects.get().version


def test_reading_again_changes_nothing() -> None:
    photo = photo_of(make_event(), as_elements("Alice Smith"))
    read(photo.event)
    NamedRegion.objects.update(dismissed_at=timezone.now())
    before = list(NamedRegion.objects.values())
    assert read(photo.event).regions_found == 0
    assert list(NamedRegion.objects.values()) == before


def test_a_face_that_came_later_is_matched_when_read_again() -> None:
    photo = photo_of(make_event(), as_elements("Alice Smith"))
    read(photo.event)
    assert NamedRegion.objects.get().face is None
    face = face_at(photo, 45, 25, 35, 35)
    read(photo.event)
    assert NamedRegion.objects.get().face == face


@pytest.mark.usefixtures("drawn_faces")
def test_names_that_were_read_before_the_faces_were_found_get_them_once_they_are() -> None:
    file = io.BytesIO(draw_photo("red", "blue"))
    photo = upload_photo(event=make_event(), file=file, name="drawn.png").photo
    assert photo is not None
    region = NamedRegion.objects.create(photo=photo, name="Alice", left=18, top=98, width=64, height=64)
    process_next_photo()
    region.refresh_from_db()
    assert region.face == photo.faces.get(left=20)


def test_photos_of_other_events_are_not_read() -> None:
    other = photo_of(make_event(), as_elements("Alice Smith"))
    read(photo_of(make_event(), seed=1).event)
    assert not other.named_regions.exists()


def test_damaged_and_missing_files_are_counted_and_passed_over() -> None:
    event = make_event()
    add_photo(event, b"no photo at all")
    Photo.objects.update(sha256="0" * 64)
    good = photo_of(event, as_elements("Alice"))
    reading = read(event)
    assert (reading.state, reading.photos_done, reading.photos_unreadable) == ("done", 2, 1)
    assert good.named_regions.count() == 1


def test_asking_twice_is_one_reading() -> None:
    event = make_event()
    assert request_reading(event=event, user=None) == request_reading(event=event, user=None)


def test_a_stopped_reading_goes_on_behind_its_last_photo() -> None:
    event = make_event()
    for seed in range(BATCH + 2):
        photo_of(event, as_elements(f"Person {seed}"), seed=seed)
    request_reading(event=event, user=None)
    try:
        process_next_reading(tell=lambda done: stopping.set())
    finally:
        stopping.clear()
    waiting = RegionReading.objects.get()
    assert (waiting.state, waiting.photos_done, waiting.attempts) == ("queued", BATCH, 0)
    process_next_reading()
    waiting.refresh_from_db()
    assert (waiting.state, waiting.photos_done) == ("done", BATCH + 2)
    assert NamedRegion.objects.count() == BATCH + 2


def test_regions_go_with_their_photo_and_with_their_event() -> None:
    photo = photo_of(make_event(), as_elements("Alice Smith"))
    read(photo.event)
    with transaction.atomic():
        lock_gallery_state()
        remove_photos([photo.pk])
    assert not NamedRegion.objects.exists()
    photo.event.delete()
    assert not RegionReading.objects.exists()


def test_a_deleted_persons_name_is_erased_and_does_not_come_back() -> None:
    photo = photo_of(make_event(), as_attributes("Alice Smith", "ALICE SMITH", "Bob"))
    read(photo.event)
    person = make_person("Alicé Smith")
    delete_person(person=person)
    assert (
        list(NamedRegion.objects.exclude(dismissed_at=None).values_list("name", flat=True))
        == ["(erased)"] * 2
    )
    read(photo.event)
    names = NamedRegion.objects.values_list("name", flat=True)
    assert sorted(names) == ["(erased)", "(erased)", "Bob"]


def test_a_name_that_somebody_else_has_too_is_kept() -> None:
    photo = photo_of(make_event(), as_elements("Alice Smith"))
    read(photo.event)
    make_person("Alice Smith")
    delete_person(person=make_person("Alice Smith"))
    assert NamedRegion.objects.get().name == "Alice Smith"


def test_every_region_gets_a_face_where_that_can_be() -> None:
    left, right = Box(0, 0, 100, 100), Box(30, 0, 130, 100)
    # The left region lies nearer to the right face than the right region's own.
    assert pair_regions([left, right], [Box(35, 0, 135, 100), Box(-10, 0, 90, 100)]) == {0: 1, 1: 0}


def test_a_region_beside_every_face_has_none() -> None:
    assert pair_regions([Box(0, 0, 50, 50)], [Box(200, 0, 250, 50)]) == {}


def test_a_box_around_the_head_means_the_small_face_in_its_middle() -> None:
    assert pair_regions([Box(0, 0, 100, 100)], [Box(30, 30, 70, 72)]) == {0: 0}


def test_the_command_reads_and_tells(capsys: pytest.CaptureFixture[str]) -> None:
    photo_of(make_event("Graduation"), as_elements("Alice Smith"))
    for found in (1, 0):
        call_command("read_names", event="graduation")
        assert f"1 photos read, {found} new names" in capsys.readouterr().out
    assert NamedRegion.objects.count() == 1


def test_the_command_knows_no_other_event() -> None:
    with pytest.raises(CommandError, match="no event"):
        call_command("read_names", event="Nowhere")


def test_reading_asks_as_often_for_many_photos_of_a_batch_as_for_few() -> None:
    def cost(event: Event, count: int) -> int:
        for seed in range(count):
            face_at(photo_of(event, as_elements(f"Person {seed}"), seed=seed), 45, 25, 35, 35)
        with CaptureQueriesContext(connection) as queries:
            read(event)
        return len(queries)

    cost(make_event(), 1)  # the first one also asks a worker
    assert cost(make_event(), 2) == cost(make_event(), 20)


def test_erasing_asks_as_often_for_many_places_as_for_few() -> None:
    def cost(count: int) -> int:
        photo = photo_of(make_event(), seed=count)
        boxes = [(left, name) for left in range(count) for name in ("Alice Smith", "ALICE SMITH")]
        NamedRegion.objects.bulk_create(
            NamedRegion(photo=photo, name=name, left=left, top=0, width=5, height=5) for left, name in boxes
        )
        with CaptureQueriesContext(connection) as queries:
            assert erase_names(["Alice Smith"]) == 2 * count
        assert photo.named_regions.filter(name=ERASED).count() == photo.named_regions.count() == count
        return len(queries)

    assert cost(2) == cost(40)
