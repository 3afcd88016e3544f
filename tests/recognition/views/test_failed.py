"""Photos that failed: why, what to do, and trying them again."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import EventGrant
from access.roles import LABELER, MANAGER
from recognition.models import Event, Photo
from tests.conftest import count_queries, make_user, signed_in
from tests.factories import make_event, make_photo

pytestmark = pytest.mark.django_db


def fail(event: Event | None = None, *, code: str = "unreadable", reason: str = "Save it anew.") -> Photo:
    photo = make_photo(event, state=Photo.State.FAILED)
    Photo.objects.filter(pk=photo.pk).update(failure_code=code, failure_reason=reason)
    return photo


def still_failed() -> set[int]:
    return set(Photo.objects.filter(state=Photo.State.FAILED).values_list("pk", flat=True))


def test_they_are_grouped_by_reason_with_what_to_do(as_manager: Client) -> None:
    first, second = fail(), fail()
    other = fail(code="too_large", reason="Export it smaller.")
    make_photo()
    response = as_manager.get("/failed/")
    assert [(reason.code, reason.photos) for reason in response.context["reasons"]] == [
        ("unreadable", 2),
        ("too_large", 1),
    ]
    page = response.content.decode()
    assert "3 photos could not be processed" in page
    assert page.count("Save it anew.") == 1
    assert "Export it smaller." in page
    for photo in (first, second, other):
        assert f'href="/photos/{photo.pk}/?show=failed"' in page
        assert f'href="/events/{photo.event_id}/"' in page


def test_a_reason_of_its_own_is_told_beside_the_photo(as_manager: Client) -> None:
    fail(reason="A first sentence.")
    fail(reason="Z second sentence.")
    page = as_manager.get("/failed/").content.decode()
    assert page.count("A first sentence.") == page.count("Z second sentence.") == 1


def test_event_and_reason_narrow_the_list(as_manager: Client) -> None:
    event = make_event()
    here, there, other = fail(event), fail(), fail(event, code="too_large")
    shown = [
        {photo.pk for photo in as_manager.get(f"/failed/{query}").context["page"]}
        for query in (f"?event={event.pk}", "?code=unreadable", f"?event={event.pk}&code=too_large")
    ]
    assert shown == [{here.pk, other.pk}, {here.pk, there.pk}, {other.pk}]


@pytest.mark.parametrize("query", ["?event=x", "?event=99999999999999999999", "?code=" + "x" * 50])
def test_rubbish_shows_nothing_and_retries_nothing(as_manager: Client, query: str) -> None:
    photo = fail()
    assert "No photo failed here" in as_manager.get(f"/failed/{query}").content.decode()
    name, value = query[1:].split("=")
    assert as_manager.post("/failed/retry/", {name: value}).status_code == 302
    assert still_failed() == {photo.pk}


def test_without_any_there_is_a_word(as_manager: Client) -> None:
    assert "No photo failed" in as_manager.get("/failed/").content.decode()


class TestRetry:
    def test_one(self, as_manager: Client) -> None:
        one, other = fail(), fail()
        response = as_manager.post("/failed/retry/", {"photo": one.pk})
        assert response.headers["Location"] == "/failed/"
        assert still_failed() == {other.pk}
        assert "1 photo will be tried again." in as_manager.get("/failed/").content.decode()

    def test_all_of_a_reason(self, as_manager: Client) -> None:
        fail()
        fail()
        other = fail(code="too_large")
        as_manager.post("/failed/retry/", {"code": "unreadable"})
        assert still_failed() == {other.pk}

    def test_all_of_an_event(self, as_manager: Client) -> None:
        event = make_event()
        fail(event)
        other = fail()
        response = as_manager.post("/failed/retry/", {"event": event.pk})
        assert response.headers["Location"] == f"/failed/?event={event.pk}"
        assert still_failed() == {other.pk}

    def test_everything(self, as_manager: Client) -> None:
        fail()
        fail(code="too_large")
        as_manager.post("/failed/retry/")
        assert still_failed() == set()

    def test_a_link_retries_nothing(self, as_manager: Client) -> None:
        assert as_manager.get("/failed/retry/").status_code == 405


class TestWhoMay:
    def test_uploaders_see_and_retry_their_own_alone(self, as_uploader: Client, uploader: User) -> None:
        mine, other = fail(), fail()
        Photo.objects.filter(pk=mine.pk).update(uploaded_by=uploader)
        page = as_uploader.get("/failed/").content.decode()
        assert mine.name in page
        assert other.name not in page
        as_uploader.post("/failed/retry/", {"photo": other.pk})
        as_uploader.post("/failed/retry/")
        assert still_failed() == {other.pk}

    def test_a_manager_of_one_event_sees_and_retries_no_other(self) -> None:
        mine, seen, foreign = fail(), fail(), fail()
        user = make_user("maria")
        EventGrant.objects.create(user=user, event=mine.event, role=MANAGER)
        EventGrant.objects.create(user=user, event=seen.event, role=LABELER)
        client = signed_in(user)
        page = client.get("/failed/").content.decode()
        assert mine.name in page
        assert seen.name not in page
        assert foreign.name not in page
        assert foreign.event.name not in page
        client.post("/failed/retry/")
        assert still_failed() == {seen.pk, foreign.pk}

    def test_labelers_may_not(self, as_labeler: Client) -> None:
        photo = fail()
        assert as_labeler.get("/failed/").status_code == 403
        assert as_labeler.post("/failed/retry/").status_code == 403
        assert still_failed() == {photo.pk}


def test_the_number_of_queries_does_not_grow(as_manager: Client) -> None:
    counts = []
    for more in (2, 18):
        for number in range(more):
            fail(code=f"code_{number % 3}")
        counts.append(count_queries(as_manager, "/failed/"))
    assert counts[0] == counts[1]
