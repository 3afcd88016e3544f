from __future__ import annotations

import io
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from recognition.images import PhotoRefused
from recognition.looks.descriptor import LOOK
from recognition.looks.plan import read_plan
from recognition.looks.probing import add_look_probe, process_next_look_probe, read_looks
from recognition.models import Event, LookProbe, Photo, Probe
from recognition.probes import is_search_waiting, sweep_probes
from recognition.tasks import process_probes
from tests.conftest import count_queries, make_local, signed_in
from tests.factories import make_event, make_face, make_photo
from tests.fakes import draw_photo
from tests.recognition.looks.sample import make_look, make_look_probe, random_looks

pytestmark = pytest.mark.django_db


def send(client: Client, data: bytes) -> str:
    """The address of the new search."""
    answer = client.post("/search/look/", {"picture": SimpleUploadedFile("x.png", data)})
    assert answer.status_code == 302
    return str(answer["Location"])


def found_on(client: Client, path: str, **parameters: object) -> list[int]:
    answer = client.get(path, {key: str(value) for key, value in parameters.items()})
    assert answer.status_code == 200
    return [hit.photo.pk for hit in answer.context["found"]]


def test_a_picture_finds_the_photo_that_looks_like_it(drawn_faces: None, as_labeler: Client) -> None:
    address = send(as_labeler, draw_photo("red", "blue"))
    assert "Waiting for a worker" in as_labeler.get(address).text
    process_probes.call()
    probe = LookProbe.objects.get()
    assert (probe.state, len(probe.looks)) == ("done", 3)
    near = make_photo()
    make_look(near, read_looks(probe)[0])
    far = make_photo()
    make_look(far)
    assert found_on(as_labeler, address) == [near.pk, far.pk]
    page = as_labeler.get(address).text
    assert "nearly the same" in page
    assert "Colors alone are compared" in page


def test_one_person_of_the_picture_can_be_chosen(drawn_faces: None, as_labeler: Client) -> None:
    address = send(as_labeler, draw_photo("red", "blue"))
    process_probes.call()
    looks = read_looks(LookProbe.objects.get())
    whole, second = make_photo(), make_photo()
    make_look(whole, looks[0])
    make_look(second, looks[2], face=make_face(second))
    assert found_on(as_labeler, address)[0] == whole.pk
    assert found_on(as_labeler, address, look=2)[0] == second.pk


def test_the_picture_goes_once_it_was_looked_at_and_all_of_it_when_its_time_is_over(
    drawn_faces: None, labeler: User, data_folder: Path
) -> None:
    add_look_probe(file=io.BytesIO(draw_photo("red")), user=labeler)
    assert is_search_waiting()
    process_next_look_probe()
    probe = LookProbe.objects.get()
    assert [path.name for path in (data_folder / "probes").iterdir()] == [f"{probe.probe_id}-preview.jpg"]
    assert read_looks(probe).shape == (2, LOOK)
    sweep_probes()
    assert LookProbe.objects.exists()
    LookProbe.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not LookProbe.objects.visible_to(labeler).exists()
    assert sweep_probes() == 1
    assert not LookProbe.objects.exists()
    assert not list((data_folder / "probes").iterdir())


def test_files_of_a_living_search_stay_however_old_they_are(
    drawn_faces: None, labeler: User, data_folder: Path
) -> None:
    import os
    import time

    add_look_probe(file=io.BytesIO(draw_photo("red")), user=labeler)
    for path in (data_folder / "probes").iterdir():
        os.utime(path, (time.time() - 700, time.time() - 700))
    sweep_probes()
    assert process_next_look_probe() is not None
    assert LookProbe.objects.get().state == "done"


@pytest.mark.parametrize(
    "data", [b"no picture", b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, draw_photo("red")[:200], b"<svg/>"]
)
def test_hostile_pictures_are_refused_at_the_same_gate(data: bytes, labeler: User, data_folder: Path) -> None:
    with suppress(PhotoRefused):
        add_look_probe(file=io.BytesIO(data), user=labeler)
    # A file whose header is right and whose pixels are not is told apart by the worker.
    process_next_look_probe()
    assert not LookProbe.objects.exclude(state="failed").exists()
    assert not list((data_folder / "probes").glob("*.png"))


def test_a_photo_finds_others_and_never_itself(as_labeler: Client) -> None:
    look = random_looks(1, seed=1)[0]
    mine, twin, other = make_photo(), make_photo(), make_photo()
    for photo in (mine, twin):
        make_look(photo, look)
    make_look(other)
    assert found_on(as_labeler, f"/photos/{mine.pk}/looks-like/") == [twin.pk, other.pk]
    assert f"/photos/{mine.pk}/looks-like/" in as_labeler.get(f"/photos/{mine.pk}/").text


def test_the_person_around_a_face_finds_people_who_look_like_them(as_labeler: Client) -> None:
    look = random_looks(1, seed=1)[0]
    photo, crowd = make_photo(), make_photo()
    face, other = make_face(photo), make_face(crowd)
    make_look(photo)
    make_look(photo, look, face=face)
    make_look(crowd)
    make_look(crowd, look, face=other)
    answer = as_labeler.get(f"/faces/{face.face_id}/looks-like/")
    (hit,) = answer.context["found"]
    assert (hit.photo, hit.face) == (crowd, other)
    assert hit.region is not None
    assert f'<rect x="{hit.region.left}"' in answer.text


def test_a_photo_that_was_not_looked_at_says_so(as_labeler: Client) -> None:
    photo, face = make_photo(), make_face()
    assert "Not looked at yet" in as_labeler.get(f"/photos/{photo.pk}/looks-like/").text
    assert "Not looked at yet" in as_labeler.get(f"/faces/{face.face_id}/looks-like/").text


def test_event_and_days_narrow_what_answers(as_labeler: Client) -> None:
    probe_look = random_looks(1, seed=1)[0]
    old, new, mine = make_photo(), make_photo(), make_photo()
    Photo.objects.filter(pk=old.pk).update(captured_at=timezone.now() - timedelta(days=400))
    for photo in (old, new, mine):
        make_look(photo, probe_look)
    path = f"/photos/{mine.pk}/looks-like/"
    year_ago = (timezone.now() - timedelta(days=300)).date()
    assert found_on(as_labeler, path, event=old.event_id) == [old.pk]
    assert found_on(as_labeler, path, since=year_ago) == [new.pk]
    assert found_on(as_labeler, path, until=year_ago) == [old.pk]
    assert found_on(as_labeler, path, event=10**9) == []
    assert set(found_on(as_labeler, path, event="rubbish", since="x", shown="-1")) == {old.pk, new.pk}


def test_more_are_shown_when_asked_for(as_labeler: Client) -> None:
    event = make_event()
    mine = make_photo(event)
    make_look(mine)
    for _ in range(30):
        make_look(make_photo(event))
    path = f"/photos/{mine.pk}/looks-like/"
    assert len(found_on(as_labeler, path)) == 24
    assert "shown=48" in as_labeler.get(path).text
    assert len(found_on(as_labeler, path, shown=48)) == 30


def test_the_slider_begins_at_the_settings_and_counts_the_pose_more(
    as_labeler: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.FACEVAULT_POSE_MODEL = tmp_path / "model.task"
    settings.FACEVAULT_POSE_MODEL.write_bytes(b"a model that no page loads")
    mine, posed, colored = make_photo(), make_photo(), make_photo()
    look = random_looks(1, seed=1)[0]
    look[0] = 1
    alike_pose, alike_color = random_looks(1, seed=2)[0], look.copy()
    alike_pose[0], alike_color[0], alike_color[1] = 1, 0, 1
    for photo, vector in ((mine, look), (posed, alike_pose), (colored, alike_color)):
        make_look(photo, vector)
    path = f"/photos/{mine.pk}/looks-like/"
    answer = as_labeler.get(path)
    assert answer.context["pose_percent"] == 40
    assert "Colors alone" not in answer.text
    assert found_on(as_labeler, path, pose=5) == [colored.pk, posed.pk]
    assert found_on(as_labeler, path, pose=95) == [posed.pk, colored.pk]
    by_pose = as_labeler.get(path, {"pose": "95"}).context["found"][0]
    assert (by_pose.pose_percent, by_pose.color_percent) == (0, 100)


def test_a_mirrored_pose_is_the_same_and_no_pose_is_one_apart(
    as_labeler: Client, settings: Settings, tmp_path: Path
) -> None:
    from recognition.looks.descriptor import mirror_look

    settings.FACEVAULT_POSE_MODEL = tmp_path / "model.task"
    settings.FACEVAULT_POSE_MODEL.write_bytes(b"a model that no page loads")
    look = random_looks(1, seed=1)[0]
    look[24] = 1  # the left elbow, far out
    mine, mirrored, poseless = make_photo(), make_photo(), make_photo()
    make_look(mine, look)
    make_look(mirrored, mirror_look(look))
    still = look.copy()
    still[:66] = 0
    make_look(poseless, still)
    hits = as_labeler.get(f"/photos/{mine.pk}/looks-like/").context["found"]
    assert [hit.photo for hit in hits] == [mirrored, poseless]
    assert hits[0].is_same
    assert hits[1].distance == pytest.approx(read_plan().weights.pose, abs=1e-5)
    assert hits[1].pose_percent == 100


def test_a_picture_without_a_body_is_compared_by_its_colors_alone(
    as_labeler: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.FACEVAULT_POSE_MODEL = tmp_path / "model.task"
    settings.FACEVAULT_POSE_MODEL.write_bytes(b"a model that no page loads")
    gown, worn, other = make_photo(), make_photo(), make_photo()
    look = random_looks(1, seed=1)[0]
    make_look(gown, look)
    standing = look.copy()
    standing[24] = 1
    make_look(worn, standing)
    make_look(other)
    answer = as_labeler.get(f"/photos/{gown.pk}/looks-like/")
    assert [hit.photo for hit in answer.context["found"]] == [worn, other]
    assert answer.context["found"][0].is_same
    assert "colors alone are compared" in answer.text


def test_nobody_finds_photos_of_events_that_are_not_theirs(labeler: User) -> None:
    mine, foreign = make_event(), make_event()
    rita = signed_in(make_local("rita", "viewer", mine))
    look = random_looks(1, seed=1)[0]
    here, there, near = make_photo(foreign), make_photo(mine), make_photo(mine)
    for photo in (here, there):
        make_look(photo, look)
    make_look(near)
    for _ in range(40):
        make_look(make_photo(foreign), look)
    face = make_face(here)
    assert found_on(rita, f"/photos/{there.pk}/looks-like/") == [near.pk]
    assert found_on(rita, f"/photos/{there.pk}/looks-like/", event=foreign.pk) == []
    assert foreign.name not in rita.get(f"/photos/{there.pk}/looks-like/").text
    assert rita.get(f"/photos/{here.pk}/looks-like/").status_code == 404
    assert rita.get(f"/faces/{face.face_id}/looks-like/").status_code == 404
    others = make_look_probe(user=labeler)
    for path in ("", "preview.jpg"):
        assert rita.get(f"/search/look/{others.probe_id}/{path}").status_code == 404
    assert rita.post(f"/search/look/{others.probe_id}/delete/").status_code == 404
    assert LookProbe.objects.exists()


def test_an_uploader_does_not_search_by_look(as_uploader: Client) -> None:
    photo = make_photo()
    assert as_uploader.get("/search/look/").status_code == 403
    assert as_uploader.post("/search/look/", {}).status_code == 403
    assert as_uploader.get(f"/photos/{photo.pk}/looks-like/").status_code == 403


def test_photos_of_an_event_that_is_being_deleted_answer_nobody(as_labeler: Client) -> None:
    look = random_looks(1, seed=1)[0]
    mine, doomed = make_photo(), make_photo()
    make_look(mine, look)
    make_look(doomed, look)
    Event.objects.filter(pk=doomed.event_id).update(deleted_at=timezone.now())
    assert found_on(as_labeler, f"/photos/{mine.pk}/looks-like/") == []


def test_off_there_is_no_page_and_no_link(as_manager: Client, manager: User, settings: Settings) -> None:
    photo, face = make_photo(), make_face()
    probe = make_look_probe(user=manager)
    settings.FACEVAULT_LOOK_SEARCH = False
    paths = ["/search/look/", f"/search/look/{probe.probe_id}/", f"/search/look/{probe.probe_id}/preview.jpg"]
    paths += [f"/photos/{photo.pk}/looks-like/", f"/faces/{face.face_id}/looks-like/"]
    paths += ["/api/v1/look-searches/", f"/api/v1/photos/{photo.pk}/looks-like/"]
    for path in paths:
        assert as_manager.get(path).status_code == 404, path
    assert as_manager.post("/search/look/").status_code == 404
    for path in ("/search/", f"/photos/{photo.pk}/", f"/photos/{face.photo_id}/"):
        assert "look" not in as_manager.get(path).text.split("<main")[1].lower()


def test_a_search_by_another_descriptor_is_out_of_date(as_labeler: Client, labeler: User) -> None:
    probe = make_look_probe(user=labeler)
    LookProbe.objects.update(descriptor_id="look0-color")
    assert "out of date" in as_labeler.get(f"/search/look/{probe.probe_id}/").text


def test_a_pose_model_that_cannot_be_read_is_told(
    as_labeler: Client, labeler: User, settings: Settings, tmp_path: Path
) -> None:
    probe, photo = make_look_probe(user=labeler), make_photo()
    settings.FACEVAULT_POSE_MODEL = tmp_path / "gone.task"
    for path in (f"/search/look/{probe.probe_id}/", f"/photos/{photo.pk}/looks-like/"):
        assert "cannot answer now" in as_labeler.get(path).text
    answer = as_labeler.get(f"/api/v1/photos/{photo.pk}/looks-like/")
    assert (answer.status_code, answer.json()["code"]) == (503, "pose_unavailable")
    assert as_labeler.get("/search/look/").status_code == 200


def test_deleting_a_search_leaves_nothing(drawn_faces: None, as_labeler: Client, data_folder: Path) -> None:
    address = send(as_labeler, draw_photo("red"))
    process_probes.call()
    preview = as_labeler.get(f"{address}preview.jpg")
    assert preview.headers["Cache-Control"] == "no-store, private"
    assert b"".join(preview.streaming_content).startswith(b"\xff\xd8")  # type: ignore[attr-defined]
    assert as_labeler.post(f"{address}delete/").status_code == 302
    assert not LookProbe.objects.exists()
    assert not list((data_folder / "probes").iterdir())
    assert not Probe.objects.exists()


def test_the_number_of_queries_does_not_grow(as_labeler: Client) -> None:
    event = make_event()
    mine = make_photo(event)
    make_look(mine)
    path = f"/photos/{mine.pk}/looks-like/"
    make_look(make_photo(event))
    as_labeler.get(path)
    few = count_queries(as_labeler, path)
    for _ in range(20):
        photo = make_photo()
        make_look(photo, face=make_face(photo))
    as_labeler.get(path)
    assert count_queries(as_labeler, path) == few
