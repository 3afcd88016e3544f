"""What was set aside has its list, and each list its way back."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import record_verdict, record_verdicts
from labeling.models import Decision
from recognition.models import Face, UnlabeledFace
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_photo, make_unlabeled
from tests.labeling.conftest import fresh

pytestmark = pytest.mark.django_db
CLOSING = ["stranger", "not_a_face", "poor"]


def shown(client: Client, verdict: str, **more: int) -> str:
    values: dict[str, str | int] = {"verdict": verdict, **more}
    return client.get("/label/verdicts/", values).content.decode()


def put_back(client: Client, verdict: str, *values: str) -> int:
    posted = {"verdict": verdict, "key": uuid4(), "face": list(values)}
    return client.post("/label/verdicts/back/", posted).status_code


def box(face: Face) -> str:
    return f"{face.face_id}:{fresh(face).version}"


@pytest.mark.parametrize("verdict", CLOSING)
def test_a_verdict_is_listed_with_who_gave_it(
    as_labeler: Client, labeler: User, face: Face, verdict: str
) -> None:
    record_verdict(face=face, kind=verdict, actor=labeler)
    page = shown(as_labeler, verdict)
    assert str(face.face_id) in page
    assert "by lena" in page
    for other in {*CLOSING} - {verdict}:
        assert str(face.face_id) not in shown(as_labeler, other)


@pytest.mark.parametrize("verdict", CLOSING)
def test_it_goes_back_into_the_queue_and_that_can_be_undone(
    as_labeler: Client, labeler: User, face: Face, verdict: str
) -> None:
    record_verdict(face=face, kind=verdict, actor=labeler)
    put_back(as_labeler, verdict, box(face))
    assert not UnlabeledFace.objects.get(face=face).reviewed
    assert Decision.objects.latest("pk").kind == "reopen"
    assert str(face.face_id) not in shown(as_labeler, verdict)


def test_several_go_back_by_one_decision(as_labeler: Client, labeler: User) -> None:
    faces = [make_unlabeled().face for _ in range(3)]
    record_verdicts(faces=faces, kind="stranger", actor=labeler)
    put_back(as_labeler, "stranger", *(box(face) for face in faces))
    decision = Decision.objects.latest("pk")
    assert (decision.kind, decision.face_count) == ("reopen", 3)


def test_nothing_is_put_back_once_somebody_decided_meanwhile(
    as_labeler: Client, labeler: User, face: Face
) -> None:
    record_verdict(face=face, kind="stranger", actor=labeler)
    seen = box(face)
    record_verdict(face=fresh(face), kind="poor", actor=labeler)
    put_back(as_labeler, "stranger", seen)
    assert UnlabeledFace.objects.get(face=face).verdict == "poor"


def test_ones_own_skips_are_listed_and_taken_back(as_labeler: Client, labeler: User, face: Face) -> None:
    skip = record_verdict(face=face, kind="skip", actor=labeler)
    other = signed_in(make_user("nora", "labeler"))
    assert str(face.face_id) in shown(as_labeler, "skipped")
    assert str(face.face_id) not in shown(other, "skipped")
    put_back(other, "skipped", f"{skip.key}:0")
    assert Decision.objects.get(pk=skip.pk).undone_at is None
    put_back(as_labeler, "skipped", f"{skip.key}:0")
    assert Decision.objects.get(pk=skip.pk).undone_at is not None


def test_what_a_colleague_asks_is_listed_for_all_with_who_asks(labeler: User, face: Face) -> None:
    record_verdict(face=face, kind="ask", actor=labeler)
    page = shown(signed_in(make_user("nora", "labeler")), "asked")
    assert str(face.face_id) in page
    assert "asked by lena" in page


def test_a_colleague_answers_and_does_not_take_the_question_back(labeler: User, face: Face) -> None:
    asked = record_verdict(face=face, kind="ask", actor=labeler)
    nora = make_user("nora", "labeler")
    put_back(signed_in(nora), "asked", f"{asked.key}:0")
    assert Decision.objects.get(pk=asked.pk).undone_at is None
    record_verdict(face=face, kind="stranger", actor=nora)
    assert str(face.face_id) not in shown(signed_in(labeler), "asked")


def test_only_faces_of_the_chosen_event_are_listed(as_labeler: Client, labeler: User) -> None:
    here, there = make_event(), make_event()
    faces = [make_unlabeled(photo=make_photo(event)).face for event in (here, there)]
    record_verdicts(faces=faces, kind="stranger", actor=labeler)
    page = shown(as_labeler, "stranger", event=here.pk)
    assert str(faces[0].face_id) in page
    assert str(faces[1].face_id) not in page


def test_faces_of_foreign_events_are_neither_listed_nor_put_back(labeler: User, face: Face) -> None:
    record_verdict(face=face, kind="stranger", actor=labeler)
    client = signed_in(make_local("ella", "labeler", make_event()))
    assert str(face.face_id) not in shown(client, "stranger")
    assert put_back(client, "stranger", box(face)) == 404
    assert UnlabeledFace.objects.get(face=face).reviewed


@pytest.mark.parametrize("role", ["viewer", "uploader"])
def test_who_does_not_label_sees_no_list(role: str, labeler: User, face: Face) -> None:
    record_verdict(face=face, kind="stranger", actor=labeler)
    client = signed_in(make_user("rita", role))
    assert client.get("/label/verdicts/").status_code == 403
    assert put_back(client, "stranger", box(face)) == 403
    assert UnlabeledFace.objects.get(face=face).reviewed


@pytest.mark.parametrize("value", ["", "nonsense", "0:0"])
def test_what_cannot_be_read_is_said(as_labeler: Client, value: str) -> None:
    answer = as_labeler.post(
        "/label/verdicts/back/", {"verdict": "stranger", "key": uuid4(), "face": value}, follow=True
    )
    assert "Choose" in answer.content.decode()


@pytest.mark.parametrize("verdict", [*CLOSING, "skipped", "asked", "unknown"])
def test_an_empty_list_says_what_will_stand_there(as_labeler: Client, verdict: str) -> None:
    assert "Back to the queue" in shown(as_labeler, verdict)
