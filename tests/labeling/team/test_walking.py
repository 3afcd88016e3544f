"""On to the next card without deciding, and doing again what was undone last."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from access.roles import LABELER, reach_of
from labeling.decisions import record_verdict, undo_decision
from labeling.desk.past import read_past
from labeling.models import Decision
from recognition.querysets import doomed_events
from tests.factories import make_unlabeled

pytestmark = pytest.mark.django_db


def test_next_goes_through_the_whole_queue_and_begins_again(as_labeler: Client) -> None:
    faces = [make_unlabeled().face for _ in range(4)]
    seen: list[str] = []
    card = ""
    for _ in range(5):
        answer = as_labeler.get("/label/", {"queue": "singles", "after": card})
        address = answer.headers["Location"]
        seen.append(address.split("/")[2])
        card = next(f"face-{face.pk}" for face in faces if str(face.face_id) == seen[-1])
    assert set(seen) == {str(face.face_id) for face in faces}
    assert seen[4] == seen[0]
    assert not Decision.objects.exists()


def test_what_was_undone_last_can_be_done_again(labeler: User) -> None:
    first, second = (
        record_verdict(face=make_unlabeled().face, kind="stranger", actor=labeler) for _ in range(2)
    )
    assert read_past(labeler).redo is None
    for decision in (second, first):
        undo_decision(decision=decision, actor=labeler)
        redo = read_past(labeler).redo
        assert redo is not None
        assert redo.decision == decision


def test_a_decision_since_then_ends_it(labeler: User) -> None:
    decision = record_verdict(face=make_unlabeled().face, kind="stranger", actor=labeler)
    undo_decision(decision=decision, actor=labeler)
    record_verdict(face=make_unlabeled().face, kind="poor", actor=labeler)
    assert read_past(labeler).redo is None


def test_what_a_manager_undid_is_not_the_labelers_to_redo_by_a_key(labeler: User, manager: User) -> None:
    decision = record_verdict(face=make_unlabeled().face, kind="stranger", actor=labeler)
    undo_decision(decision=decision, actor=manager)
    assert read_past(labeler).redo is None
    assert read_past(manager).redo is None


def test_however_many_were_undone_since_the_last_decisions_in_force_are_offered(labeler: User) -> None:
    face = make_unlabeled().face
    now = timezone.now()
    Decision.objects.bulk_create(
        Decision(kind="skip", actor=labeler, face=face, undone_at=now if number >= 12 else None)
        for number in range(50)
    )
    past = read_past(labeler)
    assert len(past.decisions) == 10
    assert all(one.decision.undone_at is None for one in past.decisions)
    newest = Decision.objects.filter(undone_at=None).values_list("pk", flat=True)[:10]
    assert [one.decision.pk for one in past.decisions] == list(newest)


def test_the_last_decisions_are_read_by_one_query(labeler: User, django_assert_num_queries: Any) -> None:
    face = make_unlabeled().face
    record_verdict(face=face, kind="stranger", actor=labeler)
    labeler = User.objects.get(pk=labeler.pk)
    # What a request has asked before.
    assert reach_of(labeler, LABELER)
    assert doomed_events(labeler) == frozenset()
    with django_assert_num_queries(1):
        past = read_past(labeler)
        shown = [one.decision.face.face_id for one in past.decisions if one.decision.face is not None]
    assert shown == [face.face_id]
