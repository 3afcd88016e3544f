"""Error pages: plain words in our own frame, also where nothing else works any more."""

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string
from django.test import Client

from tests.conftest import make_user


@pytest.mark.parametrize("name", ["400.html", "500.html", "403_csrf.html"])
def test_these_need_neither_a_request_nor_the_database(name: str) -> None:
    page = render_to_string(name)
    assert "Go to the overview" in page
    for forbidden in (" style=", "<style", "<script"):
        assert forbidden not in page


def test_a_wrong_host_name_is_told_to_the_administrator(client: Client) -> None:
    response = client.get("/", headers={"Host": "vault.example"})
    page = response.content.decode()
    assert response.status_code == 400
    assert "FACEVAULT_HOSTS" in page
    assert "at most 100 files" in page


@pytest.mark.django_db
def test_a_page_that_is_not_there_is_told_to_everybody(client: Client, as_labeler: Client) -> None:
    for visitor in (client, as_labeler):
        response = visitor.get("/nowhere/")
        assert response.status_code == 404
        assert "This page is not here" in response.content.decode()


@pytest.mark.django_db
def test_whoever_may_not_is_told_whom_to_ask(outsider: User) -> None:
    client = Client()
    client.force_login(outsider)
    response = client.get("/people/")
    assert response.status_code == 403
    assert "Ask a manager of the event" in response.content.decode()


@pytest.mark.django_db
def test_a_bug_shows_the_plain_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("recognition.views.people.load_people", fail)
    client = Client(raise_request_exception=False)
    client.force_login(make_user("lara", "labeler"))
    response = client.get("/people/")
    page = response.content.decode()
    assert response.status_code == 500
    assert "Something broke on our side" in page
    assert "a secret detail" not in page
