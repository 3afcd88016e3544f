"""Faces too small to be asked about: kept and shown, named by nobody but people, in the queue only if a person puts them there."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from labeling.decisions import label_face, record_verdict, undo_decision
from labeling.models import Decision
from recognition import detection
from recognition.detection import DetectedFace
from recognition.geometry import Box
from recognition.ingest import process_next_photo
from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
from recognition.photos.boxes import kind_of, nameless_kind_of, with_decisions
from recognition.photos.drawn_faces import process_next_box
from recognition.photos.manual_boxes import draw_box
from recognition.quality import QUEUE
from recognition.redetection import Redetected, redetect_photo
from recognition.storage import crop_path
from recognition.uploads.adding import add_photo
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_person, make_reference
from tests.fakes import COLORS, EMBEDDER_ID, DrawnDetector, vector_of
from tests.labeling.conftest import fresh

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]
TINY = int(QUEUE.size) - 4


def photo_of(**sides: int) -> Photo:
    """Processed, with a square of that side for each color."""
    image = Image.new("RGB", (640, 360), (128, 128, 128))
    for number, (color, side) in enumerate(sides.items()):
        left = 20 + 160 * number
        ImageDraw.Draw(image).rectangle([left, 100, left + side - 1, 100 + side - 1], fill=COLORS[color])
    file = io.BytesIO()
    image.save(file, "PNG")
    added = add_photo(event=make_event(), file=io.BytesIO(file.getvalue()), name="photo.png").photo
    assert added is not None
    process_next_photo()
    added.refresh_from_db()
    return added


def the_face(**where: Any) -> Face:
    return with_decisions(Face.objects.filter(**where)).select_related("photo").get()


@pytest.fixture
def tiny() -> Face:
    photo_of(red=TINY)
    return the_face()


def test_it_is_kept_with_its_crop_and_vector_and_nobody_is_asked(tiny: Face) -> None:
    assert tiny.photo.state == "done"
    assert crop_path(tiny).exists()
    assert Embedding.objects.filter(face=tiny, embedder_id=EMBEDDER_ID).exists()
    assert not UnlabeledFace.objects.exists()
    assert kind_of(tiny) == nameless_kind_of(tiny) == "unasked"


def test_a_face_of_the_least_size_is_asked_about() -> None:
    photo_of(red=int(QUEUE.size))
    assert UnlabeledFace.objects.open().count() == 1


def test_the_machine_does_not_name_it() -> None:
    make_reference(make_person("Red"), vector_of("red"), embedder_id=EMBEDDER_ID)
    photo = photo_of(red=TINY)
    assert not Sighting.objects.filter(face__photo=photo).exists()


def test_it_takes_nobodys_name_from_a_larger_face(monkeypatch: pytest.MonkeyPatch) -> None:
    red = make_person("Red")
    make_reference(red, vector_of("red"), embedder_id=EMBEDDER_ID)

    class Twice(DrawnDetector):
        """Finds a second, tiny face in the middle of every face."""

        def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
            found = super().detect(rgb)
            inner = [DetectedFace(face.box.padded(-0.4), face.landmarks, 0.99) for face in found]
            return [*inner, *found]

    twice = Twice()
    monkeypatch.setattr("recognition.ingest.get_detector", lambda: twice)
    photo = photo_of(red=60)
    assert Face.objects.filter(photo=photo).count() == 2
    assert Sighting.objects.get(face__photo=photo).face.size == 60


def test_a_face_that_a_person_drew_is_asked_about_however_small(labeler: User) -> None:
    photo = photo_of(red=60)
    draw_box(photo=photo, box=Box(300, 200, 300 + TINY, 200 + TINY), user=labeler)
    process_next_box()
    assert UnlabeledFace.objects.open().filter(face__by_hand=True).count() == 1


def test_detecting_again_neither_removes_nor_queues_it(tiny: Face) -> None:
    assert redetect_photo(tiny.photo) == Redetected(matched=1)
    assert kind_of(the_face(pk=tiny.pk)) == "unasked"


def test_detecting_again_keeps_a_newly_found_tiny_face_out_of_the_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = photo_of(red=60)

    class More(DrawnDetector):
        detector_id = "sees more"

        def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
            box = Box(500, 300, 500 + TINY, 300 + TINY)
            return [*super().detect(rgb), DetectedFace(box, np.full((5, 2), 505, np.float32), 0.99)]

    more = More()
    monkeypatch.setattr(detection, "get_detector", lambda: more)
    assert redetect_photo(photo).added == 1
    assert kind_of(the_face(photo=photo, size__lt=QUEUE.size)) == "unasked"


def test_the_photo_shows_it_and_says_why_nobody_is_asked(tiny: Face, as_labeler: Client) -> None:
    page = as_labeler.get(f"/photos/{tiny.photo_id}/").content.decode()
    assert '<rect class="unasked"' in page
    assert "too small" in page
    assert f'action="/label/{tiny.face_id}/ask/"' in page
    assert f'href="/label/{tiny.face_id}/"' in page


def test_whoever_may_not_name_is_offered_no_button(tiny: Face) -> None:
    page = signed_in(make_user("viewer", "viewer")).get(f"/photos/{tiny.photo_id}/").content.decode()
    assert "too small" in page
    assert "/ask/" not in page


def test_its_card_offers_the_queue_and_says_why_it_is_not_there(tiny: Face, as_labeler: Client) -> None:
    page = as_labeler.get(f"/label/{tiny.face_id}/").content.decode()
    assert "neither names nor asks about faces this small" in page
    assert 'name="verdict" value="reopen"' in page
    assert 'name="verdict" value="skip"' not in page


def test_a_face_of_the_queue_has_no_such_button(as_labeler: Client) -> None:
    photo_of(red=60)
    face = the_face()
    assert 'value="reopen"' not in as_labeler.get(f"/label/{face.face_id}/").content.decode()


def test_a_person_puts_it_into_the_queue_and_takes_that_back(
    tiny: Face, as_labeler: Client, labeler: User
) -> None:
    answer = as_labeler.post(f"/label/{tiny.face_id}/ask/", {"version": tiny.version})
    assert answer.headers["Location"] == f"/photos/{tiny.photo_id}/"
    assert UnlabeledFace.objects.open().get().face == tiny
    decision = Decision.objects.get()
    assert (decision.kind, decision.actor) == ("reopen", labeler)
    undo_decision(decision=decision, actor=labeler)
    assert kind_of(the_face()) == "unasked"


def test_the_button_pressed_twice_is_one_decision(tiny: Face, as_labeler: Client) -> None:
    for _ in range(2):
        as_labeler.post(f"/label/{tiny.face_id}/ask/", {"version": tiny.version})
    assert Decision.objects.count() == 1


def test_its_card_puts_it_into_the_queue_too(tiny: Face, as_labeler: Client) -> None:
    key = "0c3b1d9e-8b1e-4a83-9d2a-5f1c7be2f0aa"
    as_labeler.post(f"/label/{tiny.face_id}/decide/", {"verdict": "reopen", "key": key, "version": 0})
    assert UnlabeledFace.objects.open().get().face == tiny


def test_a_name_that_it_got_meanwhile_stays(tiny: Face, as_labeler: Client, labeler: User) -> None:
    label_face(face=tiny, actor=labeler, name="Alice")
    as_labeler.post(f"/label/{tiny.face_id}/ask/", {"version": fresh(tiny).version})
    assert Sighting.objects.get().person.name == "Alice"
    assert not UnlabeledFace.objects.exists()


def test_a_page_that_was_drawn_before_a_colleagues_word_writes_nothing(
    tiny: Face, as_labeler: Client, labeler: User
) -> None:
    decision = record_verdict(face=tiny, kind="stranger", actor=labeler)
    undo_decision(decision=decision, actor=labeler)
    as_labeler.post(f"/label/{tiny.face_id}/ask/", {"version": 0})
    assert not UnlabeledFace.objects.exists()


@pytest.mark.parametrize("role", ["viewer", "uploader"])
def test_only_labelers_put_it_into_the_queue(tiny: Face, role: str) -> None:
    client = signed_in(make_user("other", role))
    assert client.post(f"/label/{tiny.face_id}/ask/", {"version": 0}).status_code == 403
    assert not UnlabeledFace.objects.exists()


def test_a_labeler_of_another_event_finds_nothing(tiny: Face) -> None:
    client = signed_in(make_local("elsewhere", "labeler", make_event()))
    assert client.post(f"/label/{tiny.face_id}/ask/", {"version": 0}).status_code == 404
    assert not UnlabeledFace.objects.exists()


def test_a_name_given_by_hand_and_taken_back_leaves_it_unasked(tiny: Face, labeler: User) -> None:
    decision = label_face(face=tiny, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    assert kind_of(the_face()) == "unasked"


def test_the_api_lists_it_by_its_state(tiny: Face, as_labeler: Client) -> None:
    photo_of(green=60)
    listed = as_labeler.get("/api/v1/faces/", {"state": "unasked"}).json()["results"]
    assert [(face["face_id"], face["state"]) for face in listed] == [(str(tiny.face_id), "unasked")]
