"""One card, one decision: a double click, a retry and a race write once."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import DecisionConflict, label_face, record_verdict
from labeling.decisions.undo import undo_decision
from labeling.models import Decision
from recognition.models import Face, Person, Sighting
from tests.factories import make_face
from tests.labeling.conftest import fresh, posted
from tests.labeling.test_conflict import at_once


def test_a_key_posted_twice_returns_the_first_decision(face: Face, labeler: User) -> None:
    key = uuid4()
    first = label_face(face=face, actor=labeler, name="Alice", version=0, key=key)
    again = label_face(face=face, actor=labeler, name="Alice", version=0, key=key)
    assert again == first
    assert Person.objects.count() == 1
    assert fresh(face).version == 1


def test_a_skip_posted_twice_is_one_skip(face: Face, labeler: User) -> None:
    key = uuid4()
    first = record_verdict(face=face, kind="skip", actor=labeler, key=key)
    assert record_verdict(face=face, kind="skip", actor=labeler, key=key) == first
    assert Decision.objects.count() == 1


def test_a_retry_after_the_undo_does_not_decide_again(face: Face, labeler: User) -> None:
    key = uuid4()
    decision = label_face(face=face, actor=labeler, name="Alice", key=key)
    undo_decision(decision=decision, actor=labeler)
    assert label_face(face=face, actor=labeler, name="Alice", key=key).undone
    assert not Sighting.objects.exists()


@pytest.mark.parametrize("kind", ["skip", "stranger"])
def test_a_key_of_somebody_elses_or_of_another_face_is_a_conflict(
    face: Face, labeler: User, manager: User, kind: str
) -> None:
    key = uuid4()
    label_face(face=face, actor=labeler, name="Alice", key=key)
    with pytest.raises(DecisionConflict):
        record_verdict(face=face, kind=kind, actor=manager, key=key)
    with pytest.raises(DecisionConflict):
        record_verdict(face=make_face(), kind=kind, actor=labeler, key=key)
    assert Decision.objects.count() == 1


def test_a_double_click_on_the_page_is_one_decision(face: Face, hx: Client) -> None:
    card = posted(face, name="Alice", new="1")
    for _ in range(2):
        assert hx.post(f"/label/{face.face_id}/decide/", card).status_code == 200
    assert Decision.objects.count() == 1
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_requests_with_one_key_at_the_same_moment_write_once(face: Face, labeler: User) -> None:
    key = uuid4()
    results = at_once(*[lambda: label_face(face=face, actor=labeler, name="Alice", version=0, key=key)] * 3)
    [decision] = Decision.objects.all()
    assert results == [decision] * 3
    assert Person.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_skips_with_one_key_at_the_same_moment_write_once(face: Face, labeler: User) -> None:
    key = uuid4()
    results = at_once(*[lambda: record_verdict(face=face, kind="skip", actor=labeler, key=key)] * 3)
    [decision] = Decision.objects.all()
    assert results == [decision] * 3
