from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile

from recognition.looks.probing import process_next_look_probe, read_looks
from recognition.models import LookProbe
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.factories import make_photo
from tests.fakes import draw_photo
from tests.recognition.looks.sample import make_look, make_look_probe, random_looks


def search(api: Api, data: bytes) -> Any:
    picture = SimpleUploadedFile("x.png", data)
    return api.client.post("/api/v1/look-searches/", {"picture": picture})


def test_a_picture_finds_photos_with_the_shares_of_pose_and_color(
    drawn_faces: None, mine: Side, manager: User
) -> None:
    api = Api(manager, "read")
    answer = search(api, draw_photo("red"))
    assert answer.status_code == 202
    where = answer.headers["Location"]
    waiting = api.client.get(where).json()
    assert (waiting["state"], waiting["photos"]) == ("queued", [])
    process_next_look_probe()
    look = read_looks(LookProbe.objects.get())[0]
    make_look(mine.photo, look)
    found = api.client.get(where, {"k": 1}).json()
    assert (found["state"], found["poses"], len(found["looks"])) == ("done", False, 2)
    (photo,) = found["photos"]
    assert (photo["id"], photo["face"], photo["region"]) == (mine.photo.pk, None, None)
    assert photo["distance"] == pytest.approx(0, abs=1e-5)
    assert photo["preview"] == f"/api/v1/photos/{mine.photo.pk}/preview.jpg"
    assert problem_of(api.client.get(where, {"look": 7}), 422)["code"] == "no_such_look"
    assert api.delete(f"look-searches/{found['id']}/").status_code == 204
    problem_of(api.client.get(where), 404)


def test_a_photo_finds_others_like_it(mine: Side, manager: User) -> None:
    api = Api(manager, "read")
    path = f"photos/{mine.photo.pk}/looks-like/"
    assert api.get(path).json() == {"poses": False, "seen": False, "photos": [], "more": False}
    look = random_looks(1, seed=1)[0]
    make_look(mine.photo, look)
    twin = make_photo(mine.event)
    make_look(twin, look)
    make_look(make_photo(mine.event))
    found = api.get(f"{path}?k=1").json()
    assert [photo["id"] for photo in found["photos"]] == [twin.pk]
    assert found["more"]
    photo = found["photos"][0]
    assert photo["distance"] == pytest.approx(photo["pose"] + photo["color"])


def test_somebody_elses_search_is_not_there(mine: Side, manager: User) -> None:
    probe = make_look_probe(user=manager)
    other = Api(local_user(mine.event, "manager"))
    problem_of(other.get(f"look-searches/{probe.probe_id}/"), 404)
    problem_of(other.delete(f"look-searches/{probe.probe_id}/"), 404)
    assert other.get("look-searches/").json()["count"] == 0


def test_an_uploader_does_not_search_by_look(mine: Side, uploader: User) -> None:
    assert problem_of(search(Api(uploader), draw_photo("red")), 403)["code"] == "forbidden"
    assert not LookProbe.objects.exists()


def test_rubbish_is_refused(mine: Side, manager: User) -> None:
    api = Api(manager, "read")
    problem_of(search(api, b"no picture"), 422)
    for query in ("k=0", "k=9999", "pose=101", "since=never", "eye=1"):
        problem_of(api.get(f"photos/{mine.photo.pk}/looks-like/?{query}"), 422)
