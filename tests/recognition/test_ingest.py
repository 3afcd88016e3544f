"""One photo through the whole path: faces, crops, embeddings, sightings, queue; and what happens when it breaks."""

import errno
import io
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone
from PIL import Image

from recognition import found_faces, ingest
from recognition.active_embedder import change_active_embedder
from recognition.embedders import EmbedderChoice
from recognition.faults import GalleryBusy
from recognition.images import PhotoRefused
from recognition.ingest import process_next_photo
from recognition.models import Calibration, Embedding, Event, Face, Photo, Sighting, UnlabeledFace
from recognition.storage import crop_path, original_path, preview_path, thumb_path
from recognition.uploads.adding import add_photo
from tests.factories import make_event, make_person, make_reference
from tests.fakes import EMBEDDER_ID, draw_photo, vector_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("drawn_faces")]


def upload(data: bytes, event: Event | None = None) -> Photo:
    photo = add_photo(event=event or make_event(), file=io.BytesIO(data), name="photo.png").photo
    assert photo is not None
    return photo


def process(photo: Photo) -> Photo:
    while process_next_photo() is not None:
        pass
    photo.refresh_from_db()
    return photo


def test_unknown_faces_go_to_the_queue_with_all_that_was_measured() -> None:
    photo = process(upload(draw_photo("red", "blue")))
    assert (photo.state, photo.attempts, photo.lease) == ("done", 1, None)
    faces = list(Face.objects.order_by("left"))
    assert [(face.left, face.top, face.width, face.height) for face in faces] == [
        (20, 100, 60, 60),
        (100, 100, 60, 60),
    ]
    assert UnlabeledFace.objects.open().count() == 2
    assert not Sighting.objects.exists()
    stored = Embedding.objects.with_vectors().get(face=faces[0])
    assert stored.embedder_id == EMBEDDER_ID
    np.testing.assert_array_equal(np.frombuffer(stored.vector, "<f4"), vector_of("red"))
    for path in (crop_path(faces[0]), preview_path(photo), thumb_path(photo)):
        with Image.open(path) as image:
            assert image.format == "JPEG"


def test_a_known_face_becomes_a_sighting_that_is_no_reference() -> None:
    red = make_person("Red")
    reference = make_reference(red, vector_of("red"), embedder_id=EMBEDDER_ID)
    photo = process(upload(draw_photo("red", "blue")))
    sighting = Sighting.objects.get(face__photo=photo)
    assert (sighting.person, sighting.decided_by, sighting.is_reference) == (red, "machine", False)
    assert sighting.similarity == pytest.approx(1.0)
    assert sighting.references == [reference.pk]
    assert sighting.thresholds["automatic"] == 0.7
    assert sighting.seen_at == photo.taken_at
    assert UnlabeledFace.objects.open().count() == 1


def test_a_name_given_between_matching_and_writing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    red = make_person("Red")
    photo = upload(draw_photo("red"))
    real, calls = ingest.match_faces, list[Any]()

    def match_then_name(*args: Any) -> Any:
        result = real(*args)
        if not calls:
            make_reference(red, vector_of("red"), embedder_id=EMBEDDER_ID)
        calls.append(result)
        return result

    monkeypatch.setattr(ingest, "match_faces", match_then_name)
    process(photo)
    assert len(calls) == 2
    assert Sighting.objects.get(face__photo=photo).person == red


def test_a_photo_without_faces_is_done() -> None:
    photo = process(upload(draw_photo()))
    assert photo.state == "done"
    assert preview_path(photo).exists()


def test_a_processed_photo_is_not_processed_again() -> None:
    process(upload(draw_photo("red")))
    assert process_next_photo() is None
    assert Face.objects.count() == 1


def test_an_error_is_told_on_the_photo_and_the_next_one_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, whole = upload(draw_photo("red", salt=1)), upload(draw_photo("blue", salt=2))
    real = ingest.find_faces

    def find(photo: Photo, embedder: Any) -> Any:
        if photo.pk == broken.pk:
            raise RuntimeError("the net is out of order")
        return real(photo, embedder)

    monkeypatch.setattr(ingest, "find_faces", find)
    process(whole)
    broken.refresh_from_db()
    assert whole.state == "done"
    assert (broken.state, broken.attempts, broken.failure_code) == ("queued", 1, "processing_error")
    assert "RuntimeError" in broken.failure_reason
    assert "out of order" in caplog.text


PASSING = [
    (OSError(errno.ENOSPC, "No space left on device"), "no_space"),
    (OSError(errno.EDQUOT, "Disk quota exceeded"), "no_space"),
    (OperationalError("database is locked"), "database_unavailable"),
    (GalleryBusy(), "gallery_busy"),
]


@pytest.mark.parametrize(("error", "code"), PASSING)
def test_a_passing_fault_costs_no_attempt_and_is_logged_once(
    error: Exception, code: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    photo = upload(draw_photo("red"))

    def fail(*args: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "find_faces", fail)
        for _ in range(5):
            process(photo)
            assert (photo.state, photo.attempts, photo.failure_code) == ("queued", 0, code)
            assert photo.lease_until is not None
            assert photo.lease_until > timezone.now()
            Photo.objects.update(lease_until=None)
    assert len([one for one in caplog.records if one.name == "recognition.faults"]) == 1
    process(photo)
    assert (photo.state, photo.failure_reason) == ("done", "")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_a_stopped_process_gives_its_photo_back_untried(
    stop: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = upload(draw_photo("red"))

    def interrupt(*args: Any) -> None:
        raise stop

    monkeypatch.setattr(ingest, "find_faces", interrupt)
    with pytest.raises(stop):
        process(photo)
    photo.refresh_from_db()
    assert (photo.state, photo.attempts, photo.lease_until) == ("queued", 0, None)


def test_a_missing_original_fails_at_once_and_says_how_to_bring_it_back() -> None:
    photo = upload(draw_photo("red"))
    original_path(photo.sha256, photo.format).unlink()
    process(photo)
    assert (photo.state, photo.failure_code) == ("failed", "original_missing")
    upload(draw_photo("red"), photo.event)
    assert process(photo).state == "done"


def test_the_reason_of_a_failure_says_what_to_press(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload(draw_photo("red"))

    def fail(*args: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(ingest, "find_faces", fail)
    assert "Press Retry" in process(photo).failure_reason


def test_a_database_that_cannot_even_note_the_fault_does_not_stop_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = upload(draw_photo("red"))

    def fail(*args: Any, **options: Any) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(ingest, "find_faces", fail)
    monkeypatch.setattr("recognition.faults.release_claim", fail)
    assert process(photo).state == "processing"


def test_nothing_is_written_when_the_last_step_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload(draw_photo("red", "blue"))
    real, written = found_faces.write_face, []

    def write(*args: Any, **rest: Any) -> None:
        real(*args, **rest)
        written.append(1)
        if len(written) == 2:
            raise OSError("disk")

    monkeypatch.setattr(ingest, "write_face", write)
    process(photo)
    assert photo.state == "queued"
    assert not Face.objects.exists()
    assert not Embedding.objects.exists()


def test_an_original_that_cannot_be_read_any_more_fails_at_once_with_its_reason() -> None:
    photo = upload(draw_photo("red"))
    path = original_path(photo.sha256, photo.format)
    path.write_bytes(path.read_bytes()[:-100])
    process(photo)
    assert (photo.state, photo.failure_code) == ("failed", "truncated")


def test_a_vector_that_is_no_number_never_reaches_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload(draw_photo("red"))
    bad = np.full((1, 8), np.nan, dtype=np.float32)
    monkeypatch.setattr("tests.fakes.DrawnEmbedder.embed", lambda self, inputs: bad)
    process(photo)
    assert photo.failure_code == "processing_error"
    assert not Embedding.objects.exists()


def test_a_photo_embedded_by_another_embedder_than_the_active_one_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    photo = upload(draw_photo("red"))
    real = ingest.find_faces

    def find_and_change(*args: Any) -> Any:
        found = real(*args)
        change_active_embedder(EmbedderChoice(embedder_id="dlib-resnet", reason="Changed meanwhile."))
        return found

    monkeypatch.setattr(ingest, "find_faces", find_and_change)
    process(photo)
    assert (photo.state, photo.failure_code) == ("queued", "processing_error")
    assert not Embedding.objects.exists()


def test_a_refusal_keeps_its_own_code(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = upload(draw_photo("red"))

    def refuse(*args: Any) -> None:
        raise PhotoRefused("unsupported_format", "Save it as JPEG.")

    monkeypatch.setattr(ingest, "find_faces", refuse)
    process(photo)
    assert (photo.state, photo.failure_code, photo.failure_reason) == (
        "failed",
        "unsupported_format",
        "Save it as JPEG.",
    )


@pytest.mark.django_db(transaction=True)
def test_the_worker_processes_what_waits() -> None:
    photos = [upload(draw_photo("red", salt=salt)) for salt in range(20)]
    call_command("run_worker", batch=True)
    assert Photo.objects.filter(state="done").count() == len(photos)
    assert Face.objects.count() == len(photos)


def test_lines_that_move_while_a_photo_is_matched_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    make_reference(make_person(), vector_of("red"), embedder_id=EMBEDDER_ID)
    photo = upload(draw_photo("red"))
    real = ingest.match_faces

    def match_then_move(*args: Any, **kwargs: Any) -> ingest.Matched:
        monkeypatch.undo()
        matched = real(*args, **kwargs)
        Calibration.objects.create(
            embedder_id=EMBEDDER_ID, gallery_version=1, target=0.001, enrolled=1, references=1, probes=1,
            automatic=2, margin=0.05, suggest=0.5, strict=3,
        )  # fmt: skip
        return matched

    monkeypatch.setattr(ingest, "match_faces", match_then_move)
    assert process(photo).state == "done"
    assert UnlabeledFace.objects.open().count() == 1
    assert not Sighting.objects.filter(decided_by="machine").exists()
