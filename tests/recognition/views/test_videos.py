"""The pages of videos: how far they are, who appears when, trying again, deleting, and where a frame is from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognition.models import Event, Face, Photo, Track, Video
from recognition.videos.listing import describe_span, draw_track, estimate_left
from recognition.videos.words import clock
from tests.conftest import make_local, signed_in
from tests.factories import label_face, make_event, make_face, make_person, make_photo

pytestmark = pytest.mark.django_db


def make_video(event: Event, **changes: object) -> Video:
    values: dict[str, object] = {
        "sha256": "a" * 64,
        "name": "speech.mp4",
        "byte_size": 1000,
        "width": 1600,
        "height": 1200,
        "duration_ms": 10_000,
        "interval_ms": 200,
        "frames_total": 51,
        "state": Video.State.DONE,
    }
    return Video.objects.create(event=event, **{**values, **changes})


def make_track(video: Video, *, first: int = 1000, last: int = 4000) -> Track:
    photo = make_photo(video.event)
    Photo.objects.filter(pk=photo.pk).update(
        origin="frame", video=video, frame_number=photo.pk, frame_ms=first, uploaded_by=video.uploaded_by
    )
    return Track.objects.create(video=video, face=make_face(photo), first_ms=first, last_ms=last, frames=15)


def address(video: Video, tail: str = "") -> str:
    return f"/events/{video.event_id}/videos/{video.video_id}/{tail}"


def read(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_the_event_shows_how_far_a_video_is_and_asks_again(as_manager: Client) -> None:
    video = make_video(
        make_event(), state="queued", frames_done=20, begun_at=timezone.now() - timedelta(seconds=200)
    )
    said = read(as_manager, f"/events/{video.event_id}/")
    assert "<b>20 of 51</b> frames looked at" in said
    assert "about 5 minutes left" in said
    assert f'hx-get="/events/{video.event_id}/videos/"' in said
    assert "No photos yet" not in said


def test_the_fragment_stops_asking_and_the_photos_appear(as_manager: Client) -> None:
    video = make_video(make_event())
    response = as_manager.get(f"/events/{video.event_id}/videos/", headers={"HX-Request": "true"})
    assert "every 3s" not in response.content.decode()
    assert "photos-ready" in response.headers["HX-Trigger-After-Settle"]


def test_without_a_script_the_fragment_leads_to_the_event(as_manager: Client) -> None:
    video = make_video(make_event())
    assert (
        as_manager.get(f"/events/{video.event_id}/videos/").headers["Location"]
        == f"/events/{video.event_id}/"
    )


def test_a_failed_video_says_why_and_is_tried_again(as_manager: Client) -> None:
    video = make_video(make_event(), state="failed", failure_code="x", failure_reason="It broke.", attempts=3)
    assert "It broke." in read(as_manager, address(video))
    assert as_manager.post(address(video, "retry/")).status_code == 302
    video.refresh_from_db()
    assert (video.state, video.attempts) == ("queued", 0)


def test_a_labeler_does_not_retry(as_labeler: Client) -> None:
    video = make_video(make_event(), state="failed", failure_code="x")
    assert as_labeler.post(address(video, "retry/")).status_code == 403
    assert Video.objects.get().state == "failed"


def test_the_page_lists_who_appears_when(as_labeler: Client) -> None:
    video = make_video(make_event())
    named, opened = make_track(video).face, make_track(video, first=6000, last=6000).face
    label_face(named, make_person("Ann Ahn"))
    said = read(as_labeler, address(video))
    assert "2 appearances" in said
    assert "Ann Ahn" in said
    assert "0:01 to 0:04" in said
    assert "at 0:06" in said
    assert str(opened.face_id) in said


def test_an_uploader_sees_their_own_video_without_names() -> None:
    event = make_event()
    uli = make_local("uli", "uploader", event)
    video = make_video(event, uploaded_by=uli)
    label_face(make_track(video).face, make_person("Ann Ahn"))
    said = read(signed_in(uli), address(video))
    assert "Ann Ahn" not in said
    assert "named" in said
    other = make_local("ulf", "uploader", event)
    assert signed_in(other).get(address(video)).status_code == 404


def test_the_video_of_another_event_is_not_found_by_this_ones_address(as_manager: Client) -> None:
    video = make_video(make_event())
    assert as_manager.get(f"/events/{make_event().pk}/videos/{video.video_id}/").status_code == 404


def test_deleting_asks_first_and_takes_the_photos(as_manager: Client) -> None:
    video = make_video(make_event())
    make_track(video)
    said = read(as_manager, address(video, "delete/"))
    assert "1 photo of its frames and 1 face" in said
    assert Video.objects.exists()
    assert as_manager.post(address(video, "delete/")).status_code == 302
    assert not Video.objects.exists()
    assert not Face.objects.exists()


def test_a_video_that_is_worked_on_is_not_deleted(as_manager: Client) -> None:
    video = make_video(
        make_event(),
        state="processing",
        lease="00000000-0000-4000-8000-000000000000",
        lease_until=timezone.now() + timedelta(minutes=1),
    )
    response = as_manager.post(address(video, "delete/"))
    assert response.status_code == 409
    assert "Wait half a minute" in response.content.decode()
    assert Video.objects.exists()


def test_an_uploader_does_not_delete(uploader: User) -> None:
    video = make_video(make_event(), uploaded_by=uploader)
    assert signed_in(uploader).post(address(video, "delete/")).status_code == 403
    assert Video.objects.exists()


def test_the_photo_of_a_frame_says_where_it_is_from(as_labeler: Client) -> None:
    track = make_track(make_video(make_event()), first=1700)
    photo = track.face.photo
    said = read(as_labeler, f"/photos/{photo.pk}/")
    assert f"Frame {photo.pk} of <a" in said
    assert "speech.mp4</a>, at 0:01.7." in said
    assert "Seen 0:01 to 0:04." in said


def test_a_frame_is_not_offered_to_another_event(as_manager: Client) -> None:
    photo = make_track(make_video(make_event())).face.photo
    assert "Move to another event" not in read(as_manager, f"/photos/{photo.pk}/")


def test_bars_stay_within_the_line() -> None:
    track = make_track(make_video(make_event()), first=9_990, last=10_200)
    drawn = draw_track(track, duration_ms=10_000, names=True)
    assert drawn.x + drawn.width <= 1000
    assert drawn.width >= 5


@pytest.mark.parametrize(
    ("ms", "words"), [(0, "0:00"), (3_999, "0:03"), (760_000, "12:40"), (3_723_000, "1:02:03")]
)
def test_moments_are_told_as_a_player_does(ms: int, words: str) -> None:
    assert clock(ms) == words


def test_a_span_of_one_second_is_a_moment() -> None:
    assert describe_span(Track(first_ms=1000, last_ms=1800)) == "at 0:01"


@pytest.mark.parametrize(
    ("done", "seconds", "words"),
    [
        (2, 10, ""),
        (50, 10, "less than a minute left"),
        (10, 300, "about 45 minutes left"),
        (10, 6000, "about 15 hours left"),
        (100, 10, ""),
    ],
)
def test_the_time_left_is_told_once_it_is_known(done: int, seconds: int, words: str) -> None:
    now = timezone.now()
    video = Video(frames_done=done, frames_total=100, begun_at=now - timedelta(seconds=seconds))
    assert estimate_left(video, now) == words
