"""Whatever goes wrong under /api/ is a problem with a stable code."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.models import Event
from tests.api.conftest import Api, Side, problem_of


def test_an_unknown_address_is_a_problem(manager: User) -> None:
    assert problem_of(Api(manager).get("nowhere/"), 404)["code"] == "not_found"


def test_an_unknown_address_outside_is_a_page(client: Client) -> None:
    assert "This page is not here" in client.get("/nowhere/").content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_missing_slash_is_no_redirect_that_loses_the_body(method: str, manager: User) -> None:
    assert problem_of(getattr(Api(manager), method)("events"), 404)["code"] == "not_found"


def test_a_method_that_is_not_there_says_which_are(manager: User) -> None:
    answer = Api(manager).delete("events/")
    assert problem_of(answer, 405)["code"] == "method_not_allowed"
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}
    assert "DELETE" not in answer.headers["Allow"]


def test_another_content_type_is_refused(manager: User) -> None:
    answer = Api(manager).client.post("/api/v1/events/", "name=x", content_type="text/plain")
    problem = problem_of(answer, 415)
    assert problem["code"] == "unsupported_media_type"
    assert "application/json" in problem["detail"]


def test_a_body_that_is_no_json_is_malformed(manager: User) -> None:
    answer = Api(manager).client.post("/api/v1/events/", "{no", content_type="application/json")
    assert problem_of(answer, 400)["code"] == "malformed"


def test_a_body_that_is_no_object_is_invalid(manager: User) -> None:
    assert problem_of(Api(manager).post("events/", ["a", "list"]), 422)["code"] == "invalid"


def test_every_wrong_field_is_named(manager: User) -> None:
    problem = problem_of(Api(manager).post("events/", {"name": "", "held_on": "soon", "plaice": "x"}), 422)
    assert problem["code"] == "invalid"
    assert {(error["field"], error["code"]) for error in problem["errors"]} == {("plaice", "unknown_field")}
    problem = problem_of(Api(manager).post("events/", {"name": "", "held_on": "soon"}), 422)
    assert {error["field"] for error in problem["errors"]} == {"name", "held_on"}


@pytest.mark.parametrize("path", ["events/", "photos/", "faces/", "people/", "sightings/", "queue/next/"])
def test_an_unknown_filter_is_refused_instead_of_ignored(path: str, manager: User) -> None:
    problem = problem_of(Api(manager).get(path, evnet="3"), 422)
    assert problem["errors"][0]["field"] == "evnet"


@pytest.mark.parametrize("path", ["exports/", "search/"])
def test_a_list_without_filters_takes_none(path: str, manager: User) -> None:
    problem = problem_of(Api(manager).get(path, state="done"), 422)
    assert problem["errors"][0]["code"] == "unknown_field"
    assert Api(manager).get(path, page=1, page_size=10).status_code == 200


@pytest.mark.parametrize(
    "path", ["events/999999/", "people/999999/", "queue/?event=999999", "events/999999/photos.zip"]
)
def test_what_is_not_there_is_said_without_the_names_of_our_classes(path: str, manager: User) -> None:
    detail = problem_of(Api(manager).get(path), 404)["detail"]
    assert detail == "There is nothing of this id that your account may see."


def test_a_page_beyond_the_last_says_so(mine: Side, manager: User) -> None:
    assert "next" in problem_of(Api(manager).get("events/", page=7), 404)["detail"]


def test_a_page_has_at_most_200_rows(manager: User) -> None:
    Event.objects.bulk_create(Event(name=f"Event {number}") for number in range(205))
    answer = Api(manager).get("events/", page_size=100_000).json()
    assert (answer["count"], len(answer["results"])) == (205, 200)
    assert len(Api(manager).client.get(answer["next"]).json()["results"]) == 5


def test_a_body_that_is_too_large_is_not_read(manager: User, settings: object) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000  # type: ignore[attr-defined]
    api = Api(manager)
    for key in ("", "a-key"):
        answer = api.post("events/", {"name": "x" * 2000}, key=key)
        assert problem_of(answer, 413)["code"] == "body_too_large"


def test_a_bug_is_a_problem_without_details(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("api.views.stats.count_photos", fail)
    answer = Api(manager).get("stats/")
    problem = problem_of(answer, 500)
    assert problem["code"] == "server_error"
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert "secret" not in answer.content.decode()


def test_an_answer_is_json_whatever_a_client_accepts(mine: Side, manager: User) -> None:
    answer = Api(manager).client.get("/api/v1/events/", headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == "application/json"


def test_a_view_without_a_rule_is_refused_at_import() -> None:
    from rest_framework.request import Request
    from rest_framework.response import Response

    from api.base import ApiView
    from api.routing import route

    class Forgotten(ApiView):
        access = {"GET": ("read", ())}

        def get(self, request: Request) -> Response:
            return Response()

        def delete(self, request: Request) -> Response:
            return Response()

    with pytest.raises(ValueError, match="Forgotten"):
        route("forgotten/", Forgotten, name="forgotten")
