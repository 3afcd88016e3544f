"""The team's pages ask the database as often for many rows as for few."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from labeling.decisions import label_face, record_verdict
from labeling.models import Assignment, EventReview, SecondOpinion
from recognition.models import Event, Face
from tests.conftest import make_user
from tests.factories import make_event, make_person, make_photo, make_unlabeled

pytestmark = pytest.mark.django_db


def open_face(event: Event) -> Face:
    return make_unlabeled(photo=make_photo(event)).face


def fill(event: Event, asking: User, rows: range) -> None:
    """So many more of everything that the pages list, each by somebody else."""
    for number in rows:
        colleague = make_user(f"colleague {number}", "labeler")
        Assignment.objects.create(event=event, user=colleague)
        record_verdict(face=open_face(event), kind="stranger", actor=colleague)
        record_verdict(face=open_face(event), kind="ask", actor=colleague)
        record_verdict(face=open_face(event), kind="skip", actor=asking)
        face = open_face(event)
        decision = label_face(face=face, actor=colleague, name=f"Person A{number}")
        SecondOpinion.objects.create(
            face=face, decision=decision, actor=asking, answer="person", person=make_person(), agrees=False
        )
        label_face(face=open_face(event), actor=colleague, name=f"Person B{number}")


def count(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path, follow=True).status_code == 200
    return len(queries)


def test_many_rows_cost_no_more_queries_than_few(as_manager: Client, manager: User) -> None:
    event = make_event()
    EventReview.objects.create(event=event, percent=100)
    lists = [f"/label/verdicts/?verdict={verdict}" for verdict in ("stranger", "skipped", "asked")]
    paths = [f"/events/{event.pk}/labelers/", "/label/second/", "/label/differing/", "/", *lists]
    fill(event, manager, range(3))
    for path in paths:
        count(as_manager, path)
    few = {path: count(as_manager, path) for path in paths}
    fill(event, manager, range(3, 12))
    assert {path: count(as_manager, path) for path in paths} == few
