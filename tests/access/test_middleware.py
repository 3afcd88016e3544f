"""What happens to a request before its view: the way to the login page, and what nobody may make us receive."""

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.factories import make_event

pytestmark = pytest.mark.django_db


def test_a_fragment_request_without_a_session_goes_to_the_login_page_and_comes_back() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/events/?page=2"}
    reply = Client().get("/events/", headers=headers)
    assert reply.headers["HX-Redirect"] == "/login/?next=%2Fevents%2F%3Fpage%3D2"


def test_the_way_back_never_leads_to_another_site() -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/phish"}
    assert Client().get("/events/", headers=headers).headers["HX-Redirect"] == "/login/"


def test_files_of_a_stranger_are_not_even_received(monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(*args: object, **kwargs: object) -> None:
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.parse_file_upload", receive)
    client = Client(enforce_csrf_checks=True)
    reply = client.post(f"/events/{make_event().pk}/upload/", {"files": SimpleUploadedFile("a.jpg", b"x")})
    assert reply.status_code == 302


def test_a_form_from_elsewhere_is_refused(manager: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    assert client.post("/events/", {"name": "Forged"}).status_code == 403
