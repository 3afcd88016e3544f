"""Faces drawn over the API: asked for, followed, taken back."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.models import ManualBox
from tests.factories import make_face, make_photo

pytestmark = pytest.mark.django_db
BOX = {"left": 600, "top": 400, "width": 90, "height": 100}


def test_a_box_is_accepted_and_followed(as_labeler: Client) -> None:
    photo = make_photo()
    answer = as_labeler.post(f"/api/v1/photos/{photo.pk}/faces/", BOX, content_type="application/json")
    assert answer.status_code == 202
    row = answer.json()
    assert (row["state"], row["face_id"], row["failure"]) == ("queued", None, None)
    assert row["box"] == BOX
    face = make_face(photo)
    ManualBox.objects.update(state="done", face=face)
    assert as_labeler.get(answer.headers["Location"]).json()["face_id"] == str(face.face_id)


def test_a_box_over_a_face_is_a_conflict(as_labeler: Client) -> None:
    photo = make_photo()
    face = make_face(photo)
    box = {"left": face.left, "top": face.top, "width": face.width, "height": face.height}
    answer = as_labeler.post(f"/api/v1/photos/{photo.pk}/faces/", box, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "there_already")


def test_a_box_that_is_too_small_is_refused(as_labeler: Client) -> None:
    photo = make_photo()
    answer = as_labeler.post(
        f"/api/v1/photos/{photo.pk}/faces/", {**BOX, "width": 5, "height": 5}, content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "too_small")


def test_a_face_that_is_ready_is_not_taken_back(as_labeler: Client) -> None:
    photo = make_photo()
    box = ManualBox.objects.create(photo=photo, **BOX)
    path = f"/api/v1/photos/{photo.pk}/faces/{box.pk}/"
    ManualBox.objects.update(state="done", face=make_face(photo))
    assert as_labeler.delete(path).json()["code"] == "face_ready"
    ManualBox.objects.update(state="failed", failure_code="x", face=None)
    assert as_labeler.delete(path).status_code == 204


def test_an_uploader_draws_nothing(as_uploader: Client, uploader: User) -> None:
    photo = make_photo()
    photo.uploaded_by = uploader
    photo.save()
    answer = as_uploader.post(f"/api/v1/photos/{photo.pk}/faces/", BOX, content_type="application/json")
    assert answer.status_code == 403
    assert not ManualBox.objects.exists()
