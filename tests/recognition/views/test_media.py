"""Pictures: only to those who may see them, kept by nobody but the browser, asked again each time."""

import uuid
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponseBase
from django.test import Client

from recognition.models import Face, Photo
from recognition.storage import crop_path, preview_path, thumb_path
from tests.factories import make_face, make_photo

pytestmark = pytest.mark.django_db
JPEG = b"\xff\xd8\xff\xe0 any bytes will do"


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(JPEG)


def get(client: Client, address: str) -> HttpResponseBase:
    """The answer, read to its end, which closes the file."""
    response = client.get(address)
    response.getvalue()
    assert isinstance(response, HttpResponseBase)
    return response


@pytest.fixture
def face() -> Face:
    face = make_face()
    for path in (crop_path(face), preview_path(face.photo), thumb_path(face.photo)):
        put(path)
    return face


def addresses(face: Face) -> list[str]:
    return [
        f"/faces/{face.face_id}/crop.jpg",
        f"/photos/{face.photo_id}/preview.jpg",
        f"/photos/{face.photo_id}/thumb.jpg",
    ]


def test_a_picture_comes_with_headers_that_keep_it_private(as_labeler: Client, face: Face) -> None:
    for address in addresses(face):
        response = as_labeler.get(address)
        assert response.status_code == 200
        assert response.getvalue() == JPEG
        assert response.headers["Content-Type"] == "image/jpeg"
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["ETag"].startswith('"')


def test_the_three_pictures_have_different_etags(as_labeler: Client, face: Face) -> None:
    assert len({get(as_labeler, address).headers["ETag"] for address in addresses(face)}) == 3


def test_what_the_browser_has_is_not_sent_again(as_labeler: Client, face: Face) -> None:
    for address in addresses(face):
        first = get(as_labeler, address)
        again = as_labeler.get(address, headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["Cache-Control"] == "private, no-cache"
        assert again.headers["ETag"] == first.headers["ETag"]


def test_another_etag_gets_the_picture(as_labeler: Client, face: Face) -> None:
    response = as_labeler.get(addresses(face)[0], headers={"If-None-Match": '"something else"'})
    assert response.getvalue() == JPEG


def test_uploaders_see_the_pictures_of_their_photos_alone(
    as_uploader: Client, uploader: User, face: Face
) -> None:
    assert {as_uploader.get(address).status_code for address in addresses(face)} == {404}
    Photo.objects.filter(pk=face.photo_id).update(uploaded_by=uploader)
    for address in addresses(face):
        assert get(as_uploader, address).status_code == 200


def test_an_etag_does_not_open_what_is_not_visible(as_uploader: Client, face: Face) -> None:
    response = as_uploader.get(addresses(face)[0], headers={"If-None-Match": f'"{face.crop}"'})
    assert response.status_code == 404
    assert "ETag" not in response.headers


def test_a_picture_that_is_not_written_yet_is_not_found(as_labeler: Client) -> None:
    photo = make_photo(state=Photo.State.QUEUED)
    response = as_labeler.get(f"/photos/{photo.pk}/thumb.jpg")
    assert response.status_code == 404
    assert response.headers["Cache-Control"] == "no-store, private"


def test_unknown_ids_are_not_found(as_labeler: Client) -> None:
    assert as_labeler.get(f"/faces/{uuid.uuid4()}/crop.jpg").status_code == 404
    assert as_labeler.get("/faces/1/crop.jpg").status_code == 404
    assert as_labeler.get("/faces/../../secret_key/crop.jpg").status_code == 404
    assert as_labeler.get("/photos/999/preview.jpg").status_code == 404


def test_the_anonymous_and_the_roleless_get_nothing(client: Client, as_outsider: Client, face: Face) -> None:
    for address in addresses(face):
        assert client.get(address).status_code == 302
        assert as_outsider.get(address).status_code == 403


def test_pictures_are_read_only(as_manager: Client, face: Face) -> None:
    for address in addresses(face):
        assert as_manager.post(address).status_code == 405
        assert as_manager.delete(address).status_code == 405
