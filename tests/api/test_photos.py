from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django_tasks_db.models import DBTaskResult

from recognition.images import encode_jpeg
from recognition.models import Face, Photo, Video
from recognition.storage import crop_path, original_path, preview_path, write_crop, write_file
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.fakes import draw_photo
from tests.recognition.videos.drawn import walk, write_video

JPEG = encode_jpeg(np.full((48, 64, 3), 127, dtype=np.uint8), quality=80)


def upload(api: Api, event_pk: int, *files: tuple[str, bytes], key: str = "") -> Any:
    sent = [SimpleUploadedFile(name, data) for name, data in files]
    headers = {"Idempotency-Key": key} if key else {}
    return api.client.post(f"/api/v1/events/{event_pk}/photos/", {"files": sent}, headers=headers)


def test_every_file_gets_its_result_in_order(mine: Side, uploader: User) -> None:
    red, blue = draw_photo("red"), draw_photo("blue")
    answer = upload(
        Api(uploader, "upload"),
        mine.event.pk,
        ("a.png", red),
        ("b.txt", b"no photo"),
        ("c.png", red),
        ("d.png", blue),
    )
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [(result["name"], result["outcome"]) for result in results] == [
        ("a.png", "added"),
        ("b.txt", "refused"),
        ("c.png", "duplicate"),
        ("d.png", "added"),
    ]
    assert results[0]["code"] == ""
    assert results[1]["code"]
    assert results[1]["message"]
    assert results[1]["photo"] is None
    assert results[2]["photo"]["id"] == results[0]["photo"]["id"]
    assert results[3]["photo"]["state"] == "queued"
    assert Photo.objects.filter(event=mine.event, uploaded_by=uploader).count() == 2
    assert DBTaskResult.objects.count() == 1


def test_a_video_is_taken_and_says_how_far_it_is(mine: Side, uploader: User, tmp_path: Path) -> None:
    path = write_video(tmp_path / "walk.mkv", walk(10))
    answer = upload(Api(uploader, "upload"), mine.event.pk, ("walk.mkv", path.read_bytes()))
    [result] = answer.json()["results"]
    assert (result["outcome"], result["photo"]) == ("added", None)
    video = Video.objects.get(name="walk.mkv")
    assert result["video"] == {
        "id": str(video.video_id),
        "name": "walk.mkv",
        "state": "queued",
        "frames_done": 0,
        "frames_total": 6,
    }
    assert video.uploaded_by == uploader


@pytest.mark.parametrize("field", ["file", "picture"])
def test_a_photo_in_a_field_of_another_name_is_not_left_out_without_a_word(
    field: str, mine: Side, uploader: User
) -> None:
    sent = {"files": SimpleUploadedFile("a.png", draw_photo("red")), field: SimpleUploadedFile("b.png", b"x")}
    for files in (sent, {field: sent[field]}):
        for part in sent.values():
            part.seek(0)
        answer = Api(uploader).client.post(f"/api/v1/events/{mine.event.pk}/photos/", files)
        errors = problem_of(answer, 422)["errors"]
        assert [(error["field"], error["code"]) for error in errors] == [(field, "unknown_field")]
    assert not Photo.objects.filter(event=mine.event, uploaded_by=uploader).exists()


def test_a_text_in_place_of_a_file_is_invalid(mine: Side, uploader: User) -> None:
    answer = Api(uploader).client.post(f"/api/v1/events/{mine.event.pk}/photos/", {"files": "a.jpg"})
    assert "not a file" in problem_of(answer, 422)["detail"]


def test_a_zip_gives_a_result_per_photo(mine: Side, manager: User) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("one.png", draw_photo("red"))
        archive.writestr("two.png", draw_photo("green"))
    results = upload(Api(manager), mine.event.pk, ("all.zip", file.getvalue())).json()["results"]
    assert [result["outcome"] for result in results] == ["added", "added"]


def test_no_file_is_invalid(mine: Side, manager: User) -> None:
    problem = problem_of(upload(Api(manager), mine.event.pk), 422)
    assert problem["errors"][0]["field"] == "files"


def test_more_than_100_files_are_refused_whole(mine: Side, manager: User) -> None:
    files = [(f"{number}.png", b"x") for number in range(101)]
    for key in ("", "a-key"):
        answer = upload(Api(manager), mine.event.pk, *files, key=key)
        assert problem_of(answer, 413)["code"] == "too_many_files"
    assert Photo.objects.count() == 1


def test_json_is_no_upload(mine: Side, manager: User) -> None:
    answer = Api(manager).post(f"events/{mine.event.pk}/photos/", {"files": "x"})
    assert "multipart/form-data" in problem_of(answer, 415)["detail"]


@pytest.mark.parametrize("role", ["viewer", "labeler"])
def test_whoever_only_sees_uploads_nothing(role: str, mine: Side) -> None:
    answer = upload(Api(local_user(mine.event, role)), mine.event.pk, ("a.png", draw_photo("red")))
    assert problem_of(answer, 403)["code"] == "forbidden"
    assert Photo.objects.count() == 1


def test_files_of_a_stranger_are_not_even_received(mine: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    def receive(*args: object, **kwargs: object) -> None:
        raise AssertionError("the body was read")

    monkeypatch.setattr("django.http.request.HttpRequest.parse_file_upload", receive)
    monkeypatch.setattr("rest_framework.parsers.MultiPartParser.parse", receive)
    problem_of(upload(Api(), mine.event.pk, ("a.png", b"x"), key="a-key"), 401)


def test_a_photo_shows_its_faces_and_names(mine: Side, manager: User) -> None:
    photo = Api(manager).get(f"photos/{mine.photo.pk}/").json()
    assert [(face["state"], (face["person"] or {}).get("name")) for face in photo["faces"]] == [
        ("verified", "Mine person"),
        ("open", None),
    ]
    assert photo["state"] == "done"
    assert photo["failure"] is None


def test_an_uploader_sees_boxes_without_names_on_what_they_brought(mine: Side, uploader: User) -> None:
    Photo.objects.filter(pk=mine.photo.pk).update(uploaded_by=uploader)
    photo = Api(uploader).get(f"photos/{mine.photo.pk}/").json()
    assert [(face["state"], face["person"], face["similarity"]) for face in photo["faces"]] == [
        ("named", None, None),
        ("open", None, None),
    ]


def test_an_uploader_learns_no_names_by_filters(mine: Side, uploader: User) -> None:
    Photo.objects.filter(pk=mine.photo.pk).update(uploaded_by=uploader)
    api = Api(uploader)
    assert api.get("faces/").json()["count"] == 2
    for query in ({"state": "open"}, {"state": "verified"}, {"person": mine.person.pk}):
        assert api.get("faces/", **query).json()["count"] == 0
    for query in ({"unnamed": "true"}, {"person": mine.person.pk}):
        assert api.get("photos/", **query).json()["count"] == 0


def test_photos_are_filtered(mine: Side, foreign: Side, manager: User) -> None:
    Photo.objects.filter(pk=mine.photo.pk).update(
        state="failed", failure_code="broken", failure_reason="It is."
    )
    api = Api(manager)
    failed = api.get("photos/", state="failed").json()["results"]
    assert [(photo["id"], photo["failure"]["code"]) for photo in failed] == [(mine.photo.pk, "broken")]
    assert api.get(f"events/{mine.event.pk}/photos/", state="done").json()["count"] == 0
    by_person = api.get("photos/", person=foreign.person.pk).json()["results"]
    assert [photo["id"] for photo in by_person] == [foreign.photo.pk]
    assert api.get("photos/", event=mine.event.pk, unnamed="true").json()["count"] == 1


def test_pictures_come_with_a_token(mine: Side, manager: User) -> None:
    write_file(preview_path(mine.photo), JPEG)
    write_file(original_path(mine.photo.sha256, "JPEG"), b"the very bytes")
    Face.objects.filter(pk=mine.open.pk).update(crop=write_crop(JPEG))
    mine.open.refresh_from_db()
    assert crop_path(mine.open).exists()
    api = Api(manager)
    for path in (f"photos/{mine.photo.pk}/preview.jpg", f"faces/{mine.open.face_id}/crop.jpg"):
        answer = api.client.get(f"/api/v1/{path}", headers={"Accept": "image/*"})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
        assert b"".join(answer.streaming_content) == JPEG  # type: ignore[attr-defined]
        again = api.client.get(f"/api/v1/{path}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    original = api.get(f"photos/{mine.photo.pk}/original")
    assert b"".join(original.streaming_content) == b"the very bytes"
    assert original.headers["Cache-Control"] == "no-store, private"
    assert original.headers["Content-Disposition"].startswith(f'attachment; filename="{mine.photo.name}"')


def test_a_picture_that_is_not_there_yet_is_a_problem(mine: Side, manager: User) -> None:
    problem_of(Api(manager).get(f"photos/{mine.photo.pk}/thumb.jpg"), 404)


def test_a_manager_deletes_a_photo(mine: Side) -> None:
    api = Api(local_user(mine.event, "manager"), "admin")
    assert api.delete(f"photos/{mine.photo.pk}/").status_code == 204
    assert not Photo.objects.filter(pk=mine.photo.pk).exists()


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("labeler", 403)])
def test_others_do_not_delete_photos(role: str, status: int, mine: Side) -> None:
    api = Api(local_user(mine.event, role))
    assert problem_of(api.delete(f"photos/{mine.photo.pk}/"), status)["code"] == "forbidden"


def test_a_foreign_photo_is_not_deleted(mine: Side, foreign: Side) -> None:
    problem_of(Api(local_user(mine.event, "manager")).delete(f"photos/{foreign.photo.pk}/"), 404)
    assert Photo.objects.filter(pk=foreign.photo.pk).exists()


def test_a_manager_of_both_events_moves_a_photo(mine: Side, foreign: Side, manager: User) -> None:
    answer = Api(manager, "admin").patch(f"photos/{mine.photo.pk}/", {"event": foreign.event.pk})
    assert answer.json()["event"] == foreign.event.pk
    assert len(answer.json()["faces"]) == 2


def test_a_photo_is_not_moved_where_one_does_not_manage(mine: Side, foreign: Side) -> None:
    user = local_user(mine.event, "manager")
    path = f"photos/{mine.photo.pk}/"
    problem_of(Api(user).patch(path, {"event": foreign.event.pk}), 404)
    problem_of(Api(user).patch(f"photos/{foreign.photo.pk}/", {"event": mine.event.pk}), 404)
    foreign.event.grants.create(user=user, role="viewer")
    problem_of(Api(User.objects.get(pk=user.pk)).patch(path, {"event": foreign.event.pk}), 403)
    problem_of(Api(User.objects.get(pk=user.pk)).patch(f"photos/{foreign.photo.pk}/", {"event": 1}), 403)
    assert Photo.objects.get(pk=mine.photo.pk).event == mine.event


def test_a_photo_that_the_other_event_has_is_not_moved(mine: Side, foreign: Side, manager: User) -> None:
    Photo.objects.filter(pk=foreign.photo.pk).update(sha256=mine.photo.sha256)
    answer = Api(manager).patch(f"photos/{mine.photo.pk}/", {"event": foreign.event.pk})
    assert problem_of(answer, 409)["code"] == "photo_not_moved"
