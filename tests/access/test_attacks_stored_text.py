"""Names that are code: HTML, attributes, template syntax, formulas, direction marks, line breaks. Shown as text, everywhere."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import ApiToken
from access.tokens import create_token
from labeling.models import Enrolment, PeopleImport, Preferences
from labeling.team.keys import KEYS
from recognition.models import (
    Event,
    Face,
    ManualBox,
    NamedRegion,
    Person,
    Photo,
    RegionReading,
    RosterEntry,
    Sighting,
    Video,
)
from tests.access.addresses import ALL, Address
from tests.access.attacking import read_body, rolled_back
from tests.access.desk_forms import FORMS, PAGES, Desk, fill_desk, filled, people_list
from tests.access.table import TABLE
from tests.access.world import Side, make_side
from tests.factories import activate_embedder

pytestmark = pytest.mark.django_db
TEXTS = [
    "<attack-tag src=x>",
    '"><attack-tag>',
    "' attack-attribute='1",
    '" attack-attribute="1',
    "x attack-attribute=1 ",
    "</title></textarea></script><attack-tag>",
    "</svg><attack-tag>",
    "--><attack-tag>",
    "{{ 7|add:'7000000' }}{% now 'Y' %}",
    "&lt;attack-tag&gt;&#60;attack-tag&#62;",
    "javascript:attack()",
    "=HYPERLINK(attack)",
    "\u202eattack",
    "a\r\nSet-Cookie: attack=1\r\n\r\n<attack-tag>",
]


class _Tags(HTMLParser):
    """What a browser would make of a page: its tags and attributes, and the addresses in them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "attack-tag":
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith(("attack", "on", "hx-on", "style")):
                self.faults.append(f"<{tag} {name}>")
            if name in {"href", "src", "action", "hx-get", "hx-post"} and not re.match(
                r"/(?!/)|#|\?|$", value or ""
            ):
                self.faults.append(f"<{tag} {name}={value}>")

    handle_startendtag = handle_starttag


def faults_of(page: str) -> list[str]:
    parser = _Tags()
    parser.feed(page)
    parser.close()
    found = parser.faults
    if "7000007" in page:
        found.append("a template was run")
    return found


def poison(side: Side, text: str) -> None:
    """Into every text that somebody can type, upload or be called, past the forms that would clean some of it."""
    Event.objects.filter(pk=side.event.pk).update(name=f"{text} event", place=text)
    Person.objects.filter(pk=side.person.pk).update(
        name=f"{text} person", aliases=[text], external_id=text[:60]
    )
    Photo.objects.filter(pk__in=[side.photo.pk, side.failed.pk]).update(
        name=f"{text}.jpg", failure_reason=text
    )
    NamedRegion.objects.filter(face=side.opened).update(name=text[:120])
    RegionReading.objects.filter(event=side.event).update(
        state="failed", failure_code="broken", failure_reason=text
    )
    Video.objects.filter(event=side.event).update(
        name=f"{text}.mp4"[-255:], failure_reason=text, source=f"/{text}"
    )
    RosterEntry.objects.filter(event=side.event, external_id__endswith="4712").update(external_id=text[:60])
    ApiToken.objects.filter(pk=side.token.pk).update(name=text)
    User.objects.filter(username="ada").update(first_name=text, last_name=text)
    User.objects.filter(username__endswith="-colleague").update(username=f"{text} colleague")


@pytest.fixture
def ada(db: None) -> User:
    activate_embedder()
    return User.objects.create_superuser("ada", password="correct horse battery")


def ask_everything(client: Client, side: Side, **headers: str) -> list[tuple[Address, Any, bytes]]:
    answers = []
    side.write_files()
    for address in ALL:
        for method in ("GET", "POST"):
            ends = method == "POST" and address.name.startswith(("delete-", "logout"))
            if TABLE[address.name].of(method) is None or ends:
                continue
            with rolled_back():
                answer = client.generic(
                    method,
                    address.path(side),
                    content_type="application/x-www-form-urlencoded",
                    headers=headers,
                )
                answers.append((address, answer, read_body(answer)))
    return answers


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
@pytest.mark.parametrize("text", TEXTS)
def test_no_page_takes_a_name_for_code(text: str, headers: dict[str, str], ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    poison(side, text)
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    faults = []
    for address, answer, body in ask_everything(client, side, **headers):
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code >= 500:
            faults.append(f"{address.name}: {answer.status_code}")
        if kind.startswith("text/html"):
            faults += [f"{address.name}: {fault}" for fault in faults_of(body.decode())]
        for name, value in answer.headers.items():
            if "\n" in value or "\r" in value or "\u202e" in value or name.startswith("attack"):
                faults.append(f"{address.name}: header {name}: {value!r}")
        if "attack=1" in answer.cookies.output():
            faults.append(f"{address.name}: a cookie was set")
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("text", TEXTS)
def test_the_admin_takes_no_name_for_code(text: str, ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    poison(side, text)
    client = Client()
    client.force_login(ada)
    faults = []
    for path in (
        "recognition/event/",
        f"recognition/event/{side.event.pk}/change/",
        f"recognition/event/{side.event.pk}/delete/",
        "recognition/person/",
        f"recognition/person/{side.person.pk}/change/",
        "recognition/photo/",
        f"recognition/photo/{side.photo.pk}/change/",
        "recognition/sighting/",
        "labeling/decision/",
        "auth/user/",
    ):
        answer = client.get(f"/admin/{path}")
        assert answer.status_code == 200, path
        faults += [f"{path}: {fault}" for fault in faults_of(answer.text)]
    assert not faults


@pytest.mark.parametrize("text", TEXTS)
def test_no_download_takes_a_name_for_code(text: str, ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    side.write_files()
    poison(side, text)
    client = Client()
    client.force_login(ada)
    answers = {}
    for path in ("photos.zip?names=1&faces=all", "list.csv?faces=all"):
        answer = client.get(f"/events/{side.event.pk}/export/{path}")
        answers[path[:3]] = read_body(answer)
        said = answer.headers["Content-Disposition"]
        assert said.startswith("attachment; filename=")
        assert not re.search(
            r"[\r\n\x00-\x1f<>]|/|\\", said.split("filename*")[0].removeprefix("attachment; ")
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(io.BytesIO(answers["pho"])) as archive:
        names = archive.namelist()
        assert len(names) > 1
        for name in names:
            assert not re.search(r'[\x00-\x1f\u202a-\u202e\u2066-\u2069<>:"|?*\\]|\.\.|^/', name), name
        packets = [archive.read(name) for name in names if name.endswith(".jpg")]
    # As XML a name is text too.
    assert not [packet for packet in packets if b"<attack-tag" in packet]
    people = read_body(client.get("/people/export/people.zip?portraits=2"))
    with zipfile.ZipFile(io.BytesIO(people)) as archive:
        for name in archive.namelist():
            assert not re.search(r'[\x00-\x1f\u202a-\u202e\u2066-\u2069<>:"|?*\\]|\.\.|^/', name), name
        listed = archive.read("people.csv")
    for table in (answers["lis"], read_body(client.get("/people/export/people.csv")), listed):
        rows = list(csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")))
        assert len(rows) > 1
        for row in rows:
            assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


@pytest.mark.parametrize("text", [text for text in TEXTS if "\n" not in text])
def test_an_original_goes_out_under_its_name_and_nothing_else(text: str, ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    side.write_files()
    poison(side, text)
    soon = timezone.now() + timedelta(hours=1)
    secret = create_token(user=ada, name="s", scopes=["export"], expires_at=soon).secret
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    answer = client.get(f"/api/v1/photos/{side.photo.pk}/original")
    read_body(answer)
    assert answer.headers["Content-Disposition"].startswith("attachment; filename")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_what_is_typed_into_an_address_is_text_as_well(ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    client = Client()
    client.force_login(ada)
    faults = []
    for text in TEXTS:
        for path, name in (
            ("/people/", "q"),
            ("/events/", "q"),
            ("/people/new/", "name"),
            ("/label/people/", "name"),
            ("/failed/", "code"),
            ("/failed/", "event"),
            (f"/people/{side.person.pk}/", "show"),
            (f"/events/{side.event.pk}/", "show"),
            ("/decisions/", "who"),
        ):
            for headers in ({}, {"HX-Request": "true"}):
                page = client.get(path, {name: text}, headers=headers)
                faults += [f"{path}?{name}={text}: {fault}" for fault in faults_of(page.text)]
        for data in ({"name": text}, {"name": text, "person": "x"}, {"name": text, "new": "1"}):
            with rolled_back():
                form = {"version": 0, "key": "00000000-0000-4000-8000-000000000001", **data}
                page = client.post(f"/label/{side.opened.face_id}/decide/", form, follow=True)
                faults += [f"decide {data}: {fault}" for fault in faults_of(page.text)]
    assert Face.objects.count() == 2
    assert Sighting.objects.count() == 1
    assert not faults


def poison_desk(side: Side, desk: Desk, text: str, user: User) -> None:
    """The same into what the desk and the pages around it keep."""
    Person.objects.filter(pk=desk.twin.pk).update(
        name=f"{text} twin", aliases=[text], external_id=f"{text[:57]} 2"
    )
    ManualBox.objects.filter(pk=side.box.pk).update(failure_code=text[:40], failure_reason=text)
    Enrolment.objects.update(reason=text)
    refused = {"row": 3, "outcome": "refused", "person": None, "message": text}
    left_out = {
        "row": 2,
        "outcome": "added",
        "person": side.person.pk,
        "message": "",
        "problems": [{"file": text, "message": text}],
    }
    PeopleImport.objects.filter(pk=side.imported.pk).update(rows=[left_out, refused], unread=[text])
    Preferences.objects.update_or_create(user=user, defaults={"keys": {key.action: text for key in KEYS}})


@pytest.mark.parametrize("text", ["".join(TEXTS), "x attack-attribute=1 "])
def test_no_page_around_the_desk_takes_a_name_for_code(text: str, ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    colleague = User.objects.create_user("somebody", first_name=text)
    desk = fill_desk(side, user=ada, colleague=colleague)
    poison(side, text)
    poison_desk(side, desk, text, ada)
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    imported = f"/people/import/{side.imported.import_id}/"
    pages = [*(filled(path, side, desk) for path in PAGES.values()), imported]
    faults = []
    for headers in ({}, {"HX-Request": "true"}):
        for path in pages:
            page = client.get(path, headers=headers)
            assert page.status_code == 200, path
            faults += [f"{path}: {fault}" for fault in faults_of(page.text)]
        for name, (address, fields) in FORMS.items():
            usual = filled(fields, side, desk)
            # As it is sent, and with the text in every field that takes words.
            for data in (
                usual,
                {**usual, "name": text},
                {**usual, "first": text, "version": "7", "face": text},
            ):
                with rolled_back():
                    page = client.post(filled(address, side, desk), data, headers=headers, follow=True)
                    if page.status_code >= 500:
                        faults.append(f"{name}: {page.status_code}")
                    faults += [f"{name}: {fault}" for fault in faults_of(page.text)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("text", TEXTS)
def test_a_list_of_people_brings_text_in_and_a_report_text_out(text: str, ada: User) -> None:
    side = make_side("Mine", owner=ada, uploader=ada)
    client = Client(raise_request_exception=False)
    client.force_login(ada)
    cell = '"' + text.replace('"', '""') + '"'
    rows = (f"Ada {cell},{cell},S-1,{cell},", f"{cell},,S-2,,", f"Bob,{cell},{cell},,{cell}")
    page = client.post("/people/import/", {**people_list(*rows), "event": f"{text} day"}, follow=True)
    assert page.status_code == 200
    assert not faults_of(page.text)
    assert not faults_of(client.post("/people/import/", {"event": text}).text)
    Person.objects.update(external_id=None)
    poison(side, text)
    poison_desk(side, fill_desk(side, user=ada, colleague=ada), text, ada)
    for done in PeopleImport.objects.filter(user=ada):
        answer = client.get(f"/people/import/{done.import_id}/report.csv")
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="import.csv"')
        table = io.StringIO(read_body(answer).decode("utf-8-sig"), newline="")
        for row in csv.reader(table):
            assert not [one for one in row if one.startswith(("=", "+", "-", "@", "\t", "\r"))]
