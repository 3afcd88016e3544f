"""Rosters over the API: read, replaced as a whole, removed; and who may not."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from recognition.models import Event, Person, RosterEntry
from tests.api.conftest import Api, Side, local_user, problem_of


@pytest.fixture
def api(manager: User) -> Api:
    return Api(manager)


def address(side: Side) -> str:
    return f"events/{side.event.pk}/roster/"


def ids_of(event: Event) -> set[str]:
    return set(RosterEntry.objects.filter(event=event).values_list("external_id", flat=True))


def test_it_is_replaced_as_a_whole_and_counted(api: Api, mine: Side) -> None:
    Person.objects.filter(pk=mine.person.pk).update(external_id="4711")
    api.put(address(mine), {"external_ids": ["1", "2"]})
    answer = api.put(address(mine), {"external_ids": ["4711", " 4712 ", "4711"]})
    assert answer.status_code == 200
    assert answer.json() == {"total": 2, "seen": 1, "enrolled": 1, "unknown": 1}
    assert ids_of(mine.event) == {"4711", "4712"}


def test_it_tells_who_is_known_and_seen(api: Api, mine: Side) -> None:
    Person.objects.filter(pk=mine.person.pk).update(external_id="4711")
    api.put(address(mine), {"external_ids": ["4711", "4712"]})
    answer = api.get(address(mine)).json()
    assert answer["count"] == 2
    assert answer["results"] == [
        {
            "external_id": "4711",
            "person": {"id": mine.person.pk, "name": "Mine person"},
            "enrolled": True,
            "photos": 1,
        },
        {"external_id": "4712", "person": None, "enrolled": False, "photos": 0},
    ]


def test_it_is_removed_and_removing_it_again_is_no_error(api: Api, mine: Side) -> None:
    api.put(address(mine), {"external_ids": ["1"]})
    assert [api.delete(address(mine)).status_code for _ in range(2)] == [204, 204]
    assert ids_of(mine.event) == set()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"external_ids": []},
        {"external_ids": "4711"},
        {"external_ids": ["4711", " "]},
        {"external_ids": ["9" * 61]},
        {"external_ids": ["1"], "event": 2},
    ],
)
def test_what_is_no_roster_is_refused_and_changes_nothing(api: Api, mine: Side, body: object) -> None:
    api.put(address(mine), {"external_ids": ["1"]})
    problem_of(api.put(address(mine), body), 422)
    assert ids_of(mine.event) == {"1"}


@pytest.mark.parametrize("role", ["viewer", "uploader", "labeler"])
def test_only_who_manages_the_event_may(mine: Side, role: str) -> None:
    RosterEntry.objects.create(event=mine.event, external_id="1")
    api = Api(local_user(mine.event, role))
    problem_of(api.get(address(mine)), 403)
    problem_of(api.put(address(mine), {"external_ids": ["2"]}), 403)
    problem_of(api.delete(address(mine)), 403)
    assert ids_of(mine.event) == {"1"}


def test_a_manager_of_another_event_finds_nothing(mine: Side, foreign: Side) -> None:
    RosterEntry.objects.create(event=foreign.event, external_id="1")
    api = Api(local_user(mine.event, "manager"))
    problem_of(api.get(address(foreign)), 404)
    problem_of(api.put(address(foreign), {"external_ids": ["2"]}), 404)
    problem_of(api.delete(address(foreign)), 404)
    assert ids_of(foreign.event) == {"1"}


def test_a_token_that_may_only_read_changes_nothing(manager: User, mine: Side) -> None:
    api = Api(manager, "read")
    assert api.get(address(mine)).status_code == 200
    problem_of(api.put(address(mine), {"external_ids": ["2"]}), 403)
    problem_of(api.delete(address(mine)), 403)
    assert ids_of(mine.event) == set()
