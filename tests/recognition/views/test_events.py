"""The list of events and the form for a new one."""

import datetime

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from recognition.events import create_event
from recognition.models import Event, Photo
from tests.factories import make_event, make_photo, make_unlabeled

pytestmark = pytest.mark.django_db


def test_an_event_is_created_and_shown(as_uploader: Client, uploader: User) -> None:
    response = as_uploader.post(
        "/events/", {"name": " Graduation  2026 ", "held_on": "2026-07-11", "place": "Great Hall"}
    )
    event = Event.objects.get()
    assert response.status_code == 302
    assert response.headers["Location"] == f"/events/{event.pk}/"
    assert (event.name, event.held_on, event.place) == (
        "Graduation 2026",
        datetime.date(2026, 7, 11),
        "Great Hall",
    )
    assert event.created_by == uploader


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": "\u202e\u0000 "}, "Null characters are not allowed."),
        ({"name": "\u202e \u200b"}, "Give the event a name."),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"name": "Open Day", "held_on": "yesterday"}, "Enter a valid date."),
        ({"name": "GRADUATION"}, "There is an event of this name already."),
    ],
)
def test_a_bad_event_is_told_why(as_manager: Client, data: dict[str, str], message: str) -> None:
    make_event("Graduation")
    response = as_manager.post("/events/", data)
    assert response.status_code == 422
    assert message in response.content.decode()
    assert Event.objects.count() == 1


def test_labelers_create_no_events(as_labeler: Client) -> None:
    assert as_labeler.post("/events/", {"name": "Mine"}).status_code == 403
    assert not Event.objects.exists()
    assert 'id="new-event"' not in as_labeler.get("/events/").content.decode()


def test_a_name_taken_at_the_same_moment_is_a_message_not_a_crash(
    uploader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_event("Graduation")
    monkeypatch.setattr(Event, "full_clean", lambda self: None)
    with pytest.raises(ValidationError, match="already"):
        create_event(name="Graduation", held_on=None, place="", user=uploader)
    assert Event.objects.count() == 1


def test_each_event_shows_how_far_it_is(as_labeler: Client) -> None:
    event = make_event("Graduation")
    make_unlabeled(photo=make_photo(event))
    make_photo(event, state=Photo.State.QUEUED)
    make_photo(event, state=Photo.State.FAILED)
    page = as_labeler.get("/events/").content.decode()
    assert f'href="/events/{event.pk}/">Graduation' in page
    assert "1 being processed" in page
    assert "1 failed" in page
    assert f'href="/label/?event={event.pk}"' in page


def test_uploaders_are_told_about_their_own_photos_only(as_uploader: Client) -> None:
    make_unlabeled(photo=make_photo(make_event("Graduation")))
    response = as_uploader.get("/events/")
    [(event, progress)] = response.context["rows"]
    assert event.name == "Graduation"
    assert (progress.photos.total, progress.faces.total) == (0, 0)
    assert "/label/" not in response.content.decode()


def test_the_number_of_queries_does_not_grow_with_events(
    as_labeler: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(24):
        make_unlabeled()
    with django_assert_max_num_queries(14):
        as_labeler.get("/events/")


def test_there_are_pages(as_labeler: Client) -> None:
    for _ in range(25):
        make_event()
    assert len(as_labeler.get("/events/").context["rows"]) == 24
    assert len(as_labeler.get("/events/?page=2").context["rows"]) == 1
    assert len(as_labeler.get("/events/?page=rubbish").context["rows"]) == 24


def test_other_methods_are_refused(as_manager: Client) -> None:
    assert as_manager.delete("/events/").status_code == 405
