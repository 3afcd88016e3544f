"""Assignment of an event to those who begin with it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import EventGrant
from labeling.models import Assignment, EventReview
from labeling.team.assignments import assigned_events
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event

pytestmark = pytest.mark.django_db


def test_a_manager_assigns_an_event_and_takes_it_back(as_manager: Client, labeler: User) -> None:
    event = make_event("Graduation")
    page = f"/events/{event.pk}/labelers/"
    as_manager.post(page, {"user": labeler.pk})
    assert list(assigned_events(labeler)) == [event]
    assignment = Assignment.objects.get()
    assert assignment.assigned_by is not None
    assert assignment.assigned_by.username == "mona"
    as_manager.post(f"{page}{assignment.pk}/remove/")
    assert list(assigned_events(labeler)) == []


def test_given_twice_it_is_one(as_manager: Client, labeler: User) -> None:
    event = make_event()
    for _ in range(2):
        as_manager.post(f"/events/{event.pk}/labelers/", {"user": labeler.pk})
    assert Assignment.objects.count() == 1


def test_only_accounts_that_may_label_there_can_be_assigned(as_manager: Client, uploader: User) -> None:
    event = make_event()
    elsewhere = make_local("ella", "labeler", make_event())
    here = make_local("hugo", "labeler", event)
    page = as_manager.get(f"/events/{event.pk}/labelers/").content.decode()
    assert ">hugo<" in page
    assert ">ella<" not in page
    for user in (uploader, elsewhere):
        assert as_manager.post(f"/events/{event.pk}/labelers/", {"user": user.pk}).status_code == 422
    assert not Assignment.objects.exists()
    assert as_manager.post(f"/events/{event.pk}/labelers/", {"user": here.pk}).status_code == 302


def test_an_assignment_means_nothing_once_the_role_is_gone(as_manager: Client) -> None:
    event = make_event()
    user = make_local("hugo", "labeler", event)
    Assignment.objects.create(event=event, user=user)
    EventGrant.objects.all().delete()
    assert list(assigned_events(User.objects.get(pk=user.pk))) == []


@pytest.mark.parametrize("role", ["labeler", "uploader", "viewer"])
def test_only_managers_assign_and_choose_how_many_are_looked_at_twice(role: str, labeler: User) -> None:
    event = make_event()
    client = signed_in(make_user("rita", role))
    assert client.get(f"/events/{event.pk}/labelers/").status_code == 403
    assert client.post(f"/events/{event.pk}/labelers/", {"user": labeler.pk}).status_code == 403
    assert client.post(f"/events/{event.pk}/review/", {"percent": 10}).status_code == 403
    assignment = Assignment.objects.create(event=event, user=labeler)
    assert client.post(f"/events/{event.pk}/labelers/{assignment.pk}/remove/").status_code == 403
    assert Assignment.objects.exists()
    assert not EventReview.objects.exists()


def test_a_manager_of_another_event_does_not_find_the_page(labeler: User) -> None:
    event = make_event()
    client = signed_in(make_local("maja", "manager", make_event()))
    assert client.get(f"/events/{event.pk}/labelers/").status_code == 404
    assert client.post(f"/events/{event.pk}/review/", {"percent": 10}).status_code == 404


def test_an_assignment_of_another_event_is_not_found_under_this_one(
    as_manager: Client, labeler: User
) -> None:
    assignment = Assignment.objects.create(event=make_event(), user=labeler)
    assert as_manager.post(f"/events/{make_event().pk}/labelers/{assignment.pk}/remove/").status_code == 404


@pytest.mark.parametrize("percent", ["101", "-1", "", "many"])
def test_a_percentage_that_is_none_is_refused_and_said(as_manager: Client, percent: str) -> None:
    event = make_event()
    answer = as_manager.post(f"/events/{event.pk}/review/", {"percent": percent})
    assert answer.status_code == 422
    assert 'class="error"' in answer.content.decode()
    assert not EventReview.objects.exists()
