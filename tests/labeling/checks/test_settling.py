"""Whoever confirms or corrects a drawn face has answered for it, asked or not; an undo takes the answer back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from labeling.checks import answer_check, checks_to_ask, measure_precision
from labeling.decisions import (
    label_face,
    record_verdict,
    redo_decision,
    reject_person,
    take_back,
    undo_decision,
)
from labeling.models import Decision
from labeling.people.merging import merge_people
from recognition.models import Face, Person
from tests.factories import activate_embedder, make_person, make_unlabeled
from tests.labeling.checks.names import check_of, name_face

pytestmark = pytest.mark.django_db
Act = Callable[[Face, Person, User], Decision]
ANSWERS: dict[str, tuple[str, Act]] = {
    "named so": ("right", lambda face, alice, user: label_face(face=face, person=alice, actor=user)),
    "named otherwise": ("wrong", lambda face, alice, user: label_face(face=face, name="Bob", actor=user)),
    "rejected": ("wrong", lambda face, alice, user: reject_person(face=face, person=alice, actor=user)),
    "a stranger": ("wrong", lambda face, alice, user: record_verdict(face=face, kind="stranger", actor=user)),
    "no face": ("wrong", lambda face, alice, user: record_verdict(face=face, kind="not_a_face", actor=user)),
    "too poor": ("unsure", lambda face, alice, user: record_verdict(face=face, kind="poor", actor=user)),
    "put back": ("", lambda face, alice, user: record_verdict(face=face, kind="reopen", actor=user)),
    "skipped": ("", lambda face, alice, user: record_verdict(face=face, kind="skip", actor=user)),
}


@pytest.fixture(autouse=True)
def active(db: None) -> None:
    activate_embedder()


@pytest.mark.parametrize("act", ANSWERS)
def test_a_decision_about_the_face_answers_and_its_undo_asks_again(act: str, labeler: User) -> None:
    alice = make_person("Alice")
    face = name_face(alice)
    answer, decide = ANSWERS[act]
    decision = decide(face, alice, labeler)
    check = check_of(face)
    assert (check.answer, check.answered_by) == (answer, labeler if answer else None)
    undo_decision(decision=decision, actor=labeler)
    assert check_of(face).answer == ""
    redo_decision(decision=decision, actor=labeler)
    assert check_of(face).answer == answer


def test_who_was_merged_is_the_same_person(labeler: User) -> None:
    alice, ally = make_person("Alice"), make_person("Ally")
    face = name_face(ally)
    label_face(face=face, person=alice, actor=labeler)
    assert check_of(face).answer == "wrong"
    # A person without faces is merged by a decision about none.
    other = name_face(ally)
    label_face(face=other, person=ally, actor=labeler)
    merged = merge_people(keep=alice, other=ally, actor=labeler)
    assert check_of(other).answer == "right"
    label_face(face=Face.objects.get(pk=face.pk), person=alice, actor=labeler)
    assert check_of(face).answer == "right"
    assert merged.person == alice


def test_a_confirmed_name_that_is_taken_back_is_asked_about_again(labeler: User) -> None:
    alice = make_person("Alice")
    poison, face = name_face(alice), name_face(alice)
    label_face(face=poison, person=alice, actor=labeler)
    label_face(face=face, person=alice, actor=labeler)
    assert check_of(face).answer == "right"
    take_back(
        face=Face.objects.get(pk=poison.pk),
        person=alice,
        also=[Face.objects.get(pk=face.pk)],
        actor=labeler,
    )
    assert check_of(face).answer == ""
    assert check_of(poison).answer == "wrong"


def test_an_unsure_answer_outlives_decisions_that_say_nothing(labeler: User) -> None:
    face = name_face(make_person("Alice"))
    answer_check(check=check_of(face), reply="unsure", actor=labeler)
    decision = record_verdict(face=face, kind="reopen", actor=labeler)
    undo_decision(decision=decision, actor=labeler)
    assert check_of(face).answer == "unsure"


def test_a_check_keeps_no_name_that_nobody_has(labeler: User) -> None:
    """Whose naming was undone is hidden, although a name that the machine gave meanwhile was drawn."""
    reference = make_unlabeled().face
    decision = label_face(face=reference, name="Mistake", actor=labeler)
    assert decision.person is not None
    face = name_face(decision.person, reference=reference)
    undo_decision(decision=decision, actor=labeler)
    assert not Person.objects.current().filter(name="Mistake").exists()
    assert not checks_to_ask(labeler).exists()
    assert measure_precision(user=labeler).waiting == 0
    assert check_of(face).answer == ""
