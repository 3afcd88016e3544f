"""Merging two people who are one, and taking it back: every row is what it was."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.db import transaction
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from labeling.decisions import (
    PersonGone,
    UndoRefused,
    label_face,
    redo_decision,
    reject_person,
    undo,
    undo_decision,
)
from labeling.models import AlikePeople, Decision, Enrolment, Look, Rejection
from labeling.people.alike import compare_people, pairs_seen_by
from labeling.people.covers import choose_cover
from labeling.people.merging import SamePerson, TogetherOnPhotos, merge_people
from recognition.gallery_journal import touch_gallery
from recognition.models import Embedding, Face, Person, Sighting, UnlabeledFace
from recognition.people.edits import delete_person, update_person
from recognition.people.merged import find_kept
from recognition.search import find_top_k
from recognition.signals import chores
from recognition.vectors import encode_vector
from tests.factories import (
    EMBEDDER_ID,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    unit_vectors,
)
from tests.labeling.conftest import ALICE, BOB, SOMEBODY

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> Person:
    return Person.objects.create(name="Alice Berger", aliases=["Ally"])


@pytest.fixture
def other() -> Person:
    return Person.objects.create(name="Alice Berg", aliases=["ALLY", "Lissy"], external_id="S-1")


def rows(*models: type[Model]) -> dict[str, list[Any]]:
    """The tables as they are; of rejections without their own number, which nothing refers to."""
    found: dict[str, list[Any]] = {}
    for model in models or (Person, Sighting, UnlabeledFace, Enrolment):
        found[model.__name__] = list(serializers.serialize("python", model._default_manager.order_by("pk")))
    found["Rejection"] = sorted(Rejection.objects.values_list("face", "person", "decision"))
    return found


def guess(person: Person) -> Face:
    face = make_face()
    Sighting.objects.create(
        face=face, person=person, decided_by="machine", similarity=0.8, seen_at=timezone.now()
    )
    return face


class TestWhatMoves:
    def test_every_face_of_the_other_carries_the_kept_name_and_goes_on_teaching(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        make_reference(alice, ALICE)
        mine, guessed = make_reference(other, BOB), guess(other)
        decision = merge_people(keep=alice, other=other, actor=labeler)
        assert set(Sighting.objects.filter(person=alice).values_list("face", flat=True)) >= {
            mine.pk,
            guessed.pk,
        }
        assert not Sighting.objects.filter(person=other).exists()
        assert [score.person_id for score in find_top_k(BOB)] == [alice.pk]
        assert (decision.kind, decision.person, decision.face_count) == ("merge", alice, 2)

    def test_the_search_finds_the_kept_person_by_every_name_and_number(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        merge_people(keep=alice, other=other, actor=labeler)
        alice.refresh_from_db()
        assert (alice.aliases, alice.external_id) == (["Ally", "Alice Berg", "Lissy"], "S-1")
        for typed in ("alice berg", "lissy", "s-1"):
            assert list(Person.objects.current().matching(typed)) == [alice]

    def test_of_two_external_ids_the_kept_one_stays(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        Person.objects.filter(pk=alice.pk).update(external_id="S-2")
        merge_people(keep=alice, other=other, actor=labeler)
        assert Person.objects.get(pk=alice.pk).external_id == "S-2"
        assert Person.objects.get(pk=other.pk).external_id == "S-1"

    def test_who_a_face_is_not_holds_for_the_kept_person(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        face = make_unlabeled(SOMEBODY).face
        reject_person(face=face, person=other, actor=labeler)
        merge_people(keep=alice, other=other, actor=labeler)
        assert [(row.face_id, row.person_id) for row in Rejection.objects.all()] == [(face.pk, alice.pk)]

    def test_a_rejection_of_the_one_on_a_face_of_the_other_falls(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        mine, theirs = make_unlabeled(ALICE).face, make_unlabeled(BOB).face
        for face, name, rejected in ((mine, alice, other), (theirs, other, alice)):
            reject_person(face=face, person=rejected, actor=labeler)
            label_face(face=face, person=name, actor=labeler)
        merge_people(keep=alice, other=other, actor=labeler)
        assert not Rejection.objects.exists()

    def test_nobody_sees_the_other_any_more(self, alice: Person, other: Person, labeler: User) -> None:
        make_reference(other, BOB)
        merge_people(keep=alice, other=other, actor=labeler)
        assert list(Person.objects.visible_to(labeler)) == [alice]
        assert find_kept(other.pk) == alice.pk

    def test_a_portrait_that_waits_is_for_the_kept_person(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        enrolment = Enrolment.objects.create(photo=make_photo(), person=other)
        merge_people(keep=alice, other=other, actor=labeler)
        enrolment.refresh_from_db()
        assert enrolment.person == alice

    def test_what_was_said_of_open_faces_is_looked_at_again(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        for person in (alice, other):
            Look.objects.create(face=make_unlabeled().face, person=person, similarity=0.6, verdict="close")
        merge_people(keep=alice, other=other, actor=labeler)
        assert not Look.objects.exists()

    def test_the_decision_holds_numbers_and_no_names(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        decision = merge_people(keep=alice, other=other, actor=labeler)
        text = str(decision.details)
        assert not any(word in text for word in ("Berg", "Lissy", "S-1"))


class TestRefused:
    def test_nobody_is_merged_into_themselves(self, alice: Person, labeler: User) -> None:
        with pytest.raises(SamePerson):
            merge_people(keep=alice, other=alice, actor=labeler)
        assert Person.objects.current().filter(pk=alice.pk).exists()

    def test_somebody_who_was_merged_meanwhile_is_gone(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        merge_people(keep=make_person("Carol"), other=other, actor=labeler)
        for keep, gone in ((alice, other), (other, alice)):
            with pytest.raises(PersonGone):
                merge_people(keep=keep, other=gone, actor=labeler)

    def test_two_on_one_photo_take_a_second_word(self, alice: Person, other: Person, labeler: User) -> None:
        photo = make_photo()
        make_reference(alice, ALICE, photo=photo)
        make_reference(other, BOB, photo=photo)
        before = rows()
        with pytest.raises(TogetherOnPhotos) as refused:
            merge_people(keep=alice, other=other, actor=labeler)
        assert refused.value.count == 1
        assert rows() == before
        merge_people(keep=alice, other=other, actor=labeler, together=True)
        assert Sighting.objects.filter(person=alice).count() == 2

    def test_the_same_key_is_one_merge(self, alice: Person, other: Person, labeler: User) -> None:
        make_reference(other, BOB)
        key = uuid4()
        first = merge_people(keep=alice, other=other, actor=labeler, key=key)
        assert merge_people(keep=alice, other=other, actor=labeler, key=key) == first
        assert Decision.objects.count() == 1


class TestUndo:
    @pytest.fixture
    def merged(self, alice: Person, other: Person, labeler: User) -> tuple[Decision, dict[str, list[Any]]]:
        mine = make_reference(alice, ALICE)
        theirs = make_reference(other, BOB)
        guess(other)
        open_face = make_unlabeled(SOMEBODY).face
        reject_person(face=open_face, person=other, actor=labeler)
        reject_person(face=open_face, person=alice, actor=labeler)
        choose_cover(person=other, face=theirs, actor=labeler)
        Enrolment.objects.create(photo=mine.photo, person=other)
        before = rows()
        return merge_people(keep=alice, other=other, actor=labeler), before

    def test_everything_is_what_it_was(
        self, merged: tuple[Decision, dict[str, list[Any]]], alice: Person, other: Person, labeler: User
    ) -> None:
        decision, before = merged
        undo_decision(decision=decision, actor=labeler)
        assert rows() == before
        assert [score.person_id for score in find_top_k(BOB)] == [other.pk, alice.pk]

    def test_a_redo_is_the_merge_again(
        self, merged: tuple[Decision, dict[str, list[Any]]], labeler: User
    ) -> None:
        decision, _ = merged
        after = rows()
        for _ in range(2):
            undo_decision(decision=decision, actor=labeler)
            redo_decision(decision=decision, actor=labeler)
            assert rows() == after

    def test_it_takes_back_people_without_any_face(self, alice: Person, other: Person, labeler: User) -> None:
        before = rows()
        decision = merge_people(keep=alice, other=other, actor=labeler)
        after = rows()
        undo_decision(decision=decision, actor=labeler)
        assert rows() == before
        redo_decision(decision=decision, actor=labeler)
        assert rows() == after

    def test_what_the_kept_person_got_since_stays_theirs(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        make_reference(other, BOB)
        decision = merge_people(keep=alice, other=other, actor=labeler)
        face = make_unlabeled(ALICE).face
        label_face(face=face, person=alice, actor=labeler)
        update_person(
            person=Person.objects.get(pk=alice.pk),
            name="Alice B.",
            external_id="S-1",
            aliases=["Lissy", "Li"],
        )
        undo_decision(decision=decision, actor=labeler)
        alice.refresh_from_db()
        assert (alice.name, alice.aliases, alice.external_id) == ("Alice B.", ["Li"], None)
        assert Sighting.objects.get(face=face).person == alice
        assert Person.objects.get(pk=other.pk).external_id == "S-1"

    def test_a_later_decision_about_a_face_of_it_stands_in_the_way(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        face = make_reference(other, BOB)
        decision = merge_people(keep=alice, other=other, actor=labeler)
        reject_person(face=Face.objects.get(pk=face.pk), person=alice, actor=labeler)
        with pytest.raises(UndoRefused):
            undo_decision(decision=decision, actor=labeler)
        assert find_kept(other.pk) == alice.pk

    def test_an_earlier_merge_waits_for_the_later_one(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        carol = make_person("Carol")
        first = merge_people(keep=alice, other=other, actor=labeler)
        second = merge_people(keep=carol, other=alice, actor=labeler)
        assert find_kept(other.pk) == carol.pk
        with pytest.raises(UndoRefused):
            undo_decision(decision=first, actor=labeler)
        undo_decision(decision=second, actor=labeler)
        undo_decision(decision=first, actor=labeler)
        assert set(Person.objects.current()) == {alice, other, carol}

    def test_it_is_not_redone_over_what_was_decided_since(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        make_reference(other, BOB)
        decision = merge_people(keep=alice, other=other, actor=labeler)
        undo_decision(decision=decision, actor=labeler)
        label_face(face=make_unlabeled(ALICE).face, person=other, actor=labeler)
        with pytest.raises(UndoRefused):
            redo_decision(decision=decision, actor=labeler)
        assert Person.objects.current().filter(pk=other.pk).exists()

    def test_what_the_machine_named_by_the_merged_references_goes_back(
        self, alice: Person, other: Person, labeler: User
    ) -> None:
        reference = make_reference(other, BOB)
        decision = merge_people(keep=alice, other=other, actor=labeler)
        face = make_face()
        Sighting.objects.create(
            face=face,
            person=alice,
            decided_by="machine",
            similarity=0.9,
            references=[reference.pk],
            seen_at=timezone.now(),
        )
        undo_decision(decision=decision, actor=labeler)
        assert not Sighting.objects.filter(face=face).exists()
        assert UnlabeledFace.objects.get(face=face).reviewed is False


class TestCover:
    def test_the_last_choice_stands_and_each_is_undone(self, alice: Person, labeler: User) -> None:
        first, second = make_reference(alice, ALICE), make_reference(alice, BOB)
        one = choose_cover(person=alice, face=first, actor=labeler)
        two = choose_cover(person=alice, face=second, actor=labeler)
        with pytest.raises(UndoRefused):
            undo_decision(decision=one, actor=labeler)
        for decision, left in ((two, first.pk), (one, None)):
            undo_decision(decision=decision, actor=labeler)
            assert Person.objects.get(pk=alice.pk).cover_face_id == left
        redo_decision(decision=one, actor=labeler)
        assert Person.objects.get(pk=alice.pk).cover_face_id == first.pk

    def test_it_stands_in_no_ones_way(self, alice: Person, labeler: User) -> None:
        face = make_unlabeled(ALICE).face
        named = label_face(face=face, person=alice, actor=labeler)
        choose_cover(person=alice, face=face, actor=labeler)
        undo_decision(decision=named, actor=labeler)
        assert not Sighting.objects.exists()


def test_a_person_is_deleted_with_everybody_who_was_merged_into_them(
    alice: Person, other: Person, labeler: User
) -> None:
    third = make_person("Lissy")
    merge_people(keep=other, other=third, actor=labeler)
    merge_people(keep=alice, other=other, actor=labeler)
    delete_person(person=alice)
    assert not Person.objects.exists()


def test_five_thousand_faces_are_merged_and_given_back(alice: Person, other: Person, labeler: User) -> None:
    photos = [make_photo() for _ in range(10)]
    with transaction.atomic():
        vector = encode_vector(unit_vectors(1)[0])
        faces = [make_face(photos[number % 10]) for number in range(5000)]
        touch_gallery([face.pk for face in faces])
        Embedding.objects.bulk_create(
            Embedding(face=face, embedder_id=EMBEDDER_ID, vector=vector) for face in faces
        )
        Sighting.objects.bulk_create(
            Sighting(face=face, person=other, decided_by="human", is_reference=True, seen_at=timezone.now())
            for face in faces
        )
    decision = merge_people(keep=alice, other=other, actor=labeler)
    assert Sighting.objects.filter(person=alice).count() == 5000
    undo_decision(decision=decision, actor=labeler)
    assert Sighting.objects.filter(person=other).count() == 5000


def test_a_pair_that_was_alike_is_no_pair_any_more(alice: Person, other: Person, labeler: User) -> None:
    AlikePeople.objects.create(first=alice, second=other, similarity=0.8)
    assert pairs_seen_by(labeler).count() == 1
    merge_people(keep=alice, other=other, actor=labeler)
    assert pairs_seen_by(labeler).count() == 0


def test_the_id_of_somebody_merged_is_not_given_away(
    alice: Person, other: Person, labeler: User, as_labeler: Client
) -> None:
    Person.objects.filter(pk=alice.pk).update(external_id="S-2")
    merge_people(keep=alice, other=other, actor=labeler)
    values = {"name": "Alice Berger", "external_id": "S-1", "aliases": ""}
    own = as_labeler.post(f"/people/{alice.pk}/edit/", values)
    assert (own.status_code, "Undo the merge to use it." in own.text) == (422, True)
    somebody = make_person("Bob")
    theirs = as_labeler.post(f"/people/{somebody.pk}/edit/", {**values, "name": "Bob"})
    assert theirs.status_code == 422
    assert f'The external id is that of <a href="/people/{alice.pk}/">' in theirs.text


def test_the_worker_compares_people_and_any_process_undoes_a_merge() -> None:
    assert compare_people in chores
    assert {Decision.Kind.MERGE, Decision.Kind.COVER} <= undo._undo_more.keys() & undo._redo_more.keys()
