"""The list of events and the form for a new one."""

import datetime

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from recognition.events.edits import create_event
from recognition.models import Event, Photo
from tests.conftest import count_queries, signed_in
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


def test_the_number_of_queries_does_not_grow_with_events(as_labeler: Client) -> None:
    counts = []
    for more in (2, 18):
        for _ in range(more):
            make_unlabeled()
        counts.append([count_queries(as_labeler, path) for path in ("/events/", "/events/?q=event")])
    assert counts[0] == counts[1]
    assert max(counts[0]) <= 18


def names_on(client: Client, query: str = "") -> list[str]:
    return [event.name for event, _ in client.get(f"/events/{query}").context["rows"]]


def test_the_newest_come_first_by_their_date(as_labeler: Client) -> None:
    make_event("No date")
    for name, day in (("Spring", datetime.date(2020, 3, 1)), ("Autumn", datetime.date(2020, 10, 1))):
        Event.objects.create(name=name, held_on=day)
    assert names_on(as_labeler) == ["No date", "Autumn", "Spring"]


def test_the_search_looks_into_name_and_place_without_case_and_accents(as_labeler: Client) -> None:
    Event.objects.create(name="Graduation 2026", place="Große Aula")
    Event.objects.create(name="Open Day", place="Library")
    assert names_on(as_labeler, "?q=GRADUATION") == ["Graduation 2026"]
    assert names_on(as_labeler, "?q=2026+grosse") == ["Graduation 2026"]
    assert names_on(as_labeler, "?q=graduation+library") == []
    assert "No event of this name or place" in as_labeler.get("/events/?q=nothing").content.decode()


def test_the_archive_has_a_tab_of_its_own(as_labeler: Client) -> None:
    make_event("Today")
    Event.objects.create(name="Long ago", archived_at=timezone.now())
    assert names_on(as_labeler) == ["Today"]
    assert names_on(as_labeler, "?archived=1") == ["Long ago"]
    page = as_labeler.get("/events/").content.decode()
    assert 'href="/events/?archived=1"' in page
    assert "Archive <span>1</span>" in page


def test_the_fragment_is_the_list_alone(as_labeler: Client) -> None:
    make_event("Graduation")
    response = as_labeler.get("/events/?q=grad", headers={"HX-Request": "true"})
    page = response.content.decode()
    assert page.strip().startswith('<section id="event-list"')
    assert "<html" not in page
    assert "HX-Request" in response.headers["Vary"]


def test_a_role_in_one_event_shows_that_event_and_creates_none(outsider: User) -> None:
    mine = make_event("Mine")
    make_event("Foreign")
    EventGrant.objects.create(user=outsider, event=mine, role="manager")
    client = signed_in(outsider)
    assert names_on(client) == ["Mine"]
    assert "Foreign" not in client.get("/events/?q=foreign").content.decode()
    assert 'id="new-event"' not in client.get("/events/").content.decode()
    assert client.post("/events/", {"name": "Another"}).status_code == 403


def test_there_are_pages(as_labeler: Client) -> None:
    for _ in range(25):
        make_event()
    assert len(as_labeler.get("/events/").context["rows"]) == 24
    assert len(as_labeler.get("/events/?page=2").context["rows"]) == 1
    assert len(as_labeler.get("/events/?page=rubbish").context["rows"]) == 24


def test_other_methods_are_refused(as_manager: Client) -> None:
    assert as_manager.delete("/events/").status_code == 405
