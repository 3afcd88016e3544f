"""Uploading: every file gets its answer, a bad one never stops the rest, and only uploaders and managers may."""

import io
import zipfile

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from recognition.models import Event, Photo
from tests.factories import make_event

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}


def photo_file(name: str = "a.jpg", *, color: str = "red", kind: str = "JPEG") -> SimpleUploadedFile:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), color).save(buffer, kind)
    return SimpleUploadedFile(name, buffer.getvalue())


def zip_file(name: str, **files: bytes) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for entry, data in files.items():
            archive.writestr(entry, data)
    return SimpleUploadedFile(name, buffer.getvalue())


@pytest.fixture
def event() -> Event:
    return make_event("Graduation")


def test_the_form_works_without_a_script(as_uploader: Client, event: Event) -> None:
    page = as_uploader.get(f"/events/{event.pk}/upload/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert 'name="files"' in page
    assert "multiple" in page
    assert 'type="submit">Upload' in page


def test_photos_are_added_to_the_event_in_the_name_of_the_user(
    as_uploader: Client, uploader: User, event: Event
) -> None:
    files = [photo_file("a.jpg"), photo_file("b.png", color="blue", kind="PNG")]
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": files})
    assert response.status_code == 200
    assert (response.context["added"], response.context["refused"]) == (2, 0)
    assert [(photo.name, photo.event, photo.uploaded_by) for photo in Photo.objects.all()] == [
        ("a.jpg", event, uploader),
        ("b.png", event, uploader),
    ]


def test_each_refused_file_has_a_line_with_its_reason(as_uploader: Client, event: Event) -> None:
    files = [
        photo_file("good.jpg"),
        SimpleUploadedFile("notes<1>.txt", b"not a photo at all, just words"),
        SimpleUploadedFile("cut.jpg", photo_file(color="green").read()[:400]),
    ]
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": files})
    page = response.content.decode()
    assert (response.context["added"], response.context["refused"]) == (1, 2)
    assert "notes&lt;1&gt;.txt" in page
    assert "cut.jpg" in page
    assert all(
        result.message in page for result in response.context["not_added"] if "'" not in result.message
    )


def test_the_same_photo_again_is_a_duplicate(as_uploader: Client, event: Event) -> None:
    as_uploader.post(f"/events/{event.pk}/upload/", {"files": [photo_file()]})
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": [photo_file("again.jpg")]})
    assert (response.context["added"], response.context["duplicate"]) == (0, 1)
    assert "again.jpg" in response.content.decode()
    assert Photo.objects.count() == 1


def test_a_zip_is_opened(as_uploader: Client, event: Event) -> None:
    archive = zip_file("day.zip", **{"one.jpg": photo_file().read(), "readme.txt": b"just words, no picture"})
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": [archive]})
    assert (response.context["added"], response.context["refused"]) == (1, 1)
    assert Photo.objects.get().name == "one.jpg"


def test_an_empty_file_is_refused_beside_the_others(as_uploader: Client, event: Event) -> None:
    files = [SimpleUploadedFile("empty.jpg", b""), photo_file()]
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": files})
    assert (response.context["added"], response.context["refused"]) == (1, 1)


def test_a_file_of_a_long_name_is_taken(as_uploader: Client, event: Event) -> None:
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": [photo_file("x" * 250 + ".jpg")]})
    assert response.context["added"] == 1


def test_no_file_at_all_is_told(as_uploader: Client, event: Event) -> None:
    response = as_uploader.post(f"/events/{event.pk}/upload/", {})
    assert response.status_code == 422
    assert "Choose at least one photo, ZIP file or video." in response.content.decode()


def test_too_many_files_at_once_are_told(as_uploader: Client, event: Event) -> None:
    files = [SimpleUploadedFile(f"{number}.jpg", b"x") for number in range(101)]
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": files})
    assert response.status_code == 400
    assert "at most 100 files" in response.content.decode()


def test_the_script_gets_the_results_alone(as_uploader: Client, event: Event) -> None:
    files = [photo_file(), SimpleUploadedFile("words.txt", b"just words, no picture")]
    response = as_uploader.post(f"/events/{event.pk}/upload/", {"files": files}, headers=HX)
    part = response.content.decode()
    assert part.strip().startswith('<section id="upload-results"')
    assert 'data-added="1" data-duplicate="0" data-refused="1"' in part
    assert part.count("<li") == 1
    assert "<html" not in part
    assert "HX-Request" in response.headers["Vary"]


def test_the_page_after_a_plain_upload_counts_the_processing(as_uploader: Client, event: Event) -> None:
    page = as_uploader.post(f"/events/{event.pk}/upload/", {"files": [photo_file()]}).content.decode()
    assert "<html" in page
    assert f'hx-get="/events/{event.pk}/progress/?seen=0"' in page


def test_labelers_do_not_upload(as_labeler: Client, event: Event) -> None:
    response = as_labeler.post(f"/events/{event.pk}/upload/", {"files": [photo_file()]})
    assert response.status_code == 403
    assert as_labeler.get(f"/events/{event.pk}/upload/").status_code == 403
    assert not Photo.objects.exists()


def test_managers_do(as_manager: Client, event: Event) -> None:
    as_manager.post(f"/events/{event.pk}/upload/", {"files": [photo_file()]})
    assert Photo.objects.count() == 1


def test_an_unknown_event_is_not_found(as_uploader: Client) -> None:
    assert as_uploader.get("/events/999/upload/").status_code == 404
    assert as_uploader.post("/events/999/upload/", {"files": [photo_file()]}).status_code == 404


def test_other_methods_are_refused(as_uploader: Client, event: Event) -> None:
    assert as_uploader.put(f"/events/{event.pk}/upload/").status_code == 405
