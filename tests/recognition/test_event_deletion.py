"""Deleting an event: gone at once, removed batch by batch, and a file stays as long as any photo needs it."""

from __future__ import annotations

import os
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from labeling.decisions import label_face as decide
from labeling.decisions import set_reference
from labeling.models import Decision, Rejection
from recognition import ingest
from recognition.events import deletion
from recognition.events.deletion import (
    count_consequences,
    delete_event,
    delete_next_batch,
    delete_some,
    sweep_deletions,
)
from recognition.gallery_index import GalleryIndex
from recognition.gallery_journal import lock_gallery_state, read_gallery_state
from recognition.ingest import process_next_photo
from recognition.models import (
    Event,
    Export,
    Face,
    GalleryChange,
    NamedRegion,
    Person,
    Photo,
    PhotoLook,
    RegionReading,
    Sighting,
    Track,
    UnlabeledFace,
    Video,
    VideoFrame,
)
from recognition.photos.edits import move_photo
from recognition.photos.orphans import remove_orphans
from recognition.photos.removal import remove_photos
from recognition.search import find_top_k
from recognition.uploads.adding import UploadResult, add_photo
from tests.factories import (
    DIMENSION,
    EMBEDDER_ID,
    activate_embedder,
    label_face,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    unit_vectors,
)
from tests.fakes import draw_photo
from tests.recognition.looks.sample import make_look

pytestmark = pytest.mark.django_db


def add(event: Event, data: bytes) -> UploadResult:
    return add_photo(event=event, file=BytesIO(data), name="photo.png")


def files_of(folder: Path) -> set[str]:
    kinds = ("photos", "previews", "thumbs", "crops")
    return {str(path.relative_to(folder)) for kind in kinds for path in (folder / kind).rglob("*.*")}


def remove_all() -> int:
    """How many batches it took."""
    batches = 0
    while delete_next_batch():
        batches += 1
    return batches


def make_export(event: Event | None = None, *, person: Person | None = None, user: User) -> Export:
    later = timezone.now() + timedelta(hours=1)
    return Export.objects.create(user=user, event=event, person=person, expires_at=later)


def test_the_consequences_are_counted(manager: User) -> None:
    event, other = make_event(), make_event()
    photo = make_photo(event)
    alice, bob = make_person("Alice"), make_person("Bob")
    label_face(make_face(photo), alice)
    label_face(make_face(photo), bob)
    label_face(make_face(make_photo(other)), bob)
    Sighting.objects.create(
        face=make_face(photo),
        person=make_person("Carol"),
        decided_by="machine",
        similarity=0.9,
        seen_at=photo.taken_at,
    )
    make_unlabeled(photo=photo)
    make_export(event, user=manager)
    make_export(person=alice, user=manager)
    make_export(other, user=manager)
    found = count_consequences(event)
    assert (found.photos, found.faces, found.verified, found.references) == (1, 4, 2, 2)
    # Alice and Carol are nowhere else.
    assert (found.people_left, found.exports) == (2, 2)


def test_it_is_invisible_at_once_and_its_name_is_free(manager: User) -> None:
    event = make_event("Graduation")
    label_face(make_face(make_photo(event)), make_person())
    assert delete_event(event)
    manager = User.objects.get(pk=manager.pk)
    for model in (Event, Photo, Face, Sighting):
        assert not model.objects.visible_to(manager).exists()
    assert Photo.objects.exists()
    make_event("Graduation")
    assert not delete_event(event)


def test_a_worker_is_asked_for_in_the_same_transaction() -> None:
    event = make_event()
    with transaction.atomic():
        delete_event(event)
        transaction.set_rollback(True)
    assert not DBTaskResult.objects.exists()
    delete_event(event)
    assert "delete_events" in DBTaskResult.objects.get().task_path


def test_everything_in_it_goes_and_nothing_else() -> None:
    event, other = make_event(), make_event()
    person = make_person()
    kept = make_face(make_photo(other))
    label_face(kept, person)
    gone = make_face(make_photo(event))
    label_face(gone, person)
    entry = make_unlabeled(photo=gone.photo)
    decision = Decision.objects.create(kind="label", face=gone, person=person)
    Rejection.objects.create(
        face=entry.face, person=person, decision=Decision.objects.create(kind="reject", face=entry.face)
    )
    version = read_gallery_state().version
    delete_event(event)
    remove_all()
    assert list(Event.objects.all()) == [other]
    assert list(Face.objects.all()) == [kept]
    assert not UnlabeledFace.objects.exists()
    assert not Rejection.objects.exists()
    decision.refresh_from_db()
    assert (decision.face, decision.person) == (None, person)
    touched = set(GalleryChange.objects.filter(version__gt=version).values_list("face", flat=True))
    assert {gone.pk, entry.face_id} <= touched


def test_what_was_noted_of_its_photos_goes_along() -> None:
    event, other = make_event(), make_event()
    for where in (event, other):
        photo = make_photo(where)
        face = make_face(photo)
        make_look(photo)
        make_look(photo, face=face)
        NamedRegion.objects.create(photo=photo, face=face, name="Ada Told", left=1, top=1, width=9, height=9)
        RegionReading.objects.create(event=where, state="done")
        video = Video.objects.create(
            event=where,
            sha256=uuid4().hex * 2,
            name="speech.mp4",
            byte_size=10,
            width=64,
            height=48,
            duration_ms=4000,
            interval_ms=200,
            state="done",
        )
        VideoFrame.objects.create(video=video, number=0, at_ms=0, faces=[], vectors=b"")
        Track.objects.create(video=video, face=face, first_ms=0, last_ms=1000, frames=6)
    delete_event(event)
    remove_all()
    counts = {
        model: model._default_manager.count()
        for model in (NamedRegion, RegionReading, Track, Video, VideoFrame)
    }
    assert set(counts.values()) == {1}, counts
    assert set(PhotoLook.objects.values_list("photo__event", flat=True)) == {other.pk}


def test_it_goes_batch_by_batch_and_a_task_leaves_the_rest_to_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deletion, "PHOTOS_PER_BATCH", 2)
    monkeypatch.setattr(deletion, "BATCHES_PER_TASK", 2)
    event = make_event()
    for _ in range(5):
        make_photo(event)
    delete_event(event)
    assert delete_some()
    assert Photo.objects.count() == 1
    # The last photo, and the event itself.
    assert delete_some()
    assert not Event.objects.exists()
    assert not delete_some()


def test_what_a_dead_worker_dropped_is_taken_up() -> None:
    sweep_deletions()
    assert not DBTaskResult.objects.exists()
    delete_event(make_event())
    DBTaskResult.objects.update(status="RUNNING")
    sweep_deletions()
    sweep_deletions()
    assert DBTaskResult.objects.filter(status="READY").count() == 1


def test_a_batch_that_breaks_in_the_middle_is_done_again(
    monkeypatch: pytest.MonkeyPatch, drawn_faces: None, data_folder: Path
) -> None:
    event = make_event()
    for salt in range(2):
        add(event, draw_photo("red", "blue", salt=salt))
        process_next_photo()
    delete_event(event)

    def stop(name: str) -> None:
        if name == "files_removed":
            raise RuntimeError

    monkeypatch.setattr("recognition.photos.removal.crash_point", stop)
    with pytest.raises(RuntimeError):
        delete_next_batch()
    assert Photo.objects.count() == 2
    assert Face.objects.count() == 4
    monkeypatch.undo()
    remove_all()
    assert not Event.objects.exists()
    assert files_of(data_folder) == set()


@pytest.mark.usefixtures("drawn_faces")
class TestFiles:
    def test_all_of_them_go(self, data_folder: Path) -> None:
        event = make_event()
        add(event, draw_photo("red", "blue"))
        process_next_photo()
        assert len(files_of(data_folder)) == 5
        delete_event(event)
        remove_all()
        assert files_of(data_folder) == set()

    def test_what_another_event_shares_stays(self, data_folder: Path) -> None:
        event, other = make_event(), make_event()
        data = draw_photo("red", "blue")
        for each in (event, other):
            add(each, data)
            process_next_photo()
        before = files_of(data_folder)
        delete_event(event)
        remove_all()
        assert files_of(data_folder) == before
        delete_event(other)
        remove_all()
        assert files_of(data_folder) == set()

    def test_a_photo_of_other_bytes_with_the_same_face_keeps_its_crop(self, data_folder: Path) -> None:
        event, other = make_event(), make_event()
        add(event, draw_photo("red"))
        process_next_photo()
        crop = Face.objects.get().crop
        twin = make_face(make_photo(other))
        Face.objects.filter(pk=twin.pk).update(crop=crop)
        delete_event(event)
        remove_all()
        assert files_of(data_folder) == {f"crops/{crop[:2]}/{crop}.jpg"}

    def test_a_crop_that_went_while_a_photo_was_matched_is_written_again(
        self, data_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event, other = make_event(), make_event()
        data = draw_photo("red")
        add(event, data)
        process_next_photo()
        add(other, data)
        real = ingest.match_faces

        def delete_meanwhile(*arguments: Any) -> object:
            monkeypatch.undo()
            delete_event(event)
            remove_all()
            return real(*arguments)

        monkeypatch.setattr("recognition.ingest.match_faces", delete_meanwhile)
        process_next_photo()
        face = Face.objects.get()
        assert f"crops/{face.crop[:2]}/{face.crop}.jpg" in files_of(data_folder)
        assert len(files_of(data_folder)) == 4


class TestUploadOfTheSameBytes:
    """Either the deleter sees the new photo's row and leaves the file, or the upload puts the file there after it."""

    def test_the_upload_first(self, data_folder: Path) -> None:
        event, other = make_event(), make_event()
        data = draw_photo("red")
        add(event, data)
        delete_event(event)
        assert add(other, data).outcome == "added"
        remove_all()
        assert len(files_of(data_folder)) == 1

    @pytest.mark.django_db(transaction=True)
    def test_the_deleter_first_while_the_upload_is_looked_at(
        self, data_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        event, other = make_event(), make_event()
        data = draw_photo("red")
        add(event, data)
        delete_event(event)

        def delete_first() -> object:
            """The last moment before the upload holds the lock: its file may not be there yet."""
            monkeypatch.undo()
            remove_photos(Photo.objects.filter(event=event).values_list("pk", flat=True))
            return lock_gallery_state()

        monkeypatch.setattr("recognition.uploads.adding.lock_gallery_state", delete_first)
        assert add(other, data).outcome == "added"
        assert len(files_of(data_folder)) == 1

    def test_a_deleted_event_takes_no_photo_in(self, data_folder: Path) -> None:
        event = make_event()
        delete_event(event)
        assert add(event, draw_photo("red")).code == "event_gone"
        assert files_of(data_folder) == set()
        assert not Photo.objects.exists()


class TestWorkUnderWay:
    def test_a_photo_in_a_workers_hand_is_waited_for(self) -> None:
        event = make_event()
        photo = make_photo(event)
        Photo.objects.filter(pk=photo.pk).update(
            state="processing", lease=uuid4(), lease_until=timezone.now() + timedelta(seconds=30)
        )
        delete_event(event)
        assert not delete_next_batch()
        Photo.objects.filter(pk=photo.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert remove_all() == 2
        assert not Event.objects.exists()

    def test_one_that_waits_for_its_worker_does_not_stop_the_next_event(self) -> None:
        first, second = make_event(), make_event()
        photo = make_photo(first)
        Photo.objects.filter(pk=photo.pk).update(
            state="processing", lease=uuid4(), lease_until=timezone.now() + timedelta(seconds=30)
        )
        delete_event(first)
        delete_event(second)
        remove_all()
        assert list(Event.objects.all()) == [first]

    def test_its_photos_are_not_processed_any_more(self, drawn_faces: None) -> None:
        event = make_event()
        add(event, draw_photo("red"))
        delete_event(event)
        assert process_next_photo() is None

    def test_exports_with_its_photos_are_handed_out_no_more(self, manager: User) -> None:
        event, alice = make_event(), make_person("Alice")
        label_face(make_face(make_photo(event)), alice)
        make_export(event, user=manager)
        make_export(person=alice, user=manager)
        elsewhere = make_export(person=make_person(), user=manager)
        delete_event(event)
        assert list(Export.objects.all()) == [elsewhere]


@pytest.mark.django_db(transaction=True)
def test_a_photo_that_was_matched_before_it_is_matched_again(
    drawn_faces: None, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, other = make_event(), make_event()
    add(event, draw_photo("red"))
    process_next_photo()
    decide(face=Face.objects.get(), actor=labeler, name="Alice")
    add(other, draw_photo("red", salt=1))
    matching = ingest.match_faces

    def match_then_delete(*args: Any) -> Any:
        monkeypatch.undo()
        answer = matching(*args)
        assert answer[1][0].person_id is not None
        delete_event(event)
        return answer

    monkeypatch.setattr(ingest, "match_faces", match_then_delete)
    process_next_photo()
    assert not Sighting.objects.filter(face__photo__event=other).exists()
    assert UnlabeledFace.objects.filter(face__photo__event=other).exists()


@pytest.mark.django_db(transaction=True)
class TestGallery:
    """What is deleted names nobody from the moment of the deletion on, in whatever process."""

    @pytest.fixture(autouse=True)
    def active(self, db: None) -> None:
        activate_embedder()

    def test_its_references_answer_no_search_while_their_rows_still_go(self) -> None:
        event, vector = make_event(), unit_vectors(1)[0]
        make_reference(make_person("Alice"), vector, photo=make_photo(event))
        assert find_top_k(vector)
        delete_event(event)
        assert Sighting.objects.exists()
        assert find_top_k(vector) == []

    def test_people_are_still_found_by_what_they_have_elsewhere(self) -> None:
        event, vector, alice = make_event(), unit_vectors(1)[0], make_person("Alice")
        make_reference(alice, vector, photo=make_photo(event))
        stays = make_reference(alice, vector)
        delete_event(event)
        (found,) = find_top_k(vector)
        assert (found.references, found.reference_count) == ((stays.pk,), 1)

    def test_every_process_forgets_them(self, labeler: User) -> None:
        event, vectors = make_event(), unit_vectors(2)
        gone = make_reference(make_person(), vectors[0], photo=make_photo(event))
        stays = make_reference(make_person(), vectors[1])
        processes = [GalleryIndex(EMBEDDER_ID, DIMENSION) for _ in range(2)]
        assert [index.refresh() and index.member_ids() for index in processes] == [{gone.pk, stays.pk}] * 2
        set_reference(face=stays, reference=False, actor=labeler)
        delete_event(event)
        remove_all()
        for index in processes:
            assert [hits for hits in index.search(vectors, 5).hits if hits] == []
            assert index.member_ids() == set()

    def test_a_photo_that_moved_out_before_keeps_its_references(self, manager: User) -> None:
        event, vector = make_event(), unit_vectors(1)[0]
        photo = make_photo(event)
        stays = make_reference(make_person(), vector, photo=photo)
        move_photo(photo=photo, to=make_event(), user=manager)
        delete_event(event)
        remove_all()
        (found,) = find_top_k(vector)
        assert found.references == (stays.pk,)


class TestOrphans:
    def test_an_old_file_that_no_row_names_goes(self, data_folder: Path, drawn_faces: None) -> None:
        add(make_event(), draw_photo("red"))
        process_next_photo()
        named = files_of(data_folder)
        for kind in ("photos", "previews", "thumbs", "crops"):
            (data_folder / kind / "ab").mkdir(exist_ok=True)
            (data_folder / kind / "ab" / f"ab{kind}.jpg").write_bytes(b"somebody")
        assert remove_orphans() == 0
        for path in data_folder.rglob("*.*"):
            os.utime(path, (1, 1))
        assert remove_orphans() == 4
        assert files_of(data_folder) == named
