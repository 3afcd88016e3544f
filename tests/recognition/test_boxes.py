"""Names over a photo: beside their own face or not at all."""

import pytest

from recognition.geometry import Box
from recognition.models import Face, Photo, UnlabeledFace
from recognition.photos.boxes import Label, draw_preview, draw_thumbs
from tests.factories import label_face, make_face, make_person, make_photo

pytestmark = pytest.mark.django_db


def face_at(photo: Photo, left: float, top: float, name: str = "") -> Face:
    face = make_face(photo)
    Face.objects.filter(pk=face.pk).update(left=left, top=top)
    if name:
        label_face(face, make_person(name))
    return face


def room_of(label: Label | None, size: float) -> Box:
    assert label is not None
    half = len(label.text) * size * 0.3
    return Box(label.x - half, label.y - size, label.x + half, label.y)


def test_faces_come_from_left_to_right() -> None:
    photo = make_photo()
    right, left = face_at(photo, 900, 100), face_at(photo, 100, 100)
    assert [drawn.face for drawn in draw_preview(photo).faces] == [left, right]


def test_a_name_stands_below_its_face_and_inside_the_photo() -> None:
    photo = make_photo()
    face_at(photo, 0, 100, "Alice Nakamura")
    face_at(photo, 1490, 100, "Bob Okafor")
    drawn = draw_thumbs([photo])[0]
    for face in drawn.faces:
        room = room_of(face.label, drawn.text_size)
        assert room.left >= 0
        assert room.right <= photo.width
        assert room.top >= 220


def test_at_the_bottom_it_stands_above() -> None:
    photo = make_photo()
    face_at(photo, 700, 1075, "Alice")
    [drawn] = draw_thumbs([photo])[0].faces
    assert drawn.label is not None
    assert drawn.label.y < 1075


def test_names_never_cover_each_other_or_another_face() -> None:
    photo = make_photo()
    for number in range(12):
        face_at(photo, 20 + 110 * number, 300 + 20 * (number % 3), f"Somebody Longname {number}")
    drawn = draw_thumbs([photo])[0]
    rooms = [room_of(face.label, drawn.text_size) for face in drawn.faces if face.label]
    assert rooms
    for index, room in enumerate(rooms):
        assert not any(room.iou(other) for other in rooms[index + 1 :])
        assert not any(room.iou(face.face.box) for face in drawn.faces)


def test_nor_do_the_larger_ones_on_a_phone() -> None:
    photo = make_photo()
    for number in range(5):
        face_at(photo, 100 + 300 * number, 300, f"Ada Longname {number}")
    drawn = draw_preview(photo)
    labels = [face.label_on_phone for face in drawn.faces if face.label_on_phone]
    rooms = [room_of(label, drawn.text_size_on_phone) for label in labels]
    assert len(rooms) == 5
    assert drawn.text_size_on_phone > drawn.text_size
    assert not any(room.iou(other) for index, room in enumerate(rooms) for other in rooms[index + 1 :])


def test_a_name_without_room_is_still_in_the_list() -> None:
    photo = make_photo()
    for top in (0, 120, 240):
        for left in (500, 600, 700):
            face_at(photo, left, top, "Maximiliana")
    drawn = draw_thumbs([photo])[0]
    assert len(drawn.names) == 9
    assert any(face.label is None for face in drawn.faces)


def test_a_wide_photo_has_larger_letters_as_a_cell_shows_it_smaller() -> None:
    upright, wide = make_photo(), make_photo()
    Photo.objects.filter(pk=upright.pk).update(width=1200, height=1600)
    Photo.objects.filter(pk=wide.pk).update(width=4800, height=1600)
    sizes = [drawn.text_size for drawn in draw_thumbs(list(Photo.objects.order_by("pk")))]
    assert sizes == [pytest.approx(1600 / 15, abs=0.1), pytest.approx(3200 / 15, abs=0.1)]


def test_without_names_nothing_tells_who_it_is() -> None:
    photo = make_photo()
    named, stranger, nothing = (
        face_at(photo, 100, 100, "Alice"),
        face_at(photo, 300, 100),
        face_at(photo, 500, 100),
    )
    UnlabeledFace.objects.create(face=stranger, reviewed=True, verdict="stranger")
    UnlabeledFace.objects.create(face=nothing, reviewed=True, verdict="not_a_face")
    for drawn in (draw_preview(photo, names=False), draw_thumbs([photo], names=False)[0]):
        assert [face.kind for face in drawn.faces] == ["named", "open", "not_a_face"]
        assert drawn.names == []
        first = drawn.faces[0]
        assert first.face == named
        assert (first.name, first.person_pk, first.figures, first.label) == ("", None, "", None)


def test_what_is_no_face_gets_no_box() -> None:
    photo = make_photo()
    UnlabeledFace.objects.create(face=make_face(photo), reviewed=True, verdict="not_a_face")
    drawn = draw_preview(photo)
    assert len(drawn.faces) == 1
    assert drawn.boxes == []
