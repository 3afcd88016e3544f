"""What really comes back is what the schema says: no field more, none less, null only where it may be."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from jsonschema import Draft202012Validator

from api.reference import read_schema
from recognition.models import Person, Photo
from tests.api.conftest import Api, Side, problem_of
from tests.api.test_photos import upload
from tests.factories import activate_embedder
from tests.fakes import draw_photo

LISTS = ["events/", "photos/", "faces/", "people/", "sightings/", "decisions/", "exports/", "search/"]


@pytest.mark.parametrize("path", LISTS)
def test_a_list(path: str, mine: Side, foreign: Side, manager: User) -> None:
    api = decided(mine, manager)
    assert check(api.get(path), "GET", path)["count"]


@pytest.mark.parametrize("path", ["events/", "photos/", "faces/"])
def test_a_page_between_two_others(path: str, mine: Side, foreign: Side, manager: User) -> None:
    upload(Api(manager), mine.event.pk, ("a.png", draw_photo("red")))
    Api(manager).post("events/", {"name": "Third"})
    page = check(Api(manager).get(path, page=2, page_size=1), "GET", path)
    assert page["next"]
    assert page["previous"]


@pytest.mark.parametrize("who", ["manager", "uploader", "administrator"])
def test_one_of_everything(who: str, mine: Side, manager: User, uploader: User) -> None:
    activate_embedder()
    account = {"manager": manager, "uploader": uploader}.get(who) or User.objects.create_superuser("ada")
    Photo.objects.filter(pk=mine.photo.pk).update(uploaded_by=account)
    paths = [
        "me/",
        "stats/",
        f"events/{mine.event.pk}/",
        f"photos/{mine.photo.pk}/",
        f"faces/{mine.named.face_id}/",
        f"faces/{mine.open.face_id}/",
    ]
    if who != "uploader":
        paths += [f"people/{mine.person.pk}/", "queue/", "queue/next/"]
    for path in paths:
        check(Api(account).get(path), "GET", path)


def test_what_became_of_files(mine: Side, manager: User) -> None:
    files = [("a.png", draw_photo("red")), ("b.png", draw_photo("red")), ("c.txt", b"no photo")]
    answer = upload(Api(manager), mine.event.pk, *files)
    results = check(answer, "POST", f"events/{mine.event.pk}/photos/")["results"]
    assert [result["outcome"] for result in results] == ["added", "duplicate", "refused"]


def test_a_decision_and_its_undo(mine: Side, manager: User) -> None:
    api = Api(manager)
    label = f"faces/{mine.open.face_id}/label/"
    made = check(api.post(label, {"name": "New", "new": True}), "POST", label)
    undo = f"decisions/{made['decision']['key']}/undo/"
    undone = check(api.post(undo), "POST", undo)
    assert (undone["decision"]["person"]["name"], undone["taken_back"]) == ("New", 0)
    assert not Person.objects.current().filter(name="New").exists()
    redo = f"decisions/{made['decision']['key']}/redo/"
    assert check(api.post(redo), "POST", redo)["face"]["state"] == "verified"
    one = f"decisions/{made['decision']['key']}/"
    assert check(api.get(one), "GET", one)["faces"] == [str(mine.open.face_id)]


def test_a_decision_about_many_faces(mine: Side, foreign: Side, manager: User) -> None:
    body = {"faces": [str(mine.open.face_id), str(foreign.open.face_id)], "verdict": "stranger"}
    made = check(Api(manager).post("decisions/", body), "POST", "decisions/")
    assert (made["decision"]["face_count"], made["left_open"]) == (2, [])


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "events/", {"name": ""}, 422),
        ("POST", "events/", {"name": "Mine"}, 409),
        ("POST", "faces/{0.open.face_id}/label/", {"name": "Nobody"}, 422),
        ("POST", "faces/{0.open.face_id}/stranger/", {"version": 99}, 409),
        ("GET", "people/999/", None, 404),
        ("DELETE", "me/", None, 405),
    ],
)
def test_a_problem(method: str, path: str, body: Any, status: int, mine: Side, manager: User) -> None:
    address = path.format(mine)
    answer = Api(manager)._send(method.lower(), address, body, "", {})
    assert not faults({"$ref": "#/components/schemas/Problem"}, problem_of(answer, status))


def decided(side: Side, manager: User) -> Api:
    """So that no list is empty: a decision, an export and a search of the manager's."""
    api = Api(manager)
    assert api.post(f"faces/{side.open.face_id}/skip/").status_code == 200
    assert api.post("exports/", {"event": side.event.pk}).status_code == 202
    picture = SimpleUploadedFile("a.png", draw_photo("blue"))
    assert api.client.post("/api/v1/search/", {"picture": picture}).status_code == 202
    return api


def check(answer: Any, method: str, path: str) -> Any:
    """The answer's body, once it is what the schema says of the address and the status."""
    assert answer.status_code < 400, answer.content
    described = _operation(method, path)["responses"][str(answer.status_code)]
    found = faults(described["content"]["application/json"]["schema"], answer.json())
    assert not found, found
    return answer.json()


def faults(schema: dict[str, Any], body: Any) -> list[str]:
    closed = _closed({**schema, "components": read_schema()["components"]})
    # A problem may say more about its code.
    del closed["components"]["schemas"]["Problem"]["additionalProperties"]
    checker = Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{list(fault.absolute_path)}: {fault.message}" for fault in checker.iter_errors(body)]


def _operation(method: str, path: str) -> Any:
    for address, methods in read_schema()["paths"].items():
        if re.fullmatch(re.sub(r"{\w+}", "[^/]+", address), f"/api/v1/{path}"):
            return methods[method.lower()]
    raise AssertionError(f"{path} is not described")


def _closed(schema: Any) -> Any:
    """A copy that allows no field that it does not name: OpenAPI's shapes would."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: _closed(inner) for name, inner in schema.items()}
    if copy.get("type") == "object" and "properties" in copy:
        copy.setdefault("additionalProperties", False)
    return copy
