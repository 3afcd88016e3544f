"""Merging people over the API: what it answers, what it refuses, who may."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from access.models import EventGrant
from recognition.models import Person, Sighting
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.factories import label_face, make_face, make_person, make_photo


@pytest.fixture
def second(mine: Side) -> Person:
    """The same person under another name, at the same event."""
    person = make_person("Alice B.")
    label_face(make_face(make_photo(mine.event)), person)
    return person


def test_a_merge_is_a_decision_and_is_undone_by_its_key(mine: Side, second: Person) -> None:
    api = Api(local_user(mine.event, "labeler"))
    answer = api.post(f"people/{mine.person.pk}/merge/", {"other": second.pk})
    assert (answer.status_code, answer.json()["kind"]) == (200, "merge")
    assert Sighting.objects.filter(person=mine.person).count() == 2
    assert "Alice B." in api.get(f"people/{mine.person.pk}/").json()["aliases"]
    problem_of(api.get(f"people/{second.pk}/"), 404)
    assert [person["id"] for person in api.get("people/").json()["results"]] == [mine.person.pk]
    assert api.post(f"decisions/{answer.json()['key']}/undo/").status_code == 200
    assert Sighting.objects.filter(person=second).count() == 1


def test_a_repeated_request_is_one_merge(mine: Side, second: Person, manager: User) -> None:
    api, body = Api(manager), {"other": second.pk}
    answers = [api.post(f"people/{mine.person.pk}/merge/", body, key="once") for _ in range(2)]
    assert answers[0].json() == answers[1].json()


def test_two_on_one_photo_are_refused_until_it_is_said(mine: Side, second: Person, manager: User) -> None:
    label_face(make_face(mine.photo), second)
    api, path = Api(manager), f"people/{mine.person.pk}/merge/"
    problem = problem_of(api.post(path, {"other": second.pk}), 409)
    assert (problem["code"], problem["photos"]) == ("together", 1)
    assert api.post(path, {"other": second.pk, "together": True}).status_code == 200


def test_nobody_is_merged_into_themselves(mine: Side, manager: User) -> None:
    answer = Api(manager).post(f"people/{mine.person.pk}/merge/", {"other": mine.person.pk})
    assert problem_of(answer, 422)["code"] == "same_person"


@pytest.mark.parametrize("turned", [False, True])
def test_people_of_other_events_are_not_found(mine: Side, foreign: Side, *, turned: bool) -> None:
    keep, other = (foreign, mine) if turned else (mine, foreign)
    api = Api(local_user(mine.event, "labeler"))
    problem_of(api.post(f"people/{keep.person.pk}/merge/", {"other": other.person.pk}), 404)
    assert not Person.objects.exclude(merged_into=None).exists()


def test_people_who_are_also_elsewhere_are_not_merged(mine: Side, foreign: Side, second: Person) -> None:
    label_face(make_face(foreign.photo), second)
    api = Api(local_user(mine.event, "labeler"))
    for keep, other in ((mine.person, second), (second, mine.person)):
        problem_of(api.post(f"people/{keep.pk}/merge/", {"other": other.pk}), 403)


def test_it_takes_the_scope_admin_and_a_labelers_role(mine: Side, second: Person, labeler: User) -> None:
    path, body = f"people/{mine.person.pk}/merge/", {"other": second.pk}
    problem_of(Api(labeler, "read", "label", "upload", "export").post(path, body), 403)
    viewer = local_user(mine.event, "viewer")
    problem_of(Api(viewer).post(path, body), 403)
    EventGrant.objects.create(user=viewer, event=mine.event, role="labeler")
    assert Api(User.objects.get(pk=viewer.pk)).post(path, body).status_code == 200
