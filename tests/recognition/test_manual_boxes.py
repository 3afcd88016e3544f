"""A face that a person drew: what is refused, what the worker makes of it, and what a killed one leaves."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recognition.geometry import Box
from recognition.images import decode_photo
from recognition.ingest import process_next_photo
from recognition.models import Embedding, Face, ManualBox, Photo, Sighting, UnlabeledFace
from recognition.photos import drawn_faces
from recognition.photos.drawn_faces import find_in_box, find_padded, process_next_box
from recognition.photos.manual_boxes import (
    BoxRefused,
    draw_box,
    is_stalled,
    remove_box,
    retry_box,
    sweep_boxes,
)
from recognition.storage import crop_path, original_path
from recognition.uploads.adding import add_photo
from tests.factories import make_event, make_person, make_photo, make_reference
from tests.fakes import EMBEDDER_ID, draw_photo, vector_of
from tests.photos import PHOTOS, needs_photos

# A square of no known color: the drawn detector finds nothing there.
EMPTY = Box(300, 200, 380, 280)


@pytest.fixture
def photo(drawn_faces: None) -> Photo:
    """Processed, with one red face at (20, 100, 60, 60)."""
    added = add_photo(event=make_event(), file=io.BytesIO(draw_photo("red")), name="photo.png").photo
    assert added is not None
    process_next_photo()
    added.refresh_from_db()
    return added


def draw(photo: Photo, user: User, box: Box = EMPTY) -> ManualBox:
    return draw_box(photo=photo, box=box, user=user)


def refusal(photo: Photo, user: User, box: Box) -> str:
    with pytest.raises(BoxRefused) as refused:
        draw(photo, user, box)
    assert str(refused.value).endswith(".")
    return refused.value.code


@pytest.mark.parametrize(
    ("box", "code"),
    [
        (Box(300, 200, 319, 260), "too_small"),
        (Box(300, 100, 620, 140), "no_face_shape"),
        (Box(700, 200, 780, 280), "outside"),
        (Box(600, 200, 690, 290), "outside"),
        (Box(300, 200, 300, 280), "outside"),
        (Box(22, 104, 80, 160), "there_already"),
    ],
)
def test_a_box_that_can_be_no_new_face_is_refused(box: Box, code: str, photo: Photo, labeler: User) -> None:
    assert refusal(photo, labeler, box) == code
    assert not ManualBox.objects.exists()


def test_what_hangs_over_the_edge_is_cut_off(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler, Box(580, 300, 660, 380))
    assert (box.left, box.top, box.width, box.height) == (580, 300, 60, 60)


def test_a_photo_that_still_waits_takes_no_box(photo: Photo, labeler: User) -> None:
    assert refusal(make_photo(photo.event, state="queued"), labeler, EMPTY) == "not_processed"


def test_a_face_that_was_called_none_says_how_to_bring_it_back(photo: Photo, labeler: User) -> None:
    UnlabeledFace.objects.update(reviewed=True, verdict="not_a_face")
    with pytest.raises(BoxRefused) as refused:
        draw(photo, labeler, Box(20, 100, 80, 160))
    assert "not a face" in refused.value.message
    assert refused.value.face == Face.objects.get()


def test_the_same_box_sent_twice_is_one(photo: Photo, labeler: User) -> None:
    assert draw(photo, labeler) == draw(photo, labeler)
    assert refusal(photo, labeler, Box(305, 205, 385, 285).padded(0.1)) == "drawn_already"


def test_it_becomes_an_open_face_with_the_box_that_was_drawn(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler)
    process_next_box()
    box.refresh_from_db()
    face = Face.objects.get(by_hand=True)
    assert (box.state, box.face) == ("done", face)
    assert (face.left, face.top, face.width, face.height) == (300, 200, 80, 80)
    assert UnlabeledFace.objects.get(face=face).reviewed is False
    assert crop_path(face).exists()
    assert Embedding.objects.get(face=face).embedder_id == EMBEDDER_ID


def test_where_nothing_is_seen_the_landmarks_are_put_into_the_box(photo: Photo, labeler: User) -> None:
    draw(photo, labeler)
    process_next_box()
    face = Face.objects.get(by_hand=True)
    assert face.detector_score == 0
    assert all(300 < x < 380 and 200 < y < 280 for x, y in face.landmarks)
    assert abs(face.yaw) < 1
    assert abs(face.roll) < 1


def test_the_detector_is_asked_again_about_that_place(
    photo: Photo, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face that was missed in the whole photo: its box stays as drawn, its vector is of the detector's box."""
    UnlabeledFace.objects.all().delete()
    Embedding.objects.all().delete()
    Face.objects.all().delete()
    draw(photo, labeler, Box(10, 90, 84, 164))
    process_next_box()
    face = Face.objects.get()
    assert (face.left, face.width, face.detector_score) == (10, 74, 0.99)
    stored = Embedding.objects.with_vectors().get(face=face)
    np.testing.assert_array_equal(np.frombuffer(stored.vector, "<f4"), vector_of("red"))


def test_the_machine_names_nobody_by_it(photo: Photo, labeler: User) -> None:
    UnlabeledFace.objects.all().delete()
    Embedding.objects.all().delete()
    Face.objects.all().delete()
    make_reference(make_person("Red"), vector_of("red"), embedder_id=EMBEDDER_ID)
    draw(photo, labeler, Box(15, 95, 85, 165))
    process_next_box()
    face = Face.objects.get(by_hand=True)
    assert not Sighting.objects.filter(face=face).exists()
    assert UnlabeledFace.objects.open().filter(face=face).exists()


def test_a_face_that_came_meanwhile_fails_the_box_with_the_reason(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler)
    other = Face.objects.get()
    Face.objects.filter(pk=other.pk).update(left=300, top=200, width=80, height=80)
    process_next_box()
    box.refresh_from_db()
    assert (box.state, box.failure_code) == ("failed", "there_already")
    assert Face.objects.count() == 1


def test_a_lost_original_says_so_and_a_retry_brings_the_face(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler)
    path = original_path(photo.sha256, photo.format)
    data = path.read_bytes()
    path.unlink()
    process_next_box()
    box.refresh_from_db()
    assert (box.state, box.failure_code) == ("failed", "original_missing")
    path.write_bytes(data)
    assert retry_box(box)
    process_next_box()
    box.refresh_from_db()
    assert box.state == "done"


def test_an_error_is_tried_again_and_told_in_the_end(
    photo: Photo, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = draw(photo, labeler)

    def fail(*args: Any) -> None:
        raise RuntimeError("the net is out of order")

    monkeypatch.setattr(drawn_faces, "describe_drawn", fail)
    for _ in range(3):
        ManualBox.objects.update(lease_until=None)
        process_next_box()
    box.refresh_from_db()
    assert (box.state, box.failure_code) == ("failed", "processing_error")
    assert "RuntimeError" in box.failure_reason


def test_a_dead_workers_box_is_taken_up(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler)
    ManualBox.objects.filter(pk=box.pk).update(
        state="processing",
        attempts=1,
        lease="00000000-0000-0000-0000-000000000001",
        lease_until=timezone.now() - timedelta(seconds=1),
    )
    assert sweep_boxes() == 1
    process_next_box()
    assert Face.objects.filter(by_hand=True).count() == 1


def test_what_is_taken_back_while_it_is_looked_at_leaves_no_face(
    photo: Photo, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = draw(photo, labeler)
    real = drawn_faces.describe_drawn

    def describe(*args: Any) -> Any:
        assert remove_box(box)
        return real(*args)

    monkeypatch.setattr(drawn_faces, "describe_drawn", describe)
    process_next_box()
    assert not Face.objects.filter(by_hand=True).exists()


def test_a_face_is_not_taken_back_as_a_box(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler)
    process_next_box()
    assert not remove_box(box)
    assert Face.objects.filter(by_hand=True).exists()


def test_boxes_of_a_deleted_event_are_left_alone(photo: Photo, labeler: User) -> None:
    draw(photo, labeler)
    photo.event.deleted_at = timezone.now()
    photo.event.save()
    assert process_next_box() is None


def test_a_box_that_waits_long_asks_for_the_worker(photo: Photo, labeler: User) -> None:
    box = draw(photo, labeler)
    assert not is_stalled(box)
    box.created_at = timezone.now() - timedelta(minutes=5)
    assert is_stalled(box)


@needs_photos
@pytest.mark.slow
def test_a_grey_frame_shows_the_real_detector_faces_that_are_cut_too_tightly() -> None:
    """Without it MTCNN misses a third of these."""
    from recognition.detection import get_detector

    plain = framed = 0
    paths = sorted((PHOTOS / "lfw10").glob("*/*.jpg"))[::3]
    for path in paths:
        rgb = decode_photo(path)
        box = get_detector().detect(rgb)[0].box.padded(-0.08).as_ints()
        tight = np.ascontiguousarray(rgb[box.top : box.bottom, box.left : box.right])
        plain += len(get_detector().detect(tight)) == 1
        framed += len(find_padded(tight)) == 1
    assert framed == len(paths)
    assert plain < 0.8 * len(paths)


@needs_photos
@pytest.mark.slow
def test_the_real_detector_keeps_to_the_drawn_face_of_several() -> None:
    from recognition.detection import get_detector

    rgb = decode_photo(PHOTOS / "multiface.jpg")
    for face in get_detector().detect(rgb):
        drawn = face.box.padded(0.1)
        found = find_in_box(rgb, drawn)
        assert found is not None
        assert found.box.iou(face.box) > 0.5
