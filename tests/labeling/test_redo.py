"""An undone decision is done again exactly, as long as nobody decided about its faces since; and who may not."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from labeling.decisions import (
    UndoRefused,
    label_face,
    label_faces,
    record_verdict,
    redo_decision,
    split_cluster,
    undo_decision,
)
from labeling.models import Cluster, ClusterMember, Decision
from labeling.people.hidden import remove_hidden_people
from recognition.models import Face, Person, Sighting, UnlabeledFace
from tests.conftest import signed_in
from tests.factories import make_event, make_person, make_photo, make_unlabeled
from tests.labeling.conftest import fresh


def test_decisions_on_each_other_are_undone_and_done_again_in_a_row(face: Face, labeler: User) -> None:
    made = [
        label_face(face=face, actor=labeler, name="Alice"),
        label_face(face=fresh(face), actor=labeler, name="Bob"),
    ]
    for decision in reversed(made):
        undo_decision(decision=decision, actor=labeler)
    for decision, name in zip(made, ("Alice", "Bob"), strict=True):
        redo_decision(decision=decision, actor=labeler)
        assert Sighting.objects.get(face=face).person.name == name


def test_what_somebody_decided_since_stands_against_a_redo(face: Face, labeler: User, manager: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    later = record_verdict(face=fresh(face), kind="stranger", actor=manager)
    with pytest.raises(UndoRefused) as refused:
        redo_decision(decision=decision, actor=labeler)
    assert refused.value.later == later
    assert UnlabeledFace.objects.get(face=face).verdict == "stranger"
    undo_decision(decision=later, actor=manager)
    assert not redo_decision(decision=decision, actor=labeler).undone


def test_a_name_that_the_machine_gave_meanwhile_gives_way_and_comes_back(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    bob = make_person("Bob")
    Sighting.objects.create(
        face=face, person=bob, similarity=0.9, decided_by="machine", seen_at=face.photo.taken_at
    )
    redo_decision(decision=decision, actor=labeler)
    assert Sighting.objects.get(face=face).person.name == "Alice"
    undo_decision(decision=decision, actor=labeler)
    assert Sighting.objects.get(face=face).person == bob


def test_a_decision_in_force_is_not_done_again(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    with pytest.raises(UndoRefused, match="in force"):
        redo_decision(decision=decision, actor=labeler)


def test_only_a_manager_does_anothers_decision_again(face: Face, labeler: User, manager: User) -> None:
    decision = label_face(face=face, actor=manager, name="Alice")
    undo_decision(decision=decision, actor=manager)
    with pytest.raises(PermissionDenied):
        redo_decision(decision=decision, actor=labeler)
    assert signed_in(labeler).post(f"/decisions/{decision.key}/redo/").status_code == 403
    assert Decision.objects.get(pk=decision.pk).undone


def test_the_list_does_it_again(face: Face, labeler: User, as_labeler: Client) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    as_labeler.post(f"/decisions/{decision.key}/undo/", {"back": "decisions"})
    assert f"/decisions/{decision.key}/redo/" in as_labeler.get("/decisions/").text
    answer = as_labeler.post(f"/decisions/{decision.key}/redo/", {"back": "decisions"}, follow=True)
    assert "Done again: Alice." in answer.text
    assert Sighting.objects.get(face=face).person.name == "Alice"


def test_a_person_who_is_back_is_the_same_one(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    assert not Person.objects.current().exists()
    redo_decision(decision=decision, actor=labeler)
    assert Person.objects.current().get() == decision.person


def test_nobody_comes_back_beside_somebody_who_got_the_name_since(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    label_face(face=make_unlabeled().face, actor=labeler, name="Alice")
    with pytest.raises(UndoRefused, match="has this name by now"):
        redo_decision(decision=decision, actor=labeler)
    assert Person.objects.current().count() == 1


def test_hidden_people_are_removed_after_a_day_and_nobody_else(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    undo_decision(decision=decision, actor=labeler)
    make_person("Bob")
    assert remove_hidden_people() == 0
    Person.objects.filter(name="Alice").update(hidden_at=timezone.now() - timedelta(hours=25))
    assert remove_hidden_people() == 1
    assert [person.name for person in Person.objects.all()] == ["Bob"]
    decision.refresh_from_db()
    with pytest.raises(UndoRefused, match="gone"):
        redo_decision(decision=decision, actor=labeler)


def test_a_face_that_joined_a_group_meanwhile_makes_room_for_one_of_its_photo(labeler: User) -> None:
    photo = make_photo()
    one, other, third = make_unlabeled(photo=photo), make_unlabeled(photo=photo), make_unlabeled()
    cluster = Cluster.objects.create(event=photo.event, open_count=2)
    for entry in (one, third):
        ClusterMember.objects.create(cluster=cluster, face=entry.face, closeness=0.9)
    decision = split_cluster(cluster=cluster, faces=[one.face], actor=labeler)
    ClusterMember.objects.create(cluster=cluster, face=other.face, closeness=0.8)
    undo_decision(decision=decision, actor=labeler)
    assert set(cluster.members.values_list("face", flat=True)) == {one.face_id, third.face_id}


def test_a_repeated_request_whose_first_face_was_left_out_is_one_decision(labeler: User) -> None:
    photo = make_photo()
    alice = make_person("Alice")
    label_face(face=make_unlabeled(photo=photo).face, actor=labeler, person=alice)
    faces = [
        entry.face for entry in (make_unlabeled(photo=photo), make_unlabeled(photo=make_photo(make_event())))
    ]
    key = uuid4()
    made = [label_faces(faces=faces, actor=labeler, person=alice, key=key) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].face_count == 1
