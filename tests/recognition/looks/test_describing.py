from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from recognition.ingest import process_next_photo
from recognition.looks import describing
from recognition.looks._mediapipe import PoseUnavailable
from recognition.looks.describing import describe_photo, describe_some, photos_to_describe, sweep_looks
from recognition.looks.descriptor import LOOK
from recognition.looks.plan import read_plan
from recognition.models import Event, Face, Photo, PhotoLook
from recognition.photos.edits import move_photo
from recognition.redetection import redetect_photo
from recognition.stats import stats
from recognition.storage import original_path
from recognition.tasks import describe_photos
from recognition.uploads.adding import add_photo
from tests.conftest import make_user
from tests.factories import fake_sha, make_event, make_photo
from tests.fakes import draw_photo
from tests.photos import PHOTOS, needs_photos
from tests.recognition.looks.sample import MODEL, make_look, needs_pose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(describing, "_progress", describing._Progress())


def bring(*colors: str, event: Event | None = None, path: Path | None = None) -> Photo:
    """A photo that the worker has processed."""
    import io

    data = path.read_bytes() if path else draw_photo(*colors)
    added = add_photo(
        file=io.BytesIO(data),
        name="x.png",
        event=event or make_event(),
        user=make_user(f"u{Photo.objects.count()}"),
    )
    process_next_photo()
    assert added.photo is not None
    photo: Photo = Photo.objects.get(pk=added.photo.pk)
    assert photo.state == Photo.State.DONE
    return photo


def test_a_photo_and_each_person_on_it_have_a_look() -> None:
    photo = bring("red", "blue")
    assert describe_photo(photo, read_plan())
    looks = PhotoLook.objects.filter(photo=photo)
    assert looks.filter(face=None).count() == 1
    assert set(looks.exclude(face=None).values_list("face", flat=True)) == set(
        Face.objects.values_list("pk", flat=True)
    )
    assert all(len(bytes(look.vector)) == 4 * LOOK for look in looks)
    assert not photos_to_describe(read_plan()).exists()


def test_photos_are_described_one_slice_after_the_other_until_all_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(describing, "SLICE", 2)
    event = make_event()
    for color in ("red", "green", "blue"):
        bring(color, event=event)
    assert describe_some(lambda: False)
    assert PhotoLook.objects.filter(face=None).count() == 2
    assert describe_some(lambda: False)
    assert not describe_some(lambda: False)
    assert PhotoLook.objects.filter(face=None).count() == 3


def test_whoever_waits_for_something_else_comes_first() -> None:
    bring("red")
    assert describe_some(lambda: True)
    assert not PhotoLook.objects.exists()


def test_the_task_goes_on_until_nothing_is_missing() -> None:
    bring("red")
    DBTaskResult.objects.all().delete()
    describe_photos.call()
    assert DBTaskResult.objects.filter(task_path=describe_photos.module_path).count() == 1
    DBTaskResult.objects.all().delete()
    describe_photos.call()
    assert not DBTaskResult.objects.exists()


def test_the_sweep_asks_for_what_is_missing_and_for_nothing_else() -> None:
    assert not sweep_looks()
    photo = bring("red")
    assert sweep_looks()
    describe_photo(photo, read_plan())
    DBTaskResult.objects.all().delete()
    assert not sweep_looks()
    assert not sweep_looks()
    assert not DBTaskResult.objects.exists()
    PhotoLook.objects.all().delete()
    assert sweep_looks()


def test_off_means_that_nothing_is_computed(settings: Settings) -> None:
    settings.FACEVAULT_LOOK_SEARCH = False
    bring("red")
    assert not sweep_looks()
    assert not describe_some(lambda: False)
    assert not PhotoLook.objects.exists()
    assert stats()["looks"] is None
    with pytest.raises(CommandError, match="FACEVAULT_LOOK_SEARCH"):
        call_command("describe_looks")


def test_stand_ins_failed_photos_and_events_that_go_are_left_alone() -> None:
    stand_in, failed, doomed = make_photo(), make_photo(state=Photo.State.FAILED), make_photo()
    Photo.objects.filter(pk=stand_in.pk).update(origin=Photo.Origin.STAND_IN)
    Event.objects.filter(pk=doomed.event_id).update(deleted_at=timezone.now())
    assert failed.pk
    assert not photos_to_describe(read_plan()).exists()


def test_a_photo_without_its_file_is_not_tried_for_ever() -> None:
    photo = bring("red")
    original_path(photo.sha256, photo.format).unlink()
    assert not describe_photo(photo, read_plan())
    assert not photos_to_describe(read_plan()).exists()
    assert {bytes(look.vector) for look in PhotoLook.objects.all()} == {b""}


def test_a_face_that_came_later_is_missing() -> None:
    photo = bring("red")
    describe_photo(photo, read_plan())
    first = PhotoLook.objects.get(face=None)
    extra = Face.objects.get()
    extra.pk, extra._state.adding = None, True
    extra.face_id, extra.left, extra.crop = "12345678-1234-5678-1234-567812345678", 1, fake_sha("x")
    extra.save()
    assert list(photos_to_describe(read_plan())) == [photo]
    describe_photo(photo, read_plan())
    assert PhotoLook.objects.count() == 3
    # Rows are written anew, never changed: by that every process sees it.
    assert PhotoLook.objects.get(face=None).pk > first.pk


def test_a_face_that_is_measured_anew_loses_its_look() -> None:
    photo = bring("red")
    describe_photo(photo, read_plan())
    Face.objects.update(left=3, width=20)
    redetect_photo(photo)
    assert not PhotoLook.objects.exclude(face=None).exists()
    assert list(photos_to_describe(read_plan())) == [photo]


def test_a_photo_that_was_deleted_meanwhile_gets_no_look() -> None:
    photo = bring("red")
    Photo.objects.filter(pk=photo.pk).update(state=Photo.State.QUEUED)
    describe_photo(photo, read_plan())
    assert not PhotoLook.objects.exists()


def test_a_move_keeps_the_look() -> None:
    photo = bring("red")
    describe_photo(photo, read_plan())
    before = list(PhotoLook.objects.values_list("pk", flat=True))
    manager = make_user("moni", "manager")
    move_photo(photo=photo, to=make_event(), user=manager)
    assert list(PhotoLook.objects.values_list("pk", flat=True)) == before
    assert not photos_to_describe(read_plan()).exists()


def test_looks_of_another_descriptor_are_replaced() -> None:
    photo = bring("red")
    describe_photo(photo, read_plan())
    PhotoLook.objects.update(descriptor_id="look0-color")
    describe_photo(photo, read_plan())
    assert set(PhotoLook.objects.values_list("descriptor_id", flat=True)) == {"look1-color"}
    assert stats()["looks"] == {
        "descriptor": "look1-color", "poses": False, "problem": "", "photos": 1, "people": 1, "with_pose": 0
    }  # fmt: skip


def test_the_command_describes_what_is_missing_or_everything(capsys: pytest.CaptureFixture[str]) -> None:
    photo = bring("red")
    call_command("describe_looks")
    first = PhotoLook.objects.get(face=None)
    assert first.photo == photo
    assert "1 photos looked at." in capsys.readouterr().out
    call_command("describe_looks")
    assert "already" in capsys.readouterr().out
    call_command("describe_looks", "--all", "--event", photo.event.name)
    assert PhotoLook.objects.get(face=None).pk > first.pk
    with pytest.raises(CommandError, match="no event"):
        call_command("describe_looks", "--event", "Nowhere")


def test_a_pose_model_that_is_gone_stops_the_work_and_drops_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    look = make_look(make_photo())
    settings.FACEVAULT_POSE_MODEL = tmp_path / "gone.task"
    with pytest.raises(PoseUnavailable, match=r"gone\.task"):
        describe_some(lambda: False)
    with pytest.raises(CommandError, match=r"gone\.task"):
        call_command("describe_looks")
    assert "gone.task" in stats()["looks"]["problem"]
    assert PhotoLook.objects.get() == look


@needs_photos
@needs_pose
def test_with_a_pose_model_bodies_are_noted(settings: Settings) -> None:
    photo = bring(path=PHOTOS / "two_people.jpg")
    settings.FACEVAULT_POSE_MODEL = MODEL
    plan = read_plan()
    assert plan.descriptor_id not in {"look1-color", ""}
    describe_photo(photo, plan)
    assert PhotoLook.objects.get(face=None).has_pose
