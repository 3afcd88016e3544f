"""A name from an event that is not the labeler's is told only of a face that looks like its owner, and cannot be had by asking."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.models import EventGrant
from access.tokens import create_token
from labeling.models import Decision
from labeling.suggestions import suggest_people
from recognition.models import Event, Face, Person
from tests.conftest import make_user, signed_in
from tests.factories import make_event, make_person, make_photo, make_reference, make_unlabeled, vector_near
from tests.labeling.conftest import SOMEBODY, posted


@pytest.fixture
def mine() -> Event:
    return make_event("Mine")


@pytest.fixture
def lea(mine: Event) -> User:
    user = make_user("lea")
    EventGrant.objects.create(user=user, event=mine, role="labeler")
    return user


@pytest.fixture
def strangers() -> list[Person]:
    """Of another event; none looks like the face."""
    photo = make_photo(make_event("Foreign"))
    people = [make_person(f"Foreign Person {number}") for number in range(8)]
    for number, person in enumerate(people):
        make_reference(person, vector_near(SOMEBODY, 0.1, seed=number), photo=photo)
    return people


@pytest.fixture
def face(mine: Event) -> Face:
    return make_unlabeled(SOMEBODY, photo=make_photo(mine)).face


def names(face: Face, user: User, k: int = 5) -> list[str]:
    return [suggestion.person.name for suggestion in suggest_people(face, k, user=user)]


def test_nobody_who_does_not_look_like_it_is_named(face: Face, strangers: list[Person], lea: User) -> None:
    assert names(face, lea, 20) == []
    assert "Foreign" not in signed_in(lea).get(f"/label/{face.face_id}/").text


def test_neither_over_the_api(face: Face, strangers: list[Person], lea: User) -> None:
    soon = timezone.now() + timedelta(days=1)
    secret = create_token(user=lea, name="s", scopes=["label", "read"], expires_at=soon).secret
    script = Client(headers={"Authorization": f"Bearer {secret}"})
    for path in (f"faces/{face.face_id}/suggestions/?k=20", "queue/next/"):
        assert "Foreign" not in script.get(f"/api/v1/{path}").content.decode()
    for person in strangers:
        for verb in ("label", "reject"):
            path, body = f"/api/v1/faces/{face.face_id}/{verb}/", json.dumps({"person": person.pk})
            answer = script.post(path, body, content_type="application/json")
            assert (answer.status_code, answer.json()["code"]) == (422, "person_not_offered")
            assert "Foreign" not in answer.content.decode()


@pytest.mark.parametrize("field", ["person", "twice", "reject"])
def test_whoever_counts_through_ids_gets_no_name(
    field: str, face: Face, strangers: list[Person], lea: User
) -> None:
    client = signed_in(lea)
    for person in strangers:
        answer = client.post(f"/label/{face.face_id}/decide/", posted(face, **{field: person.pk}))
        assert answer.status_code == 422
        assert "Foreign" not in answer.text
    assert not Decision.objects.exists()


def test_ones_own_people_are_not_pushed_out_by_those_who_are_not_named(
    face: Face, strangers: list[Person], lea: User, mine: Event
) -> None:
    make_reference(make_person("Mine Unlike"), vector_near(SOMEBODY, 0.05, seed=77), photo=make_photo(mine))
    assert names(face, lea) == ["Mine Unlike"]


def test_whoever_sees_all_events_is_shown_the_nearest_in_any_case(
    face: Face, strangers: list[Person], labeler: User
) -> None:
    assert len(names(face, labeler)) == 5


def test_a_close_call_with_somebody_unlike_tells_no_name(face: Face, lea: User, mine: Event) -> None:
    """The one of another event is just below the line of suggestions, the labeler's own just above it."""
    from labeling.evidence import weigh_face

    line = weigh_face(face).thresholds
    assert line is not None
    own, other = make_person("Mine Alike"), make_person("Foreign Alike")
    make_reference(own, vector_near(SOMEBODY, line.suggest + 0.005, seed=1), photo=make_photo(mine))
    make_reference(other, vector_near(SOMEBODY, line.suggest - 0.005, seed=2), photo=make_photo())
    [suggestion] = suggest_people(face, user=lea)
    assert suggestion.person == own
    assert "Foreign" not in suggestion.lead
