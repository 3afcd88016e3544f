"""Tokens: made once, shown once, kept as an HMAC; what they open and for how long."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from access.models import ApiToken
from access.roles import LABELER
from access.tokens import NewToken, TokenRefused, create_token, find_token, revoke_token
from tests.conftest import make_user

pytestmark = pytest.mark.django_db


def make_token(user: User, *scopes: str, days: int = 30) -> NewToken:
    return create_token(
        user=user,
        name="a script",
        scopes=list(scopes) or ["read"],
        expires_at=timezone.now() + timedelta(days=days),
    )


def test_a_token_is_found_by_its_secret_alone(labeler: User) -> None:
    made = make_token(labeler, "read", "label")
    found = find_token(made.secret, address="192.0.2.7")
    assert found == made.token
    assert found.scopes == ["read", "label"]
    for wrong in (
        made.secret + "x",
        made.secret[:-1],
        made.secret.upper(),
        f"fv_{made.token.prefix}_",
        "",
        "fv_é_x",
    ):
        assert find_token(wrong, address=None) is None


def test_the_database_does_not_hold_the_secret(labeler: User) -> None:
    made = make_token(labeler)
    row = ApiToken.objects.values().get(pk=made.token.pk)
    assert made.secret.rsplit("_", 1)[1] not in str(row)
    assert row["digest"] != made.secret


def test_a_token_ends_by_time_by_revoking_and_with_its_account(labeler: User) -> None:
    for end in ("time", "revoke", "account"):
        made = make_token(labeler)
        if end == "time":
            ApiToken.objects.filter(pk=made.token.pk).update(expires_at=timezone.now())
        elif end == "revoke":
            revoke_token(made.token)
        else:
            User.objects.filter(pk=labeler.pk).update(is_active=False)
        assert find_token(made.secret, address=None) is None, end


def test_use_is_noted_with_where_it_came_from(labeler: User) -> None:
    made = make_token(labeler)
    find_token(made.secret, address="192.0.2.7")
    made.token.refresh_from_db()
    assert made.token.last_used_from == "192.0.2.7"
    first = made.token.last_used_at
    find_token(made.secret, address="192.0.2.7")
    made.token.refresh_from_db()
    assert made.token.last_used_at == first


@pytest.mark.parametrize(
    ("behind_a_proxy", "noted", "expected"),
    [
        (True, "198.51.100.4", "198.51.100.4"),
        (True, "203.0.113.9, 2001:db8::4", "2001:db8::4"),
        (True, "nonsense", "127.0.0.1"),
        (True, "", "127.0.0.1"),
        (False, "198.51.100.4", "127.0.0.1"),
    ],
)
def test_behind_the_proxy_use_is_noted_with_the_address_that_the_proxy_saw(
    behind_a_proxy: bool, noted: str, expected: str, labeler: User, settings: Any
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if behind_a_proxy else None
    made = make_token(labeler)
    headers = {"Authorization": f"Bearer {made.secret}", "X-Forwarded-For": noted}
    assert Client(headers=headers).get("/api/v1/me/").status_code == 200
    made.token.refresh_from_db()
    assert made.token.last_used_from == expected


@pytest.mark.parametrize(
    ("name", "scopes", "days"),
    [
        ("", ["read"], 5),
        ("x" * 61, ["read"], 5),
        ("a", [], 5),
        ("a", ["root"], 5),
        ("a", ["read"], 0),
        ("a", ["read"], 400),
    ],
)
def test_what_makes_no_token(labeler: User, name: str, scopes: list[str], days: int) -> None:
    with pytest.raises(TokenRefused):
        create_token(user=labeler, name=name, scopes=scopes, expires_at=timezone.now() + timedelta(days=days))
    assert not ApiToken.objects.exists()


def test_the_page_shows_a_new_token_once(as_labeler: Client) -> None:
    response = as_labeler.post("/tokens/", {"name": "nightly", "scopes": ["read", "upload"], "days": "90"})
    assert response.status_code == 201
    token = ApiToken.objects.get()
    secret = response.content.decode().split('value="fv_')[1].split('"')[0]
    assert find_token(f"fv_{secret}", address=None) == token
    assert response.headers["Cache-Control"] == "no-store, private"
    assert secret not in as_labeler.get("/tokens/").content.decode()


def test_the_page_says_what_is_missing(as_labeler: Client) -> None:
    response = as_labeler.post("/tokens/", {"name": "", "days": "90"})
    assert response.status_code == 422
    assert not ApiToken.objects.exists()


def test_tokens_of_others_are_neither_seen_nor_revoked(as_labeler: Client) -> None:
    other = make_token(make_user("otto", LABELER)).token
    assert other.prefix not in as_labeler.get("/tokens/").content.decode()
    assert as_labeler.post(f"/tokens/{other.prefix}/revoke/").status_code == 404
    other.refresh_from_db()
    assert other.revoked_at is None


def test_one_revokes_ones_own_and_an_administrator_anybodys(labeler: User, as_labeler: Client) -> None:
    mine, second = make_token(labeler).token, make_token(labeler).token
    assert as_labeler.post(f"/tokens/{mine.prefix}/revoke/").status_code == 302
    boss = Client()
    boss.force_login(User.objects.create_superuser("ada", password="correct horse battery"))
    assert second.prefix in boss.get("/tokens/").content.decode()
    assert boss.post(f"/tokens/{second.prefix}/revoke/").status_code == 302
    assert not ApiToken.objects.filter(revoked_at=None).exists()


def test_a_token_opens_no_page_and_makes_no_token(labeler: User) -> None:
    made = make_token(labeler, "read", "admin")
    bearer = Client(headers={"Authorization": f"Bearer {made.secret}"})
    for path in ("/", "/tokens/", "/people/"):
        assert bearer.get(path).status_code == 302
    assert bearer.post("/tokens/", {"name": "more", "scopes": ["admin"], "days": "365"}).status_code == 302
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("header", ["Bearer nonsense", "Basic YTpi", "fv_x_y", "Bearer"])
def test_a_wrong_token_is_401_even_with_a_session(as_labeler: Client, header: str) -> None:
    response = as_labeler.get("/api/v1/events/", headers={"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "token_invalid"


def test_the_command_prints_the_token_alone(labeler: User) -> None:
    out, err = io.StringIO(), io.StringIO()
    call_command(
        "create_token",
        "lena",
        "--name",
        "nightly",
        "--scope",
        "read",
        "--scope",
        "export",
        "--days",
        "10",
        stdout=out,
        stderr=err,
    )
    token = find_token(out.getvalue().strip(), address=None)
    assert token is not None
    assert (token.user, token.scopes) == (labeler, ["read", "export"])
    assert "Keep it like a password" in err.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [["nobody", "--name", "x"], ["lena", "--name", " "], ["lena", "--name", "x", "--days", "999999999"]],
)
def test_the_command_says_what_is_wrong(labeler: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", *arguments, stdout=io.StringIO())
    assert not ApiToken.objects.exists()
