"""Adding a face by hand: the page to draw on, the card that waits, and who may do it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.roles import LABELER
from recognition.models import Face, ManualBox, Photo
from tests.conftest import make_local, signed_in
from tests.factories import make_event, make_face, make_photo

pytestmark = pytest.mark.django_db
BOX = {"left": "600", "top": "400", "width": "90", "height": "100"}


@pytest.fixture
def photo(db: None) -> Photo:
    return make_photo()


def drawn(photo: Photo, **values: object) -> ManualBox:
    return ManualBox.objects.create(photo=photo, left=600, top=400, width=90, height=100, **values)


def test_a_posted_box_leads_to_the_card_that_waits(as_labeler: Client, labeler: User, photo: Photo) -> None:
    response = as_labeler.post(f"/photos/{photo.pk}/faces/add/", BOX)
    box = ManualBox.objects.get()
    assert (box.left, box.top, box.width, box.height, box.drawn_by) == (600, 400, 90, 100, labeler)
    assert response.headers["Location"] == f"/photos/{photo.pk}/faces/{box.pk}/"
    page = as_labeler.get(response.headers["Location"]).content.decode()
    assert "Waiting for a worker" in page
    assert 'hx-trigger="every 1s"' in page


def test_a_refused_box_says_why_and_shows_the_face_that_is_there(as_labeler: Client, photo: Photo) -> None:
    face = make_face(photo)
    box = {"left": face.left, "top": face.top, "width": face.width, "height": face.height}
    response = as_labeler.post(f"/photos/{photo.pk}/faces/add/", box)
    assert response.status_code == 422
    page = response.content.decode()
    assert "There is a face at this place already." in page
    assert f'href="/label/{face.face_id}/"' in page
    assert not ManualBox.objects.exists()


@pytest.mark.parametrize("value", ["", "nan", "inf", "1e400", "-5e9", "left"])
def test_a_number_that_is_none_is_an_error_of_its_field(value: str, as_labeler: Client, photo: Photo) -> None:
    response = as_labeler.post(f"/photos/{photo.pk}/faces/add/", {**BOX, "left": value})
    assert response.status_code == 422
    assert response.context["form"].errors["left"]


def test_a_photo_that_still_waits_leads_back_to_it(as_labeler: Client) -> None:
    photo = make_photo(state="queued")
    response = as_labeler.get(f"/photos/{photo.pk}/faces/add/")
    assert response.headers["Location"] == f"/photos/{photo.pk}/"


def test_a_face_that_is_ready_is_named_from_its_card(as_labeler: Client, photo: Photo) -> None:
    face = make_face(photo)
    box = drawn(photo, state="done", face=face)
    card = as_labeler.get(f"/photos/{photo.pk}/faces/{box.pk}/", headers={"HX-Request": "true"})
    text = card.content.decode()
    assert "<html" not in text
    assert "hx-get" not in text
    assert f'href="/label/{face.face_id}/"' in text
    assert "Name it now" in text


def test_a_failed_one_tells_its_reason_and_can_be_tried_again(as_labeler: Client, photo: Photo) -> None:
    box = drawn(
        photo, state="failed", failure_code="original_missing", failure_reason="The file is gone.", attempts=3
    )
    address = f"/photos/{photo.pk}/faces/{box.pk}/"
    assert "The file is gone." in as_labeler.get(address).content.decode()
    assert as_labeler.post(f"{address}retry/").headers["Location"] == address
    box.refresh_from_db()
    assert (box.state, box.attempts) == ("queued", 0)


def test_one_that_waits_is_taken_back(as_labeler: Client, photo: Photo) -> None:
    box = drawn(photo)
    response = as_labeler.post(f"/photos/{photo.pk}/faces/{box.pk}/remove/")
    assert response.headers["Location"] == f"/photos/{photo.pk}/"
    assert not ManualBox.objects.exists()


def test_one_that_is_a_face_is_not_taken_back(as_labeler: Client, photo: Photo) -> None:
    box = drawn(photo, state="done", face=make_face(photo))
    as_labeler.post(f"/photos/{photo.pk}/faces/{box.pk}/remove/")
    assert ManualBox.objects.filter(pk=box.pk).exists()
    assert Face.objects.exists()


def test_a_box_is_found_under_its_own_photo_alone(as_labeler: Client, photo: Photo) -> None:
    box = drawn(photo)
    assert as_labeler.get(f"/photos/{make_photo().pk}/faces/{box.pk}/").status_code == 404


def test_the_photo_offers_it_and_lists_what_is_not_ready(
    as_labeler: Client, labeler: User, photo: Photo
) -> None:
    box = drawn(photo, drawn_by=labeler)
    page = as_labeler.get(f"/photos/{photo.pk}/").content.decode()
    assert f'href="/photos/{photo.pk}/faces/add/"' in page
    assert f'href="/photos/{photo.pk}/faces/{box.pk}/"' in page


def test_uploaders_neither_see_nor_add_one(as_uploader: Client, uploader: User) -> None:
    photo = make_photo()
    Photo.objects.filter(pk=photo.pk).update(uploaded_by=uploader)
    box = drawn(photo)
    assert "faces/add/" not in as_uploader.get(f"/photos/{photo.pk}/").content.decode()
    assert as_uploader.get(f"/photos/{photo.pk}/faces/add/").status_code == 403
    assert as_uploader.post(f"/photos/{photo.pk}/faces/add/", BOX).status_code == 403
    assert as_uploader.get(f"/photos/{photo.pk}/faces/{box.pk}/").status_code == 403


def test_a_labeler_of_another_event_finds_nothing(photo: Photo) -> None:
    client = signed_in(make_local("ella", LABELER, make_event()))
    box = drawn(photo)
    assert client.post(f"/photos/{photo.pk}/faces/add/", BOX).status_code == 404
    assert client.get(f"/photos/{photo.pk}/faces/{box.pk}/").status_code == 404
    assert client.post(f"/photos/{photo.pk}/faces/{box.pk}/remove/").status_code == 404
    assert ManualBox.objects.count() == 1
