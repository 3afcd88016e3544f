"""A recording in: each appearance is one entry or one sighting, once, however often and however rudely it is interrupted."""

from __future__ import annotations

import errno
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.utils import timezone

from recognition import leases
from recognition.events.deletion import delete_event, delete_next_batch
from recognition.gallery_journal import touch_gallery
from recognition.images import encode_jpeg
from recognition.ingest import describe_faces
from recognition.leases import claim_next
from recognition.models import Event, Face, Photo, Sighting, Track, UnlabeledFace, Video, VideoFrame
from recognition.photos.edits import PhotoRefusal, move_photo
from recognition.redetection import photos_to_redetect
from recognition.storage import crop_path, original_path, preview_path, thumb_path, video_path
from recognition.uploads.adding import UploadResult, add_files
from recognition.videos import looking
from recognition.videos.adding import add_video_in_place
from recognition.videos.decoding import Frame
from recognition.videos.entries import _mark
from recognition.videos.matching_tracks import match_appearances
from recognition.videos.removal import VideoRefusal, delete_video
from recognition.videos.work import process_next_video, retry_videos, sweep_videos, waiting_videos
from tests.conftest import make_user
from tests.factories import make_event, make_person, make_reference
from tests.fakes import EMBEDDER_ID, vector_of
from tests.recognition.videos.drawn import walk, write_video

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("drawn_faces")]
BEGAN = "2026-05-01T12:00:00Z"
# Of walk(10), ten frames a second: who, from when to when, in how many frames.
APPEARANCES = [(0, 900, 10), (0, 400, 5), (500, 900, 5)]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "walk.mkv", walk(10), created=BEGAN)


def ingest(path: Path, *options: str, event: str = "Party", interval: str = "0.1") -> str:
    out = io.StringIO()
    arguments = [str(path), "--event", event, "--interval", interval, *options]
    call_command("ingest_video", *arguments, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def appearances() -> list[tuple[int, int, int]]:
    return sorted(
        Track.objects.values_list("first_ms", "last_ms", "frames"), key=lambda one: (one[0], -one[1])
    )


def work(*, frames: int = 1000) -> None:
    """One slice of a worker, of so many frames."""
    left = iter(range(frames - 1))
    process_next_video(seconds=60, interrupted=lambda: next(left, None) is None)


def know(name: str, color: str) -> int:
    """A person whose verified reference looks like that."""
    person = make_person(name)
    make_reference(person, vector_of(color), embedder_id=EMBEDDER_ID)
    return person.pk


def test_each_appearance_gets_one_entry_with_its_span(video: Path) -> None:
    said = ingest(video)
    assert "10 frames looked at; 3 appearances in" in said
    assert "0 named, 3 for the queue." in said
    assert appearances() == APPEARANCES
    assert UnlabeledFace.objects.open().count() == Face.objects.count() == 3
    assert not VideoFrame.objects.exists()
    assert Video.objects.get().state == Video.State.DONE


def test_its_best_frame_is_a_photo_that_says_where_it_is_from(video: Path) -> None:
    ingest(video)
    row = Video.objects.get()
    photos = list(Photo.objects.all())
    assert photos
    for photo in photos:
        assert (photo.origin, photo.video, photo.state) == ("frame", row, "done")
        assert photo.frame_ms == 100 * (photo.frame_number or 0)
        assert photo.name == f"walk.mkv at 0:00.{photo.frame_number}"
        assert photo.captured_at == datetime(2026, 5, 1, 12, tzinfo=UTC) + timedelta(
            milliseconds=photo.frame_ms or 0
        )
        for path in (original_path(photo.sha256, "JPEG"), preview_path(photo), thumb_path(photo)):
            assert path.read_bytes()[:2] == b"\xff\xd8"
    assert all(crop_path(face).exists() for face in Face.objects.all())


def test_the_same_file_again_changes_nothing(video: Path) -> None:
    ingest(video)
    before = list(Track.objects.values()), list(Photo.objects.values()), list(Video.objects.values())
    said = ingest(video, interval="0.5")
    assert "walk.mkv is in the event already." in said
    assert "It was added with an interval of 0.1 s, which stays." in said
    after = list(Track.objects.values()), list(Photo.objects.values()), list(Video.objects.values())
    assert after == before


def test_who_is_known_gets_a_sighting_and_no_entry(video: Path) -> None:
    ann = know("Ann", "red")
    said = ingest(video)
    assert "1 named, 2 for the queue." in said
    sighting = Sighting.objects.get(face__track__isnull=False)
    assert sighting.person_id == ann
    assert sighting.face.track.last_ms == 900


def test_two_who_are_there_at_one_time_are_never_one_person(tmp_path: Path) -> None:
    """Two red faces would be found as one square: one is purple, and purple is as much Ann's color here."""
    know("Ann", "red")
    ann = Sighting.objects.get().person
    make_reference(ann, vector_of("purple"), embedder_id=EMBEDDER_ID)
    path = write_video(tmp_path / "v.mkv", [{"red": (20, 20), "purple": (300, 20)}] * 6)
    assert "2 appearances" in (said := ingest(path))
    assert "0 named, 2 for the queue." in said


def test_who_comes_back_later_is_named_again(tmp_path: Path) -> None:
    ann = know("Ann", "red")
    moments = [*range(0, 600, 100), *range(20_000, 20_600, 100)]
    path = write_video(tmp_path / "v.mkv", [{"red": (20, 20)}] * 12, moments=moments)
    ingest(path)
    assert appearances() == [(0, 500, 6), (20_000, 20_500, 6)]
    assert list(Sighting.objects.filter(face__track__isnull=False).values_list("person", flat=True)) == [
        ann,
        ann,
    ]


@pytest.mark.parametrize("frames", [1, 3, 7])
def test_in_slices_of_a_worker_it_comes_out_the_same(video: Path, frames: int) -> None:
    ingest(video, "--no-process")
    while waiting_videos().exclude(state="done").exists():
        work(frames=frames)
        assert Video.objects.get().state in {"queued", "done"}
        assert Video.objects.get().attempts in {0, 1}
    assert appearances() == APPEARANCES


def test_a_slice_that_came_further_costs_no_attempt(video: Path) -> None:
    ingest(video, "--no-process")
    Video.objects.update(attempts=2)
    work(frames=2)
    row = Video.objects.get()
    assert (row.state, row.attempts, row.frames_done) == ("queued", 0, 2)


def test_another_embedder_begins_again(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(video, "--no-process")
    work(frames=4)
    assert VideoFrame.objects.count() == 4
    Video.objects.update(embedder_id="another")
    work(frames=2)
    row = Video.objects.get()
    assert (row.embedder_id, row.frames_done, VideoFrame.objects.count()) == (EMBEDDER_ID, 2, 2)
    work()
    assert appearances() == APPEARANCES


def test_a_name_given_meanwhile_is_seen_before_anything_is_written(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recognition.videos import entries

    ann: list[int] = []
    ask = match_appearances

    def ask_then_name(*args: object, **options: object) -> object:
        matched = ask(*args, **options)  # type: ignore[arg-type]
        if not ann:
            with transaction.atomic():
                touch_gallery([])
                ann.append(know("Ann", "red"))
        return matched

    monkeypatch.setattr(entries, "match_appearances", ask_then_name)
    ingest(video)
    assert Sighting.objects.get(face__track__isnull=False).person_id == ann[0]


def test_a_worker_that_lost_its_lease_writes_nothing(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(video, "--no-process")
    describe = describe_faces

    def lose(*args: object) -> object:
        Video.objects.update(lease="00000000-0000-4000-8000-000000000000")
        return describe(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(looking, "describe_faces", lose)
    work()
    assert not VideoFrame.objects.exists()
    assert Video.objects.get().state == "processing"


def test_a_full_disk_is_waited_for(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ingest(video, "--no-process")

    def full(*args: object, **options: object) -> Iterator[object]:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(looking, "sample_frames", full)
    work()
    row = Video.objects.get()
    assert (row.state, row.failure_code, row.attempts) == ("queued", "no_space", 0)


def test_a_file_that_is_gone_fails_and_says_what_to_do(video: Path) -> None:
    ingest(video, "--no-process")
    content = video.read_bytes()
    video.unlink()
    work()
    row = Video.objects.get()
    assert (row.state, row.failure_code) == ("failed", "original_missing")
    assert "press Retry" in row.failure_reason
    moved = video.with_name("moved.mkv")
    moved.write_bytes(content)
    assert "3 appearances" in ingest(moved)


def test_a_damaged_end_leaves_what_was_readable_and_says_so(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mkv", walk(40))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    said = ingest(path)
    row = Video.objects.get()
    assert (row.state, row.failure_code) == ("done", "damaged")
    assert row.failure_reason in said
    assert "0:04" in row.failure_reason
    assert Track.objects.exists()


def test_a_text_of_the_name_of_a_video_makes_no_event(tmp_path: Path) -> None:
    path = tmp_path / "video.mp4"
    path.write_text("#EXTM3U\nfile:///etc/passwd\n")
    with pytest.raises(CommandError, match="no video that FaceVault knows"):
        ingest(path)
    assert not Event.objects.exists()


def test_a_file_that_fails_ends_the_command_with_its_reason(
    video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(video, "--no-process")
    Video.objects.update(state="failed", failure_code="x", failure_reason="It broke.")
    monkeypatch.setattr(looking, "describe_faces", None)
    monkeypatch.setattr(leases, "_BACKOFF_SECONDS", {1: 0, 2: 0})
    with pytest.raises(CommandError, match="could not process this video"):
        ingest(video)


# Uploads


def upload(event: Event, path: Path, user: object = None) -> UploadResult:
    with path.open("rb") as file:
        [result] = add_files(event=event, files=[(path.name, file)], user=user)  # type: ignore[arg-type]
    return result


def test_an_uploaded_video_is_kept_and_processed(video: Path) -> None:
    event = make_event()
    result = upload(event, video)
    row = Video.objects.get()
    assert (result.outcome, result.video, result.photo) == ("added", row, None)
    assert video_path(row.sha256).read_bytes() == video.read_bytes()
    Video.objects.update(interval_ms=100)
    work()
    assert appearances() == APPEARANCES
    assert video_path(row.sha256).exists()


def test_a_video_that_is_there_already_is_a_duplicate(video: Path) -> None:
    event = make_event()
    upload(event, video)
    result = upload(event, video)
    assert (result.outcome, result.code, Video.objects.count()) == ("duplicate", "duplicate", 1)


def test_a_video_named_like_a_photo_is_a_video_and_a_broken_one_is_refused(
    video: Path, tmp_path: Path
) -> None:
    event = make_event()
    video.rename(tmp_path / "holiday.jpg")
    assert upload(event, tmp_path / "holiday.jpg").video is not None
    (tmp_path / "b.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + b"nonsense" * 1000)
    result = upload(event, tmp_path / "b.mp4")
    assert (result.outcome, result.code) == ("refused", "damaged")
    assert len(list((video_path("ab").parents[1]).rglob("*.video"))) == 1


def test_a_video_that_is_too_large_is_refused(video: Path, settings: object, tmp_path: Path) -> None:
    settings.FACEVAULT_MAX_VIDEO_MB = 1  # type: ignore[attr-defined]
    large = tmp_path / "large.mkv"
    large.write_bytes(video.read_bytes() + bytes(2 * 1024 * 1024))
    assert upload(make_event(), large).code == "file_too_large"


def test_failed_videos_go_on_when_retried(video: Path) -> None:
    ingest(video, "--no-process")
    work(frames=3)
    Video.objects.update(state="failed", failure_code="worker_died", attempts=3)
    assert retry_videos(Video.objects.all()) == 1
    work()
    assert appearances() == APPEARANCES


def test_the_sweep_takes_up_what_a_dead_worker_dropped(video: Path) -> None:
    ingest(video, "--no-process")
    claim_next(waiting_videos())
    Video.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep_videos() == 1
    assert Video.objects.get().state == "queued"


# Out again


def test_deleting_a_video_takes_its_photos_and_its_copy(video: Path) -> None:
    event = make_event()
    upload(event, video)
    work()
    row = Video.objects.get()
    kept = [original_path(photo.sha256, "JPEG") for photo in Photo.objects.all()]
    assert kept
    delete_video(row)
    assert not Video.objects.exists()
    assert not Photo.objects.exists()
    assert not Face.objects.exists()
    assert not any(path.exists() for path in [*kept, video_path(row.sha256)])


def test_a_file_that_was_read_in_place_stays(video: Path) -> None:
    ingest(video)
    delete_video(Video.objects.get())
    assert video.exists()


def test_the_copy_stays_as_long_as_another_event_needs_it(video: Path) -> None:
    upload(make_event(), video)
    upload(make_event(), video)
    first, second = Video.objects.all()
    delete_video(first)
    assert video_path(second.sha256).exists()
    delete_video(second)
    assert not video_path(second.sha256).exists()


def test_a_video_in_a_workers_hands_is_not_deleted(video: Path) -> None:
    ingest(video, "--no-process")
    claim_next(waiting_videos())
    with pytest.raises(VideoRefusal):
        delete_video(Video.objects.get())
    assert Video.objects.exists()


def test_an_event_goes_with_its_videos(video: Path) -> None:
    event = make_event()
    upload(event, video)
    work(frames=3)
    delete_event(event)
    while delete_next_batch():
        pass
    assert not Event.objects.exists()
    assert not Video.objects.exists()
    assert not list((video_path("ab").parents[1]).rglob("*.video"))


def test_an_event_waits_for_the_worker_that_has_its_video_in_hand(video: Path) -> None:
    event = make_event()
    upload(event, video)
    claim_next(waiting_videos())
    delete_event(event)
    assert not delete_next_batch()
    assert Video.objects.exists()


def test_a_video_of_a_deleted_event_is_not_processed(video: Path) -> None:
    event = make_event()
    upload(event, video)
    delete_event(event)
    assert process_next_video(seconds=1, interrupted=lambda: False) is None


def test_a_frame_stays_in_the_event_of_its_video(video: Path) -> None:
    ingest(video)
    boss = make_user("boss", "manager")
    photo = Photo.objects.all()[0]
    with pytest.raises(PhotoRefusal, match="frame of a video"):
        move_photo(photo=photo, to=make_event(), user=boss)


def test_a_frame_is_left_alone_by_another_detector(video: Path) -> None:
    ingest(video)
    assert not photos_to_redetect(Photo.objects.all(), everything=True).exists()


def test_the_same_video_in_two_events_has_its_entries_in_each(video: Path) -> None:
    ingest(video)
    ingest(video, event="Second party")
    assert Track.objects.count() == 6
    assert Photo.objects.values("sha256").distinct().count() * 2 == Photo.objects.count()


def test_the_frames_of_a_camera_that_stands_still_are_other_photos() -> None:
    rgb = np.zeros((20, 20, 3), dtype=np.uint8)
    video = Video(sha256="a" * 64)
    marked = {_mark(encode_jpeg(rgb, quality=92), video, Frame(number=n, at_ms=n, rgb=rgb)) for n in (1, 2)}
    assert len(marked) == 2


def test_adding_in_place_hears_of_every_byte(video: Path) -> None:
    heard: list[int] = []
    add_video_in_place(event=make_event(), path=video, interval_ms=None, on_bytes=heard.append)
    assert sum(heard) == video.stat().st_size
