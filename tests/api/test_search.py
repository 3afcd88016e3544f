from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from recognition.models import Probe
from recognition.probes import MAX_LIVE, process_next_probe
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.factories import make_person, make_reference
from tests.fakes import EMBEDDER_ID, draw_photo, vector_of


def search(api: Api, data: bytes, key: str = "") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return api.client.post("/api/v1/search/", {"picture": SimpleUploadedFile("x.png", data)}, headers=headers)


@pytest.fixture
def drawn(active: None, drawn_faces: None) -> None:
    from recognition.models import ActiveEmbedder

    ActiveEmbedder.objects.update(embedder_id=EMBEDDER_ID)


def test_a_picture_finds_its_people(drawn: None, mine: Side, manager: User) -> None:
    alice = make_person("Alice")
    reference = make_reference(alice, vector_of("red"), photo=mine.photo, embedder_id=EMBEDDER_ID)
    api = Api(manager, "read")
    answer = search(api, draw_photo("red", "blue"))
    assert answer.status_code == 202
    where = answer.headers["Location"]
    waiting = api.client.get(where).json()
    assert (waiting["state"], waiting["faces"]) == ("queued", [])
    process_next_probe()
    found = api.client.get(where).json()
    assert found["state"] == "done"
    red, blue = found["faces"]
    assert (red["verdict"], blue["verdict"], blue["people"]) == ("automatic", "unknown", [])
    person = red["people"][0]
    assert person["person"] == {"id": alice.pk, "name": "Alice"}
    assert person["references"] == [f"/api/v1/faces/{reference.face_id}/crop.jpg"]
    assert [photo["id"] for photo in person["photos"]] == [mine.photo.pk]
    crop = api.client.get(red["crop"])
    assert (crop.status_code, crop.headers["Cache-Control"]) == (200, "no-store, private")
    assert b"".join(crop.streaming_content).startswith(b"\xff\xd8")  # type: ignore[attr-defined]
    assert b"vector" not in api.client.get(where).content
    assert api.delete(f"search/{found['id']}/").status_code == 204
    assert not Probe.objects.exists()
    problem_of(api.client.get(where), 404)


def test_somebody_elses_search_is_not_there(drawn: None, mine: Side, manager: User) -> None:
    made = search(Api(manager), draw_photo("red")).json()
    other = Api(local_user(mine.event, "manager"))
    problem_of(other.get(f"search/{made['id']}/"), 404)
    problem_of(other.get(f"search/{made['id']}/faces/1.jpg"), 404)
    problem_of(other.delete(f"search/{made['id']}/"), 404)
    assert other.get("search/").json()["count"] == 0
    assert Probe.objects.count() == 1


def test_what_is_no_picture_is_refused_with_its_code(manager: User) -> None:
    problem = problem_of(search(Api(manager), b"no picture"), 422)
    assert problem["code"] not in {"", "invalid"}
    assert not Probe.objects.exists()


def test_no_picture_is_invalid(manager: User) -> None:
    answer = Api(manager).client.post("/api/v1/search/", {})
    assert problem_of(answer, 422)["errors"][0]["field"] == "picture"


def test_an_uploader_does_not_search(uploader: User) -> None:
    assert problem_of(search(Api(uploader), draw_photo("red")), 403)["code"] == "forbidden"


def test_searches_that_wait_are_so_many_at_most(drawn: None, manager: User) -> None:
    api = Api(manager)
    for number in range(MAX_LIVE):
        assert search(api, draw_photo("red", salt=number)).status_code == 202
    assert problem_of(search(api, draw_photo("red", salt=99)), 429)["code"] == "too_many_searches"


def test_a_repeated_search_is_one_search(drawn: None, manager: User) -> None:
    first, second = (search(Api(manager), draw_photo("red"), key="one") for _ in range(2))
    assert first.json() == second.json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Probe.objects.count() == 1
