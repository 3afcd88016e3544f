"""Editing, archiving and deleting an event: what managers of the event may do, and nobody else."""

import datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_tasks_db.models import DBTaskResult

from access.models import EventGrant
from access.roles import LABELER, MANAGER, UPLOADER, VIEWER
from recognition.models import Event
from tests.conftest import count_queries, make_local, signed_in
from tests.factories import label_face, make_event, make_face, make_person, make_photo

pytestmark = pytest.mark.django_db
PAGES = ("edit", "delete")


def manager_of(event: Event) -> Client:
    return signed_in(make_local("maria", MANAGER, event))


class TestWhoMayNot:
    @pytest.mark.parametrize("role", [VIEWER, UPLOADER, LABELER])
    def test_another_role_in_the_event_is_refused(self, role: str) -> None:
        event = make_event()
        user = make_local("nora", role, event)
        EventGrant.objects.create(user=user, event=make_event(), role=MANAGER)
        client = signed_in(user)
        for page in PAGES:
            assert client.get(f"/events/{event.pk}/{page}/").status_code == 403
            assert client.post(f"/events/{event.pk}/{page}/", {"typed": event.name}).status_code == 403
        assert client.post(f"/events/{event.pk}/archive/", {"archived": "1"}).status_code == 403
        event.refresh_from_db()
        assert (event.archived_at, event.deleted_at) == (None, None)

    def test_a_foreign_event_is_not_found(self) -> None:
        client, foreign = manager_of(make_event()), make_event()
        for page in (*PAGES, "archive"):
            assert client.post(f"/events/{foreign.pk}/{page}/", {"typed": foreign.name}).status_code == 404
        foreign.refresh_from_db()
        assert (foreign.archived_at, foreign.deleted_at) == (None, None)

    def test_nobody_else_is_offered_to(self, as_labeler: Client) -> None:
        event = make_event()
        page = as_labeler.get(f"/events/{event.pk}/").content.decode()
        assert "/edit/" not in page
        assert "/access/" not in page


class TestEdit:
    def test_name_date_and_place_are_changed(self) -> None:
        event = make_event("Old")
        client = manager_of(event)
        assert 'value="Old"' in client.get(f"/events/{event.pk}/edit/").content.decode()
        response = client.post(
            f"/events/{event.pk}/edit/", {"name": " New  name ", "held_on": "2026-07-11", "place": "Hall"}
        )
        assert response.headers["Location"] == f"/events/{event.pk}/"
        event.refresh_from_db()
        assert (event.name, event.held_on, event.place) == ("New name", datetime.date(2026, 7, 11), "Hall")

    def test_its_own_name_in_another_case_is_free(self, as_manager: Client) -> None:
        event = make_event("graduation")
        assert as_manager.post(f"/events/{event.pk}/edit/", {"name": "Graduation"}).status_code == 302

    def test_a_name_that_is_taken_is_refused_with_what_was_typed(self, as_manager: Client) -> None:
        make_event("Graduation")
        event = make_event("Open Day")
        response = as_manager.post(f"/events/{event.pk}/edit/", {"name": "GRADUATION"})
        page = response.content.decode()
        assert response.status_code == 422
        assert "There is an event of this name already." in page
        assert 'value="GRADUATION"' in page
        assert "Open Day</a>" in page
        event.refresh_from_db()
        assert event.name == "Open Day"


class TestArchive:
    def test_there_and_back(self, as_manager: Client) -> None:
        event = make_event("Graduation")
        as_manager.post(f"/events/{event.pk}/archive/", {"archived": "1"})
        event.refresh_from_db()
        then = event.archived_at
        assert then is not None
        assert as_manager.get("/").context["rows"] == []
        assert "archived</span>" in as_manager.get(f"/events/{event.pk}/").content.decode()
        as_manager.post(f"/events/{event.pk}/archive/", {"archived": "1"})
        event.refresh_from_db()
        assert event.archived_at == then
        as_manager.post(f"/events/{event.pk}/archive/", {"archived": "0"})
        event.refresh_from_db()
        assert event.archived_at is None

    def test_a_link_archives_nothing(self, as_manager: Client) -> None:
        assert as_manager.get(f"/events/{make_event().pk}/archive/").status_code == 405


class TestDelete:
    def test_the_page_shows_what_it_costs(self, as_manager: Client) -> None:
        event = make_event("Graduation")
        label_face(make_face(make_photo(event)), make_person("Alice"))
        response = as_manager.get(f"/events/{event.pk}/delete/")
        found = response.context["consequences"]
        assert (found.photos, found.faces, found.verified, found.references) == (1, 1, 1, 1)
        page = response.content.decode()
        assert "1 person is on no other photo" in page
        assert "Alice" not in page

    def test_another_name_deletes_nothing(self, as_manager: Client) -> None:
        event = make_event("Graduation 2026")
        for typed in ("", "Graduation", "Graduation 2025"):
            response = as_manager.post(f"/events/{event.pk}/delete/", {"typed": typed})
            assert response.status_code == 422
        assert "Nothing was deleted" in response.content.decode()
        event.refresh_from_db()
        assert event.deleted_at is None

    def test_the_typed_name_deletes_it_whatever_the_case(self, as_manager: Client) -> None:
        event = make_event("Graduation 2026")
        response = as_manager.post(f"/events/{event.pk}/delete/", {"typed": " graduation 2026 "})
        assert response.headers["Location"] == "/events/"
        page = as_manager.get("/events/").content.decode()
        assert as_manager.get(f"/events/{event.pk}/").status_code == 404
        assert "Graduation 2026 is deleted" in page
        assert f"/events/{event.pk}/" not in page
        assert DBTaskResult.objects.filter(task_path__contains="delete_events").count() == 1

    def test_a_second_time_it_is_not_found(self, as_manager: Client) -> None:
        event = make_event("Graduation")
        for status in (302, 404):
            response = as_manager.post(f"/events/{event.pk}/delete/", {"typed": "Graduation"})
            assert response.status_code == status

    def test_the_number_of_queries_does_not_grow(self, as_manager: Client) -> None:
        event, counts = make_event(), []
        for more in (2, 18):
            for _ in range(more):
                label_face(make_face(make_photo(event)), make_person())
            counts.append(count_queries(as_manager, f"/events/{event.pk}/delete/"))
        assert counts[0] == counts[1]


def test_a_manager_of_one_event_is_offered_its_changes(manager: User) -> None:
    event = make_event()
    page = manager_of(event).get(f"/events/{event.pk}/").content.decode()
    assert f'href="/events/{event.pk}/edit/"' in page
    assert f'href="/events/{event.pk}/access/"' in page
