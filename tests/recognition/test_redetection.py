"""Faces looked for again: whatever a person said of one stays with it, by whatever detector."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from numpy.typing import NDArray

from labeling.decisions import label_face, record_verdict, reject_person, undo_decision
from labeling.models import Cluster, ClusterMember, Rejection
from recognition import detection, redetection
from recognition.detection import DetectedFace
from recognition.gallery_journal import read_gallery_state
from recognition.geometry import Box
from recognition.ingest import match_faces, process_next_photo
from recognition.models import (
    Embedding,
    Event,
    Face,
    ManualBox,
    NamedRegion,
    Photo,
    Sighting,
    UnlabeledFace,
)
from recognition.photos.drawn_faces import process_next_box
from recognition.redetection import PhotoGone, Redetected, redetect_photo
from recognition.storage import crop_path
from recognition.uploads.adding import add_photo
from tests.factories import make_event, make_person, make_reference
from tests.fakes import EMBEDDER_ID, DrawnDetector, draw_photo, vector_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]


class OtherDetector(DrawnDetector):
    """The drawn detector at another setting: boxes moved and grown, some colors missed."""

    def __init__(self, *, grow: float = 0.1, move: float = 3.0, misses: tuple[int, ...] = ()) -> None:
        self.detector_id = "drawn at another setting"
        self.grow, self.move, self.misses = grow, move, misses

    def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
        found = []
        for number, face in enumerate(super().detect(rgb)):
            box = face.box.padded(self.grow)
            moved = Box(
                box.left + self.move, box.top + self.move, box.right + self.move, box.bottom + self.move
            )
            if number not in self.misses:
                found.append(DetectedFace(moved, face.landmarks + np.float32(self.move), 0.95))
        return found


@pytest.fixture
def change_detector(monkeypatch: pytest.MonkeyPatch) -> Any:
    def change(**options: Any) -> None:
        detector = OtherDetector(**options)
        monkeypatch.setattr(detection, "get_detector", lambda: detector)

    return change


def processed(*colors: str, event: Event | None = None, salt: int = 0) -> Photo:
    data = draw_photo(*colors, salt=salt)
    photo = add_photo(event=event or make_event(), file=io.BytesIO(data), name=f"{salt}.png").photo
    assert photo is not None
    process_next_photo()
    photo.refresh_from_db()
    return photo


def rows_of(photo: Photo) -> dict[str, Any]:
    """Everything that people said, without what was measured."""
    faces = Face.objects.filter(photo=photo).order_by("pk")
    return {
        "faces": list(faces.values_list("pk", "face_id", "by_hand", "version")),
        "sightings": list(Sighting.objects.filter(face__photo=photo).order_by("pk").values()),
        "queue": list(
            UnlabeledFace.objects.filter(face__photo=photo)
            .order_by("pk")
            .values("face", "reviewed", "verdict")
        ),
        "rejections": list(Rejection.objects.filter(face__photo=photo).order_by("pk").values()),
        "members": list(
            ClusterMember.objects.filter(face__photo=photo).order_by("pk").values("face", "cluster")
        ),
    }


def test_a_face_that_is_found_elsewhere_keeps_its_row_and_is_measured_anew(
    change_detector: Any, labeler: User
) -> None:
    photo = processed("red", "green", "blue", "yellow")
    red, green, blue, yellow = Face.objects.order_by("left")
    label_face(face=red, actor=labeler, name="Red")
    record_verdict(face=green, kind="stranger", actor=labeler)
    reject_person(face=blue, person=make_person("Bob"), actor=labeler)
    cluster = Cluster.objects.create(event=photo.event, open_count=1)
    ClusterMember.objects.create(cluster=cluster, face=yellow, closeness=0.9)
    before, crop = rows_of(photo), crop_path(red)
    change_detector()
    assert redetect_photo(photo) == Redetected(matched=4, changed=4)
    assert rows_of(photo) == before
    red.refresh_from_db()
    photo.refresh_from_db()
    assert (red.left, red.width, red.detector_score) == (17, 72, 0.95)
    assert photo.detector_id == "drawn at another setting"
    assert crop_path(red).exists()
    assert not crop.exists()


def test_a_changed_reference_is_told_to_every_index(change_detector: Any, labeler: User) -> None:
    photo = processed("red")
    label_face(face=Face.objects.get(), actor=labeler, name="Red")
    version = read_gallery_state().version
    change_detector()
    redetect_photo(photo)
    assert read_gallery_state().version == version + 1


def test_what_looks_the_same_is_not_written(labeler: User) -> None:
    photo = processed("red", "blue")
    version, face = read_gallery_state().version, Face.objects.order_by("pk").first()
    assert redetect_photo(photo) == Redetected(matched=2)
    assert read_gallery_state().version == version
    assert face is not None
    assert crop_path(face).exists()


def test_a_face_that_was_missed_before_is_queued_or_named_like_any_other(change_detector: Any) -> None:
    red = make_person("Red")
    make_reference(red, vector_of("red"), embedder_id=EMBEDDER_ID)
    photo = processed("red", "green", "blue")
    for face in Face.objects.filter(photo=photo, left__lt=150):
        Sighting.objects.filter(face=face).delete()
        UnlabeledFace.objects.filter(face=face).delete()
        face.delete()
    change_detector()
    assert redetect_photo(photo).added == 2
    assert Sighting.objects.get(face__photo=photo).person == red
    assert UnlabeledFace.objects.open().filter(face__photo=photo).count() == 2


def test_a_name_that_the_photo_tells_gets_the_face_that_was_missed_before(change_detector: Any) -> None:
    photo = processed("red", "green")
    face = Face.objects.order_by("left")[0]
    box = {"left": face.left, "top": face.top, "width": face.width, "height": face.height}
    region = NamedRegion.objects.create(photo=photo, name="Alice", **box)
    UnlabeledFace.objects.filter(face=face).delete()
    face.delete()
    change_detector()
    redetect_photo(photo)
    region.refresh_from_db()
    assert region.face == Face.objects.order_by("left")[0]


def test_nobody_is_named_twice_on_a_photo(change_detector: Any, labeler: User) -> None:
    photo = processed("red", "green")
    red, green = Face.objects.order_by("left")
    alice = make_person("Alice")
    label_face(face=green, actor=labeler, person=alice)
    make_reference(alice, vector_of("red"), embedder_id=EMBEDDER_ID)
    UnlabeledFace.objects.filter(face=red).delete()
    red.delete()
    assert redetect_photo(photo).added == 1
    assert not Sighting.objects.filter(face__photo=photo).exclude(face=green).exists()
    assert UnlabeledFace.objects.open().filter(face__photo=photo).count() == 1


def test_a_machines_name_goes_with_a_face_that_is_not_found_any_more(change_detector: Any) -> None:
    make_reference(make_person("Red"), vector_of("red"), embedder_id=EMBEDDER_ID)
    photo = processed("red", "green")
    crops = [crop_path(face) for face in Face.objects.filter(photo=photo)]
    change_detector(misses=(0, 1))
    assert redetect_photo(photo) == Redetected(removed=2)
    assert not Face.objects.filter(photo=photo).exists()
    assert not Embedding.objects.filter(face__photo=photo).exists()
    assert not [path for path in crops if path.exists()]


@pytest.mark.parametrize(
    "kind", ["label", "reject", "skip", "ask", "stranger", "not_a_face", "poor", "undone"]
)
def test_a_face_that_a_person_said_anything_about_stays_without_being_found(
    kind: str, change_detector: Any, labeler: User
) -> None:
    photo = processed("red")
    face = Face.objects.get()
    if kind == "label":
        label_face(face=face, actor=labeler, name="Red")
    elif kind == "reject":
        reject_person(face=face, person=make_person("Bob"), actor=labeler)
    elif kind == "undone":
        undo_decision(decision=label_face(face=face, actor=labeler, name="Red"), actor=labeler)
    else:
        record_verdict(face=face, kind=kind, actor=labeler)
    before = rows_of(photo)
    change_detector(misses=(0,))
    assert redetect_photo(photo) == Redetected(kept=1)
    assert rows_of(photo) == before


def test_a_face_that_a_person_drew_keeps_its_box(change_detector: Any, labeler: User) -> None:
    photo = processed("red")
    box = ManualBox.objects.create(photo=photo, left=300, top=200, width=80, height=90)
    process_next_box()
    box.refresh_from_db()
    drawn = box.face
    change_detector()
    result = redetect_photo(photo)
    assert (result.matched, result.added, result.removed) == (2, 0, 0)
    assert drawn is not None
    drawn.refresh_from_db()
    assert (drawn.left, drawn.top, drawn.width, drawn.height) == (300, 200, 80, 90)


def test_a_detection_at_a_drawn_face_is_no_second_face(change_detector: Any, labeler: User) -> None:
    change_detector()
    photo = processed("red")
    Face.objects.update(by_hand=True, left=15, top=95, width=70, height=70)
    result = redetect_photo(photo)
    assert (result.matched, result.added) == (1, 0)
    assert Face.objects.get().left == 15


def test_a_decision_while_the_photo_is_looked_at_is_kept(
    change_detector: Any, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = processed("red")
    change_detector(misses=(0,))
    real, calls = match_faces, list[Any]()

    def match_then_name(*args: Any) -> Any:
        answer = real(*args)
        if not calls:
            label_face(face=Face.objects.get(), actor=labeler, name="Red")
        calls.append(answer)
        return answer

    monkeypatch.setattr(redetection, "match_faces", match_then_name)
    assert redetect_photo(photo) == Redetected(kept=1)
    assert len(calls) == 2
    assert Sighting.objects.get().person.name == "Red"


def test_a_photo_that_was_deleted_meanwhile_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = processed("red")
    Photo.objects.filter(pk=photo.pk).update(state="queued")
    with pytest.raises(PhotoGone):
        redetect_photo(photo)
    assert Face.objects.count() == 1


def run(*options: str) -> str:
    out = io.StringIO()
    call_command("redetect_photos", *options, stdout=out, stderr=out)
    return out.getvalue()


def test_the_command_does_only_what_another_detector_found(change_detector: Any) -> None:
    event = make_event("Party")
    processed("red", event=event)
    processed("green", event=make_event("Other"), salt=1)
    change_detector()
    assert "1 photos looked at: 1 faces matched (1 of them measured anew)" in run("--event", "party")
    assert "1 photos looked at" in run()
    assert "Every photo was looked at by this detector already" in run()
    assert "2 photos looked at: 2 faces matched (0 of them" in run("--all")


def test_a_dry_run_says_what_would_change_and_changes_nothing(change_detector: Any, labeler: User) -> None:
    photo = processed("red", "green")
    rows, files = list(Face.objects.values()), sorted(crop_path(face) for face in Face.objects.all())
    change_detector(misses=(1,))
    said = run("--dry-run")
    assert "1 faces matched (1 of them would be measured anew), 0 would be added, 1 would be removed" in said
    assert list(Face.objects.values()) == rows
    folder = files[0].parents[1]
    assert sorted(path for path in folder.rglob("*.jpg")) == files
    photo.refresh_from_db()
    assert photo.detector_id == "drawn"


def test_a_lost_original_is_named_and_the_others_go_on(change_detector: Any) -> None:
    from recognition.storage import original_path

    lost, whole = processed("red"), processed("green", salt=1)
    original_path(lost.sha256, lost.format).unlink()
    change_detector()
    said = run()
    assert f"0.png (photo {lost.pk}): the file of this photo is gone" in said
    assert "1 photos looked at" in said
    assert "1 photos could not be looked at" in said
    assert Face.objects.get(photo=whole).detector_score == 0.95
    assert Face.objects.get(photo=lost).detector_score == 0.99


def test_an_event_that_is_not_there_is_an_error() -> None:
    with pytest.raises(CommandError, match="no event of the name"):
        run("--event", "Nowhere")
