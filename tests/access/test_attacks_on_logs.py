"""Every address once, right and wrong, with everything logged that our code and Django log: no line holds a name."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from access.scopes import SCOPES
from access.tokens import create_token
from facevault_site.logs import JsonFormatter, PlainFormatter
from tests.access.addresses import ALL
from tests.access.attacking import read_body, rolled_back
from tests.access.desk_forms import BODIES, FORMS, PAGES, fill_desk, filled, filled_body, people_list
from tests.access.table import TABLE
from tests.access.world import make_side
from tests.factories import activate_embedder
from tests.log_lines import capture_log

pytestmark = pytest.mark.django_db
SECRET = "Wilhelmina"
# Libraries are kept at INFO by the settings, whatever the level: SQL has values in it.
_LOUD = [
    "",
    "access",
    "api",
    "labeling",
    "recognition",
    "facevault_site",
    "facevault.request",
    "django.request",
]


@pytest.mark.parametrize("formatter", [JsonFormatter, PlainFormatter])
def test_no_line_of_any_request_holds_a_name_or_a_token(
    formatter: type[logging.Formatter],
) -> None:
    ada = User.objects.create_superuser("ada", password="correct horse battery", first_name=SECRET)
    activate_embedder()
    side = make_side(SECRET, owner=ada, uploader=ada)
    desk = fill_desk(side, user=ada, colleague=User.objects.create_user("colleague", first_name=SECRET))
    soon = timezone.now() + timedelta(days=1)
    made = create_token(user=ada, name=SECRET, scopes=list(SCOPES), expires_at=soon)
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    script = Client(headers={"Authorization": f"Bearer {made.secret}"}, raise_request_exception=False)
    levels = {name: logging.getLogger(name).level for name in _LOUD}
    try:
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.DEBUG)
        with capture_log(formatter()) as log:
            for address in ALL:
                asking = script if TABLE[address.name].api else client
                path = address.path(side)
                for query in ("", f"?q={SECRET}&name={SECRET}&event={SECRET}&person={SECRET}&page={SECRET}"):
                    with rolled_back():
                        read_body(asking.get(path + query))
                for method in ("POST", "PUT", "PATCH", "DELETE"):
                    if TABLE[address.name].of(method) is None or address.name == "logout":
                        continue
                    fields = (
                        "name",
                        "place",
                        "external_id",
                        "aliases",
                        "typed",
                        "user",
                        "username",
                        "picture",
                    )
                    form = dict.fromkeys(fields, SECRET)
                    with rolled_back():
                        if TABLE[address.name].api:
                            body = json.dumps({"name": SECRET, "place": SECRET, "new": True})
                            read_body(asking.generic(method, path, body, content_type="application/json"))
                        else:
                            read_body(asking.post(path, form))
                    with rolled_back():
                        file = SimpleUploadedFile(f"{SECRET}.jpg", b"no picture")
                        field = "picture" if "search" in address.route else "files"
                        read_body(asking.post(path, {field: file}))
            for page in PAGES.values():
                read_body(client.get(filled(page, side, desk)))
            for route, known in FORMS.values():
                usual = filled(known, side, desk)
                for sent in (usual, {**usual, "name": SECRET}, {**usual, "first": SECRET, "card": SECRET}):
                    with rolled_back():
                        read_body(client.post(filled(route, side, desk), sent))
            for method, route, about in BODIES.values():
                for asked in (about, {**about, "name": SECRET, "verdict": SECRET}):
                    with rolled_back():
                        said = json.dumps(filled_body(asked, side, desk))
                        url = "/api/v1/" + filled(route, side, desk)
                        read_body(script.generic(method, url, said, content_type="application/json"))
            rows = (f"{SECRET},{SECRET},{SECRET},{SECRET}.jpg,{SECRET}", f",{SECRET},{SECRET},,")
            with rolled_back():
                listed: dict[str, Any] = {**people_list(*rows), "event": SECRET}
                listed["portraits"] = SimpleUploadedFile(f"{SECRET}.zip", b"PK no archive")
                read_body(client.post("/people/import/", listed))
            for bad in (f"/people/{SECRET}/", f"/static/{SECRET}.css", f"/{SECRET}", f"/media/../{SECRET}"):
                client.get(bad, headers={"Referer": f"http://testserver/?q={SECRET}", "User-Agent": SECRET})
            Client().post("/login/", {"username": SECRET, "password": SECRET})
            strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
            strict.post("/login/", {"username": SECRET}, headers={"Referer": f"http://x/?q={SECRET}"})
            Client().get(
                "/api/v1/me/", headers={"Authorization": f"Bearer {made.secret}x", "Host": "testserver"}
            )
        text = log.text
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    assert text.count("\n") > len(ALL)
    lines = [
        line for line in text.splitlines() if SECRET in line or made.secret in line or SECRET.lower() in line
    ]
    assert not lines, lines[:5]
