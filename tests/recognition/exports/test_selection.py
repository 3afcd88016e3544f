"""Which photos and faces an export holds, and for whom."""

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from access.models import EventGrant
from access.roles import LABELER, VIEWER
from recognition.exports import ExportScope, select_photos, summarize
from recognition.exports.selection import read_selection
from recognition.models import Photo, Video
from tests.conftest import make_user
from tests.factories import make_event, make_person
from tests.recognition.exports.making import MACHINE, add_photo, manager_of, name_face

pytestmark = pytest.mark.django_db


def names(user: User, scope: ExportScope) -> list[str]:
    return [photo.name for photo in select_photos(user=user, scope=scope)]


def test_an_export_is_of_something() -> None:
    with pytest.raises(ValueError, match="of an event"):
        ExportScope()


def test_an_event_is_exported_with_all_its_photos(manager: User) -> None:
    event = make_event()
    name_face(add_photo(event, name="named.jpg"), make_person())
    add_photo(event, name="nameless.jpg")
    add_photo(make_event(), name="elsewhere.jpg")
    assert names(manager, ExportScope(event=event)) == ["named.jpg", "nameless.jpg"]


def test_a_person_is_exported_with_the_photos_they_are_on(manager: User) -> None:
    alice = make_person("Alice")
    first, second = make_event(), make_event()
    name_face(add_photo(first, name="a.jpg"), alice)
    name_face(add_photo(second, name="b.jpg"), alice)
    name_face(add_photo(second, name="c.jpg"), make_person("Bob"))
    assert names(manager, ExportScope(person=alice)) == ["a.jpg", "b.jpg"]
    assert names(manager, ExportScope(person=alice, event=second)) == ["b.jpg"]


def test_a_photo_with_two_faces_of_a_person_is_there_once(manager: User) -> None:
    alice, photo = make_person(), add_photo(make_event(), name="mirror.jpg")
    name_face(photo, alice)
    name_face(photo, alice)
    assert names(manager, ExportScope(person=alice)) == ["mirror.jpg"]


def test_what_the_machine_named_counts_only_where_it_was_chosen(manager: User) -> None:
    alice, event = make_person(), make_event()
    name_face(add_photo(event, name="sure.jpg"), alice)
    name_face(add_photo(event, name="guess.jpg"), alice, by=MACHINE)
    assert names(manager, ExportScope(person=alice)) == ["sure.jpg"]
    assert names(manager, ExportScope(person=alice, with_machine=True)) == ["sure.jpg", "guess.jpg"]


def test_a_manager_of_one_event_gets_nothing_of_another() -> None:
    alice = make_person()
    mine, other = make_event(), make_event()
    name_face(add_photo(mine, name="mine.jpg"), alice)
    name_face(add_photo(other, name="other.jpg"), alice)
    anna = manager_of(mine)
    EventGrant.objects.create(user=anna, event=other, role=VIEWER)
    assert names(anna, ExportScope(person=alice)) == ["mine.jpg"]
    assert names(anna, ExportScope(event=other)) == []
    assert summarize(user=anna, scope=ExportScope(person=alice)).verified == 1


@pytest.mark.parametrize("role", [VIEWER, LABELER, "uploader"])
def test_other_roles_export_nothing(role: str) -> None:
    alice, event = make_person(), make_event()
    name_face(add_photo(event), alice)
    user = make_user("vera", role)
    assert names(user, ExportScope(event=event)) == []
    assert names(user, ExportScope(person=alice)) == []


def test_a_deleted_event_is_exported_no_more(manager: User) -> None:
    alice, event = make_person(), make_event()
    name_face(add_photo(event), alice)
    event.deleted_at = timezone.now()
    event.save(update_fields=["deleted_at"])
    assert names(manager, ExportScope(person=alice)) == []


def test_the_summary_counts_photos_bytes_and_faces(manager: User) -> None:
    alice, event = make_person(), make_event()
    photo = add_photo(event, b"x" * 300, name="a.jpg")
    name_face(photo, alice)
    name_face(photo, make_person(), by=MACHINE)
    add_photo(event, b"y" * 200, name="b.jpg")
    summary = summarize(user=manager, scope=ExportScope(event=event, with_machine=True))
    assert (summary.photos, summary.byte_size, summary.verified, summary.machine) == (2, 500, 1, 1)


def test_photos_of_several_events_are_in_a_folder_each(manager: User) -> None:
    alice = make_person()
    for name in ("Ball", "Party"):
        name_face(add_photo(make_event(name), name="IMG_1.jpg"), alice)
    entries = [selected.entry for selected in read_selection(user=manager, scope=ExportScope(person=alice))]
    assert entries == ["Ball/IMG_1.jpg", "Party/IMG_1.jpg"]


def test_a_frame_of_a_video_is_a_file_that_programs_open(manager: User) -> None:
    event = make_event()
    video = Video.objects.create(
        event=event,
        sha256="a" * 64,
        name="walk.mp4",
        byte_size=1,
        width=9,
        height=9,
        duration_ms=4000,
        interval_ms=200,
    )
    frame = Photo.objects.filter(pk=add_photo(event, name="walk.mp4 at 0:03.2").pk)
    frame.update(origin=Photo.Origin.FRAME, video=video, frame_number=80, frame_ms=3200)
    (selected,) = read_selection(user=manager, scope=ExportScope(event=event))
    assert selected.entry == "walk.mp4 at 0_03.2.jpg"


def test_a_persons_export_names_nobody_else(manager: User) -> None:
    alice, photo = make_person("Alice"), add_photo(make_event())
    name_face(photo, alice)
    name_face(photo, make_person("Bob"))
    [selected] = read_selection(user=manager, scope=ExportScope(person=alice))
    assert [sighting.person.name for sighting in selected.sightings] == ["Alice"]


def test_any_number_of_photos_takes_two_queries_per_fifty(
    manager: User, django_assert_num_queries: object
) -> None:
    event = make_event()
    for number in range(150):
        add_photo(event, name=f"{number}.jpg")
    scope = ExportScope(event=event)
    list(read_selection(user=manager, scope=scope))
    with django_assert_num_queries(1 + 2 * 3):  # type: ignore[operator]
        assert len(list(read_selection(user=manager, scope=scope))) == 150
