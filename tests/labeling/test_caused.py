"""What FaceVault named because of a decision: shown before the undo, taken back with it, given again by a redo."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import (
    find_caused,
    find_left_behind,
    label_face,
    record_verdict,
    redo_decision,
    reject_person,
    set_reference,
    undo_decision,
)
from labeling.models import Cluster, ClusterMember, Decision
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_photo, make_unlabeled


def name_by(reference: Face, person: Person, *, event: Event | None = None, also: int = 0) -> Face:
    """A face that the machine names because of this reference; `also` is one that answered behind it."""
    face = make_unlabeled(photo=make_photo(event)).face
    Sighting.objects.create(
        face=face,
        person=person,
        similarity=0.9,
        references=[reference.pk, *([also] if also else [])],
        decided_by="machine",
        seen_at=face.photo.taken_at,
    )
    UnlabeledFace.objects.filter(face=face).update(reviewed=True, verdict="label")
    return face


@pytest.fixture
def named(face: Face, labeler: User) -> Decision:
    return label_face(face=face, actor=labeler, name="Alice")


def person_of(decision: Decision) -> Person:
    assert decision.person is not None
    return decision.person


def test_an_undo_takes_back_what_the_reference_caused_and_a_redo_gives_it_again(
    face: Face, named: Decision, labeler: User
) -> None:
    caused = name_by(face, person_of(named))
    before = list(Sighting.objects.order_by("pk").values())
    undo_decision(decision=named, actor=labeler)
    assert not Sighting.objects.exists()
    assert not UnlabeledFace.objects.get(face=caused).reviewed
    redo_decision(decision=named, actor=labeler)
    assert list(Sighting.objects.order_by("pk").values()) == before


def test_a_face_that_another_reference_was_nearer_to_keeps_its_name(
    face: Face, named: Decision, labeler: User
) -> None:
    other = label_face(face=make_unlabeled().face, actor=labeler, person=person_of(named)).face
    assert other is not None
    name_by(other, person_of(named), also=face.pk)
    assert find_caused(named) == []


def test_an_undo_may_keep_what_it_caused(face: Face, named: Decision, labeler: User) -> None:
    caused = name_by(face, person_of(named))
    undo_decision(decision=named, actor=labeler, with_caused=False)
    assert Sighting.objects.get().face == caused
    assert Person.objects.current().filter(name="Alice").exists()


def test_a_redo_leaves_alone_what_somebody_decided_since(face: Face, named: Decision, labeler: User) -> None:
    caused, other = (name_by(face, person_of(named)) for _ in range(2))
    undo_decision(decision=named, actor=labeler)
    record_verdict(face=caused, kind="stranger", actor=labeler)
    redo_decision(decision=named, actor=labeler)
    assert UnlabeledFace.objects.get(face=caused).verdict == "stranger"
    assert Sighting.objects.filter(face=other).exists()
    assert not Sighting.objects.filter(face=caused).exists()


def test_groups_count_what_went_back_into_the_queue(face: Face, named: Decision, labeler: User) -> None:
    caused = name_by(face, person_of(named))
    cluster = Cluster.objects.create(event=caused.photo.event)
    ClusterMember.objects.create(cluster=cluster, face=caused, closeness=0.9)
    undo_decision(decision=named, actor=labeler)
    cluster.refresh_from_db()
    assert cluster.open_count == 1
    redo_decision(decision=named, actor=labeler)
    cluster.refresh_from_db()
    assert cluster.open_count == 0


def test_the_undo_button_takes_a_few_back_at_once_and_says_so(
    face: Face, named: Decision, as_labeler: Client
) -> None:
    name_by(face, person_of(named))
    answer = as_labeler.post(f"/decisions/{named.key}/undo/", {"back": "decisions"}, follow=True)
    assert "1 name that FaceVault gave because of it is back in the queue" in answer.text
    assert not Sighting.objects.exists()


def test_many_are_shown_before_they_are_taken_back(
    face: Face, named: Decision, as_labeler: Client, hx: Client
) -> None:
    faces = [name_by(face, person_of(named)) for _ in range(7)]
    address = f"/decisions/{named.key}/"
    assert as_labeler.post(f"{address}undo/")["Location"] == address
    assert hx.post(f"{address}undo/")["HX-Redirect"] == address
    assert Sighting.objects.count() == 8
    page = as_labeler.get(address).text
    assert "FaceVault named 7 faces because of it" in page
    assert all(f"/crops/{one.face_id}" in page or str(one.face_id) in page for one in faces)
    answer = as_labeler.post(f"{address}undo/", {"sure": "1", "back": "decision"}, follow=True)
    assert "7 names that FaceVault gave because of it are back in the queue" in answer.text
    assert "7 names went back into the queue with it" in answer.text
    assert not Sighting.objects.exists()


def test_the_page_undoes_and_keeps_those_names(face: Face, named: Decision, as_labeler: Client) -> None:
    name_by(face, person_of(named))
    form = {"sure": "1", "back": "decision", "caused": "keep"}
    as_labeler.post(f"/decisions/{named.key}/undo/", form)
    assert Sighting.objects.count() == 1


LOSES: dict[str, Any] = {
    "reject": lambda face, person, actor: reject_person(face=face, person=person, actor=actor),
    "unreference": lambda face, person, actor: set_reference(face=face, reference=False, actor=actor),
    "correct": lambda face, person, actor: label_face(face=face, actor=actor, name="Bob"),
    "stranger": lambda face, person, actor: record_verdict(face=face, kind="stranger", actor=actor),
}


@pytest.mark.parametrize("way", LOSES)
def test_whoever_takes_a_reference_away_is_offered_to_put_back_what_it_named(
    way: str, face: Face, named: Decision, labeler: User, as_labeler: Client
) -> None:
    caused = name_by(face, person_of(named))
    assert find_left_behind(named) == []
    decision = LOSES[way](Face.objects.get(pk=face.pk), person_of(named), labeler)
    assert [sighting.face for sighting in find_left_behind(decision)] == [caused]
    page = as_labeler.get(f"/decisions/{decision.key}/").text
    assert "Put 1 back into the queue" in page
    as_labeler.post(f"/decisions/{decision.key}/put-back/")
    assert not Sighting.objects.filter(face=caused).exists()
    made = Decision.objects.latest("pk")
    assert (made.kind, made.face) == ("reopen", caused)
    undo_decision(decision=made, actor=labeler)
    assert Sighting.objects.get(face=caused).decided_by == "machine"


def test_nothing_is_put_back_at_events_where_one_does_not_label(face: Face, labeler: User) -> None:
    elsewhere = make_event()
    local = make_local("lou", "labeler", face.photo.event)
    named = label_face(face=face, actor=local, name="Alice")
    hidden = name_by(face, person_of(named), event=elsewhere)
    decision = record_verdict(face=Face.objects.get(pk=face.pk), kind="stranger", actor=local)
    client = signed_in(local)
    page = client.get(f"/decisions/{decision.key}/").text
    assert str(hidden.face_id) not in page
    client.post(f"/decisions/{decision.key}/put-back/")
    assert Sighting.objects.filter(face=hidden).exists()


def test_only_labelers_put_anything_back(face: Face, named: Decision, labeler: User) -> None:
    caused = name_by(face, person_of(named))
    decision = record_verdict(face=Face.objects.get(pk=face.pk), kind="stranger", actor=labeler)
    for user, status in (
        (make_user("vera", "viewer"), 403),
        (make_local("leo", "labeler", make_event()), 404),
    ):
        assert signed_in(user).post(f"/decisions/{decision.key}/put-back/").status_code == status
    assert Sighting.objects.filter(face=caused).exists()
