from __future__ import annotations

import csv
import io
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recognition.exports import process_next_export
from recognition.models import Export
from recognition.storage import original_path, write_file
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.factories import make_person


@pytest.fixture
def stored(mine: Side, foreign: Side) -> Side:
    for side in (mine, foreign):
        write_file(original_path(side.photo.sha256, "JPEG"), b"the bytes of " + side.event.name.encode())
    return mine


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def test_the_photos_of_a_person_come_as_a_zip(stored: Side, manager: User) -> None:
    data = content(Api(manager, "export").get(f"people/{stored.person.pk}/photos.zip"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read(stored.photo.name) == b"the bytes of Mine"


@pytest.mark.parametrize("path", ["people/{person}/list.csv", "events/{event}/list.csv"])
def test_the_list_of_a_person_and_of_an_event(path: str, stored: Side, manager: User) -> None:
    where = path.format(person=stored.person.pk, event=stored.event.pk)
    rows = list(csv.DictReader(io.StringIO(content(Api(manager, "export").get(where)).decode("utf-8-sig"))))
    assert [(row["photo"], row["face_id"], row["person"]) for row in rows] == [
        (stored.photo.name, str(stored.named.face_id), "Mine person")
    ]


def test_a_local_manager_gets_their_own_event_alone(stored: Side, foreign: Side) -> None:
    api = Api(local_user(stored.event, "manager"))
    names = zipfile.ZipFile(io.BytesIO(content(api.get(f"events/{stored.event.pk}/photos.zip")))).namelist()
    assert stored.photo.name in names
    problem_of(api.get(f"people/{stored.person.pk}/photos.zip", event=foreign.event.pk), 404)
    problem_of(api.post("exports/", {"event": foreign.event.pk}), 404)


def test_a_large_zip_is_an_export(stored: Side, manager: User, settings: object) -> None:
    settings.FACEVAULT_EXPORT_DIRECT = 0  # type: ignore[attr-defined]
    problem = problem_of(Api(manager).get(f"events/{stored.event.pk}/photos.zip"), 409)
    assert problem["code"] == "export_too_large"
    assert "/api/v1/exports/" in problem["detail"]


def test_an_export_is_asked_for_made_and_downloaded(stored: Side, manager: User) -> None:
    api = Api(manager, "export")
    answer = api.post("exports/", {"person": stored.person.pk, "faces": "all"})
    assert answer.status_code == 202
    export = answer.json()
    assert (export["state"], export["faces"], export["photos_total"]) == ("queued", "all", 1)
    problem_of(api.get(f"exports/{export['id']}/file"), 404)
    process_next_export()
    assert api.client.get(answer.headers["Location"]).json()["state"] == "done"
    data = content(api.client.get(export["file"]))
    assert stored.photo.name in zipfile.ZipFile(io.BytesIO(data)).namelist()
    assert [row["id"] for row in api.get("exports/").json()["results"]] == [export["id"]]
    assert api.delete(f"exports/{export['id']}/").status_code == 204
    assert not Export.objects.exists()


def test_somebody_elses_export_is_not_there(stored: Side, manager: User) -> None:
    made = Api(manager).post("exports/", {"event": stored.event.pk}).json()
    other = Api(local_user(stored.event, "manager"))
    problem_of(other.get(f"exports/{made['id']}/"), 404)
    problem_of(other.get(f"exports/{made['id']}/file"), 404)
    problem_of(other.delete(f"exports/{made['id']}/"), 404)
    assert other.get("exports/").json()["count"] == 0
    assert Export.objects.exists()


def test_an_expired_export_is_not_there(stored: Side, manager: User) -> None:
    made = Api(manager).post("exports/", {"event": stored.event.pk}).json()
    Export.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    problem_of(Api(manager).get(f"exports/{made['id']}/"), 404)


def test_too_many_exports_wait(stored: Side, foreign: Side, manager: User) -> None:
    api = Api(manager)
    bodies = [
        {"event": side.event.pk, "faces": faces}
        for side in (stored, foreign)
        for faces in ("verified", "all")
    ]
    bodies += [{"person": stored.person.pk}, {"person": foreign.person.pk}]
    answers = [api.post("exports/", body) for body in bodies]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert problem_of(answers[5], 429)["code"] == "too_many_exports"


@pytest.mark.parametrize("body", [{}, {"event": None}, {"event": "x"}, {"event": 1, "faces": "some"}])
def test_an_export_of_nothing_is_invalid(body: dict[str, object], manager: User) -> None:
    assert problem_of(Api(manager).post("exports/", body), 422)["code"] == "invalid"


def test_only_managers_export(stored: Side, labeler: User) -> None:
    api = Api(labeler)
    assert problem_of(api.post("exports/", {"event": stored.event.pk}), 403)["code"] == "forbidden"
    assert problem_of(api.get("exports/"), 403)["code"] == "forbidden"


def test_an_export_of_no_photos_says_so(stored: Side, manager: User) -> None:
    nobody = make_person("Nobody")
    api = Api(manager)
    assert problem_of(api.get(f"people/{nobody.pk}/photos.zip"), 409)["code"] == "nothing_to_export"
    assert problem_of(api.post("exports/", {"person": nobody.pk}), 409)["code"] == "nothing_to_export"
    assert not Export.objects.exists()
