"""Who gets in: tokens and sessions, scopes and roles, own events and foreign ones, and what a token can never do."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import ApiToken
from recognition.models import Event
from tests.api.conftest import Api, Side, local_user, problem_of

READS = [
    "events/",
    "events/{event}/",
    "events/{event}/photos/",
    "photos/",
    "photos/{photo}/",
    "faces/",
    "faces/{open}/",
    "people/",
    "people/{person}/",
    "sightings/",
    "stats/",
    "search/",
]
WRITES = {
    "faces/{open}/label/": "label",
    "faces/{open}/reject/": "label",
    "faces/{open}/skip/": "label",
    "faces/{open}/stranger/": "label",
    "faces/{open}/not-a-face/": "label",
    "events/{event}/photos/": "upload",
    "events/{event}/retry/": "upload",
    "photos/{photo}/retry/": "upload",
    "faces/{open}/caused/": "label",
}
EXPORTS = [
    "events/{event}/photos.zip",
    "events/{event}/list.csv",
    "people/{person}/photos.zip",
    "people/{person}/list.csv",
    "photos/{photo}/original",
    "exports/",
]


def at(path: str, side: Side) -> str:
    return path.format(
        event=side.event.pk, photo=side.photo.pk, open=side.open.face_id, person=side.person.pk
    )


@pytest.mark.parametrize("path", READS)
def test_a_manager_reads_everything(path: str, mine: Side, manager: User) -> None:
    assert Api(manager, "read").get(at(path, mine)).status_code == 200


@pytest.mark.parametrize("path", [*READS, *EXPORTS])
def test_nobody_gets_in_without_a_token(path: str, mine: Side) -> None:
    answer = Api().get(at(path, mine))
    assert problem_of(answer, 401)["code"] == "not_signed_in"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_wrong_token_is_told_apart_from_none(mine: Side) -> None:
    assert problem_of(Api(secret="fv_nothing_of_this").get("events/"), 401)["code"] == "token_invalid"


@pytest.mark.parametrize("path", READS)
def test_without_the_scope_read_nothing_is_read(path: str, mine: Side, manager: User) -> None:
    answer = Api(manager, "upload", "label", "export", "admin").get(at(path, mine))
    assert problem_of(answer, 403)["code"] == "scope_missing"


@pytest.mark.parametrize(("path", "scope"), WRITES.items())
def test_each_write_takes_its_scope(path: str, scope: str, mine: Side, manager: User) -> None:
    others = {"read", "upload", "label", "export", "admin"} - {scope}
    answer = Api(manager, *others).post(at(path, mine), {})
    assert problem_of(answer, 403)["code"] == "scope_missing"


@pytest.mark.parametrize("path", EXPORTS)
def test_downloads_take_the_scope_export(path: str, mine: Side, manager: User) -> None:
    answer = Api(manager, "read", "upload", "label", "admin").get(at(path, mine))
    assert problem_of(answer, 403)["code"] == "scope_missing"


@pytest.mark.parametrize("path", EXPORTS)
def test_downloads_are_for_managers(path: str, mine: Side, labeler: User) -> None:
    assert problem_of(Api(labeler).get(at(path, mine)), 403)["code"] == "forbidden"


@pytest.mark.parametrize("path", WRITES)
def test_a_viewer_writes_nothing(path: str, mine: Side) -> None:
    viewer = Api(local_user(mine.event, "viewer"))
    assert problem_of(viewer.post(at(path, mine), {}), 403)["code"] == "forbidden"


@pytest.mark.parametrize("path", [path for path in [*READS, *EXPORTS] if "{" in path])
def test_what_is_foreign_is_not_there(path: str, mine: Side, foreign: Side) -> None:
    local = Api(local_user(mine.event, "manager"))
    assert problem_of(local.get(at(path, foreign)), 404)["code"] == "not_found"


@pytest.mark.parametrize("path", WRITES)
def test_what_is_foreign_is_not_there_to_write(path: str, mine: Side, foreign: Side) -> None:
    local = Api(local_user(mine.event, "manager"))
    assert problem_of(local.post(at(path, foreign), {}), 404)["code"] == "not_found"


@pytest.mark.parametrize("path", ["faces/{open}/label/", "faces/{open}/skip/"])
def test_what_one_sees_without_the_role_is_forbidden(path: str, mine: Side, foreign: Side) -> None:
    user = local_user(mine.event, "labeler")
    foreign.event.grants.create(user=user, role="viewer")
    assert problem_of(Api(user).post(at(path, foreign), {"name": "Alice"}), 403)["code"] == "forbidden"


@pytest.mark.parametrize("path", ["events/", "photos/", "faces/", "people/", "sightings/"])
def test_lists_hold_nothing_foreign(path: str, mine: Side, foreign: Side) -> None:
    text = Api(local_user(mine.event, "viewer")).get(path).content.decode()
    assert "Foreign" not in text
    assert str(foreign.open.face_id) not in text
    assert foreign.photo.name not in text


def test_a_session_reads_without_more(mine: Side, manager: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    assert client.get("/api/v1/events/").status_code == 200


def test_a_session_does_not_write_without_its_csrf_token(mine: Side, manager: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    answer = client.post("/api/v1/events/", {"name": "Forged"}, content_type="application/json")
    assert problem_of(answer, 403)["code"] == "csrf_failed"
    assert not Event.objects.filter(name="Forged").exists()


def test_a_session_writes_with_its_csrf_token(manager: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(manager)
    client.get("/events/")
    token = client.cookies["csrftoken"].value
    answer = client.post(
        "/api/v1/events/", {"name": "Ours"}, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 201


def test_a_token_never_opens_the_page_of_tokens(manager: User) -> None:
    api = Api(manager)
    answer = api.client.post("/tokens/", {"name": "more", "scopes": ["admin"], "days": "30"})
    assert answer.status_code in {302, 403}
    assert ApiToken.objects.count() == 1


def test_no_address_of_the_api_is_about_tokens() -> None:
    from api.reference import read_schema

    assert not [path for path in read_schema()["paths"] if "token" in path]


def test_me_says_who_asks_and_with_what(labeler: User) -> None:
    facts = Api(labeler, "read", "label").get("me/").json()
    assert (facts["username"], facts["roles"], facts["administrator"]) == ("lena", ["labeler"], False)
    assert facts["token"]["scopes"] == ["read", "label"]
    assert "digest" not in facts["token"]
