"""Signing in and out, and the password."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def test_signing_in_leads_to_the_page_that_was_asked_for(client: Client, labeler: User) -> None:
    assert client.get("/people/").headers["Location"] == "/login/?next=/people/"
    response = client.post(
        "/login/?next=/people/", {"username": "lena", "password": PASSWORD, "next": "/people/"}
    )
    assert response.headers["Location"] == "/people/"


def test_signing_in_leads_to_no_other_site(client: Client, labeler: User) -> None:
    response = client.post(
        "/login/", {"username": "lena", "password": PASSWORD, "next": "https://evil.example/"}
    )
    assert response.headers["Location"] == "/"


def test_a_wrong_password_is_told_without_saying_which_part_is_wrong(client: Client, labeler: User) -> None:
    wrong = client.post("/login/", {"username": "lena", "password": "no"})
    nobody = client.post("/login/", {"username": "nobody", "password": "no"})
    for response in (wrong, nobody):
        assert response.status_code == 200
        assert "Please enter a correct username and password" in response.content.decode()


def test_the_signed_in_do_not_see_the_login_page(as_labeler: Client) -> None:
    assert as_labeler.get("/login/").headers["Location"] == "/"


def test_signing_out_ends_the_session(as_labeler: Client) -> None:
    assert as_labeler.post("/logout/").headers["Location"] == "/login/"
    assert as_labeler.get("/").status_code == 302


def test_a_link_cannot_sign_anybody_out(as_labeler: Client) -> None:
    assert as_labeler.get("/logout/").status_code == 405
    assert as_labeler.get("/").status_code == 200


def test_the_password_is_changed_and_the_session_stays(as_labeler: Client, labeler: User) -> None:
    new = "a much longer secret"
    response = as_labeler.post(
        "/password/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}, follow=True
    )
    assert "Your password is changed." in response.content.decode()
    labeler.refresh_from_db()
    assert labeler.check_password(new)


def test_the_old_password_is_asked_for(as_labeler: Client, labeler: User) -> None:
    new = "a much longer secret"
    response = as_labeler.post(
        "/password/", {"old_password": "no", "new_password1": new, "new_password2": new}
    )
    assert 'class="error"' in response.content.decode()
    labeler.refresh_from_db()
    assert labeler.check_password(PASSWORD)


def test_posts_need_the_token(labeler: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(labeler)
    response = client.post("/logout/")
    assert response.status_code == 403
    assert "This form is out of date" in response.content.decode()


def test_pages_are_never_kept_by_a_cache(as_labeler: Client) -> None:
    assert as_labeler.get("/people/").headers["Cache-Control"] == "no-store, private"
