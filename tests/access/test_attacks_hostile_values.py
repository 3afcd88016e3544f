"""What no form sends: numbers that no database takes, lists for texts, code for names. Refused, never an error of ours."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from access.scopes import SCOPES
from access.tokens import create_token
from tests.access.addresses import ALL
from tests.access.attacking import read_body, rolled_back
from tests.access.desk_forms import BODIES as DESK_BODIES
from tests.access.desk_forms import FORMS, fill_desk, filled, filled_body, people_list
from tests.access.table import TABLE
from tests.access.world import Side, make_side
from tests.factories import activate_embedder

pytestmark = pytest.mark.django_db
VALUES = [
    "0",
    "-1",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(2**64),
    "1" + "0" * 30,
    "9" * 5000,
    "1.5",
    "1e3",
    "NaN",
    "٣",
    "²",
    " 1 ",
    "",
    "\0",
    "a\0b",
    "' OR 1=1 --",
    "%",
    "{{7*7}}",
    "../../etc/passwd",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\u202egpj.exe",
    "x" * 100_000,
]
# One of each kind, for the many forms of the desk.
FEW = ["-1", str(2**63), "9" * 5000, "²", "a\0b", "1,,2:x", "x" * 100_000]
JSON_VALUES: list[Any] = [*VALUES, None, True, 1.5, -1, 2**63, 10**30, [], [1], {}, {"id": 1}, 1e308]
GETS = {
    "/events/": ["q", "archived", "page"],
    "/events/{m.event.pk}/": ["person", "show", "by", "page"],
    "/events/{m.event.pk}/progress/": ["seen"],
    "/photos/{m.photo.pk}/": ["person", "show"],
    "/people/": ["q", "sort", "faces", "page"],
    "/people/new/": ["name"],
    "/people/{m.person.pk}/": ["show", "page"],
    "/people/{m.person.pk}/export/": ["event"],
    "/people/{m.person.pk}/export/list.csv": ["event", "faces", "names"],
    "/events/{m.event.pk}/export/": ["person"],
    "/events/{m.event.pk}/roster/": ["show", "page"],
    "/events/{m.event.pk}/export/list.csv": ["person", "faces", "names"],
    "/faces/{m.named.face_id}/caused/": ["person"],
    "/quality/": ["line"],
    "/label/disputed/": ["page"],
    "/label/": ["event", "skipped", "after", "queue"],
    "/label/group/{m.cluster.pk}/": ["event", "queue", "view", "page"],
    "/label/person/{m.person.pk}/": ["event", "queue"],
    "/label/second/": ["event"],
    "/label/differing/": ["event", "page"],
    "/label/verdicts/": ["verdict", "event", "page"],
    "/people/{m.person.pk}/merge/": ["with", "q"],
    "/people/twice/": ["page"],
    "/people/may-be-one/": ["page"],
    "/decisions/{m.decision.key}/": ["page"],
    "/label/people/": ["name"],
    "/decisions/": ["who", "page", "event", "name", "person", "kind", "state"],
    "/failed/": ["event", "code", "page"],
    "/login/": ["next"],
    "/search/look/{m.look_probe.probe_id}/": ["look", "pose", "event", "since", "until", "shown"],
    "/photos/{m.photo.pk}/looks-like/": ["look", "pose", "event", "since", "until", "shown"],
    "/faces/{m.opened.face_id}/looks-like/": ["look", "pose", "event", "shown"],
    "/events/{m.event.pk}/names/": ["show", "page"],
    "/events/{m.event.pk}/videos/{m.video_id}/": ["page"],
    "/people/export/people.csv": ["event", "portraits", "kind"],
    "/people/export/people.zip": ["event", "portraits"],
    "/api/v1/events/": ["q", "archived", "page", "page_size"],
    "/api/v1/events/{m.event.pk}/photos/": ["state", "person", "unnamed", "page"],
    "/api/v1/events/{m.event.pk}/roster/": ["page", "page_size"],
    "/api/v1/photos/": ["event", "person", "state", "unnamed"],
    "/api/v1/faces/": ["event", "photo", "person", "state"],
    "/api/v1/faces/{m.opened.face_id}/suggestions/": ["k"],
    "/api/v1/faces/{m.named.face_id}/caused/": ["person"],
    "/api/v1/people/": ["q", "external_id", "event", "order"],
    "/api/v1/sightings/": ["event", "photo", "person", "decided_by", "seen_from", "seen_to"],
    "/api/v1/queue/": ["event"],
    "/api/v1/queue/next/": ["event", "skipped"],
    "/api/v1/decisions/": ["mine", "page", "event", "person", "actor", "kind", "undone"],
    "/api/v1/events/{m.event.pk}/list.csv": ["person", "faces"],
    "/api/v1/people/{m.person.pk}/list.csv": ["event", "faces"],
    "/api/v1/look-searches/{m.look_probe.probe_id}/": ["k", "look", "pose", "event", "since", "until"],
    "/api/v1/photos/{m.photo.pk}/looks-like/": ["k", "pose", "event", "since", "until"],
    "/api/v1/people/export.csv": ["event"],
    "/api/v1/people/export.zip": ["event", "portraits"],
}
# The other fields as a page would send them.
POSTS: dict[str, dict[str, str]] = {
    "/label/{m.opened.face_id}/decide/": {
        "version": "0",
        "key": "00000000-0000-4000-8000-000000000001",
        "verdict": "",
        "person": "",
        "twice": "",
        "reject": "",
        "name": "Somebody",
        "new": "1",
        "event": "",
        "skipped": "",
    },
    "/people/{m.person.pk}/faces/": {
        "action": "unreference",
        "key": "00000000-0000-4000-8000-000000000002",
        "face": "{m.named.face_id}:0",
        "show": "",
        "page": "1",
    },
    "/decisions/{m.decision.key}/undo/": {"back": "", "event": "", "skipped": ""},
    "/failed/retry/": {"event": "", "code": "", "photo": ""},
    "/photos/{m.photo.pk}/move/": {"event": "{f.event.pk}"},
    "/events/": {"name": "New", "held_on": "2026-01-01", "place": "Hall"},
    "/events/{m.event.pk}/edit/": {"name": "New", "held_on": "", "place": ""},
    "/quality/embedder/change/": {"action": "start", "to": "another"},
    "/events/{m.event.pk}/archive/": {"archived": "1"},
    "/events/{m.event.pk}/delete/": {"typed": "x"},
    "/events/{m.event.pk}/access/": {"user": "ada", "role": "viewer"},
    "/events/{m.event.pk}/export/": {"faces": "all", "names": "on", "kind": "zip"},
    "/people/export/": {"event": "{f.event.pk}", "portraits": "1", "kind": "zip"},
    "/people/new/": {"name": "New", "external_id": "", "aliases": "", "shared": ""},
    "/people/{m.person.pk}/edit/": {"name": "New", "external_id": "7", "aliases": "A", "shared": ""},
    "/tokens/": {"name": "x", "scopes": "read", "days": "30"},
}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("POST", "events/"): {"name": "New", "held_on": None, "place": ""},
    ("PATCH", "events/{m.event.pk}/"): {"name": "New", "held_on": None, "place": "", "archived": True},
    ("PUT", "events/{m.event.pk}/roster/"): {"external_ids": ["4711"]},
    ("PATCH", "photos/{m.photo.pk}/"): {"event": 1},
    ("PATCH", "people/{m.person.pk}/"): {"name": "New", "aliases": [], "external_id": None, "shared": False},
    ("POST", "faces/{m.opened.face_id}/label/"): {
        "person": None,
        "name": "Somebody",
        "new": True,
        "another": False,
        "twice": False,
        "version": 0,
    },
    ("POST", "faces/{m.opened.face_id}/reject/"): {"person": 1, "name": "", "version": 0},
    ("POST", "faces/{m.opened.face_id}/skip/"): {"version": 0},
    ("POST", "exports/"): {"event": None, "person": 1, "faces": "all", "names": True},
}


@pytest.fixture
def world(db: None) -> tuple[User, Side, Side]:
    """An administrator, who gets through to the code behind every check."""
    ada = User.objects.create_superuser("ada", password="correct horse battery")
    activate_embedder()
    return ada, make_side("Mine", owner=ada, uploader=ada), make_side("Other", owner=ada, uploader=ada)


def broken(answers: list[tuple[str, int, str]]) -> list[str]:
    return [f"{what}: {status}" for what, status, text in answers if status >= 500 or "Traceback" in text]


@pytest.mark.parametrize("path", GETS)
def test_no_parameter_of_an_address_breaks_a_page(path: str, world: tuple[User, Side, Side]) -> None:
    ada, mine, other = world
    client = Client(raise_request_exception=False)
    if not path.startswith("/login"):
        client.force_login(ada)
    answers = []
    for name in GETS[path]:
        for value in VALUES:
            query = urlencode({name: value}, errors="surrogatepass")
            with rolled_back():
                answer = client.get(f"{path.format(m=mine, f=other)}?{query}")
                body = read_body(answer).decode("utf-8", "replace")
            answers.append((f"{name}={value[:40]!r}", answer.status_code, body))
    assert not broken(answers)


@pytest.mark.parametrize("number", [0, 2**31, 2**63 - 1, 2**63, 10**30, int("9" * 4000)])
def test_no_number_in_an_address_breaks_a_page(number: int, world: tuple[User, Side, Side]) -> None:
    ada, mine, _ = world
    soon = timezone.now() + timedelta(days=1)
    secret = create_token(user=ada, name="attack", scopes=list(SCOPES), expires_at=soon).secret
    page, script = Client(raise_request_exception=False), Client(raise_request_exception=False)
    page.force_login(ada)
    answers = []
    for address in ALL:
        for parameter in address.parameters:
            if not parameter.endswith(("_pk", "number")):
                continue
            path = address.path(_Instead(mine, parameter, number))
            for method in ("GET", "POST", "PATCH", "DELETE"):
                if TABLE[address.name].of(method) is None:
                    continue
                client = script if TABLE[address.name].api else page
                headers = {"Authorization": f"Bearer {secret}"} if client is script else {}
                with rolled_back():
                    answer = client.generic(
                        method, path, "{}", content_type="application/json", headers=headers
                    )
                    body = read_body(answer).decode("utf-8", "replace")
                answers.append((f"{method} {address.name} {parameter}", answer.status_code, body))
    assert len(answers) > 40
    assert not broken(answers)
    assert not [what for what, status, _ in answers if status < 400]


class _Instead:
    """The side's values, but for one parameter."""

    def __init__(self, side: Side, parameter: str, value: int) -> None:
        self._side, self._parameter, self._value = side, parameter, value

    def fill(self, parameter: str) -> Any:
        return self._value if parameter == self._parameter else self._side.fill(parameter)


@pytest.mark.parametrize("path", POSTS)
def test_no_field_of_a_form_breaks_a_page(path: str, world: tuple[User, Side, Side]) -> None:
    ada, mine, other = world
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    usual = {name: value.format(m=mine, f=other) for name, value in POSTS[path].items()}
    answers = []
    for name in usual:
        for value in [*VALUES, None]:
            data = (
                {**usual, name: value} if value is not None else {k: v for k, v in usual.items() if k != name}
            )
            with rolled_back():
                answer = client.post(path.format(m=mine, f=other), data)
                body = read_body(answer).decode("utf-8", "replace")
            answers.append((f"{name}={str(value)[:40]!r}", answer.status_code, body))
    assert not broken(answers)


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_no_field_of_a_body_breaks_the_api(method: str, path: str, world: tuple[User, Side, Side]) -> None:
    ada, mine, other = world
    soon = timezone.now() + timedelta(days=1)
    secret = create_token(user=ada, name="attack", scopes=list(SCOPES), expires_at=soon).secret
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})
    usual = BODIES[method, path]
    bodies: list[Any] = [{**usual, name: value} for name in usual for value in JSON_VALUES]
    bodies += [None, [], [usual], "text", 7, {**usual, "unknown": 1}]
    raw = [json.dumps(body) for body in bodies]
    raw += [
        "",
        "{",
        "[" * 100_000,
        '{"a":' * 5_000,
        "\0",
        '{"name": "\\ud800"}',
        "{'name': 1}",
        "NaN",
        '{"person": 1e400}',
    ]
    answers = []
    for text in raw:
        with rolled_back():
            url = "/api/v1/" + path.format(m=mine, f=other)
            answer = client.generic(method, url, text, content_type="application/json")
            answers.append((text[:80], answer.status_code, read_body(answer).decode("utf-8", "replace")))
    assert not broken(answers)


@pytest.fixture
def desk_world(world: tuple[User, Side, Side]) -> tuple[Client, Side, Any]:
    ada, mine, _ = world
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    return client, mine, fill_desk(mine, user=ada, colleague=User.objects.create_user("colleague"))


@pytest.mark.parametrize("form", FORMS)
def test_no_field_of_a_form_of_the_desk_breaks_it(form: str, desk_world: tuple[Client, Side, Any]) -> None:
    client, mine, desk = desk_world
    address, fields = FORMS[form]
    path, usual, answers = filled(address, mine, desk), filled(fields, mine, desk), []
    with rolled_back():
        assert client.post(path, usual).status_code in {200, 204, 302}
    for name, right in usual.items():
        # A list where one value is meant, and one value too many.
        for value in [*FEW, [], [right, right], [f"{right}:1", f"{right},{right}"]]:
            with rolled_back():
                answer = client.post(path, {**usual, name: value})
                body = read_body(answer).decode("utf-8", "replace")
            answers.append((f"{name}={str(value)[:40]!r}", answer.status_code, body))
    assert not broken(answers)


def test_no_cell_of_a_list_of_people_breaks_the_import(world: tuple[User, Side, Side]) -> None:
    client = Client(raise_request_exception=False)
    client.force_login(world[0])
    answers = []
    for value in VALUES:
        cell = '"' + value.replace('"', '""') + '"'
        rows = [f"{cell},,,,", f"Ada,{cell},S-1,,", f"Ada,,{cell},,", f"Ada,,S-1,{cell},", ",,,,", cell]
        with rolled_back():
            answer = client.post("/people/import/", people_list(*rows), follow=True)
            answers.append((value[:40], answer.status_code, answer.text))
            for name in ("event", "portraits", "people"):
                answer = client.post("/people/import/", {**people_list("Ada,,,,"), name: value})
                answers.append((f"{name} {value[:40]}", answer.status_code, answer.text))
    assert not broken(answers)


ROSTERS = {
    "empty": b"",
    "blank lines": b"\r\n" * 50_000,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 400,
    "a workbook": b"PK\x03\x04" + b"\0" * 1000,
    "NUL": b"4711\n\0\n",
    "NUL in UTF-16": "4711\0\n47\012".encode("utf-16"),
    "half of UTF-16": b"\xff\xfe4",
    "lone surrogate": b"\xff\xfe" + "\ud800\n".encode("utf-16-le", "surrogatepass"),
    "two encodings": "Zo\u00eb\n".encode() + b"Zo\xeb\n",
    "formulas": b'=1+1\n@SUM(A1)\n+3\n-4\n"=""007"""\n\'=HYPERLINK(1)\n\t=2\n',
    "separators": b'sep="\n1"2\n',
    "one cell": b"x" * 100_000,
    "a cell without end": b'"' + b"x" * 200_000,
    "many rows": b"".join(b"%d\n" % number for number in range(30_000)),
    "many cells": b"external_id" + b"," * 200_000,
    "two headers": b"external_id,external_id\n1,2\n",
    "code": b"<script>attack()</script>\n{{ 7|add:7 }}\n",
    **{f"value {place}": value.encode("utf-8", "replace") for place, value in enumerate(VALUES)},
}


@pytest.mark.parametrize("name", ROSTERS)
def test_no_file_breaks_the_upload_of_a_roster(name: str, world: tuple[User, Side, Side]) -> None:
    """Taken as a whole or refused as a whole, and what is stored is text that one can read and compare."""
    ada, mine, _ = world
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    before = list(mine.event.roster.values_list("external_id", flat=True))
    file = SimpleUploadedFile("roster.csv", ROSTERS[name])
    answer = client.post(f"/events/{mine.event.pk}/roster/", {"roster": file})
    after = list(mine.event.roster.values_list("external_id", flat=True))
    assert answer.status_code in {302, 422}
    assert "<script>attack" not in answer.text
    assert len(answer.content) < 100_000
    if answer.status_code == 422:
        assert after == before
    for external_id in after:
        assert 0 < len(external_id) <= 60
        assert external_id.isprintable()
        assert not external_id.startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("action", DESK_BODIES)
def test_no_field_of_a_body_of_the_desk_breaks_the_api(
    action: str, world: tuple[User, Side, Side], desk_world: tuple[Client, Side, Any]
) -> None:
    ada, mine, _ = world
    desk = desk_world[2]
    soon = timezone.now() + timedelta(days=1)
    secret = create_token(user=ada, name="attack", scopes=list(SCOPES), expires_at=soon).secret
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})
    method, path, body = DESK_BODIES[action]
    url, usual = "/api/v1/" + filled(path, mine, desk), filled_body(body, mine, desk)
    with rolled_back():
        assert (
            client.generic(method, url, json.dumps(usual), content_type="application/json").status_code < 300
        )
    few: list[Any] = [*FEW, None, True, 1.5, 2**63, 10**30, [], [1], [[]], [None], {}, {"id": 1}, 1e308]
    bodies: list[Any] = [{**usual, name: value} for name in usual for value in few]
    answers = []
    for text in [*map(json.dumps, [*bodies, None, [], [usual], 7]), "{", "[" * 100_000, '{"left": 1e400}']:
        with rolled_back():
            answer = client.generic(method, url, text, content_type="application/json")
            answers.append((text[:80], answer.status_code, read_body(answer).decode("utf-8", "replace")))
    assert not broken(answers)
