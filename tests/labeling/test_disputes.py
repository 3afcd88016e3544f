"""Disputed names: three answers by people, and who may give them."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import EventGrant
from access.roles import LABELER, VIEWER
from labeling.decisions import label_face
from labeling.models import Decision
from recognition.models import DisputedFace, Face, Person, Reembedding, Sighting
from tests.conftest import count_queries, make_local, make_user, signed_in
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    unit_vectors,
)

pytestmark = pytest.mark.django_db
PAGE = "/label/disputed/"


@pytest.fixture
def change(db: None) -> Reembedding:
    activate_embedder()
    return Reembedding.objects.create(source="before", target=EMBEDDER_ID, state=Reembedding.State.SWITCHED)


def dispute(
    change: Reembedding, *, by: str = "human", names: tuple[str, str] = ("Alice", "Bob")
) -> DisputedFace:
    """A face of Alice that may be Bob; both have a reference at the same event."""
    photo = make_photo()
    alice, bob = map(make_person, names)
    vectors = unit_vectors(2)
    for person, vector in zip((alice, bob), vectors, strict=True):
        make_reference(person, vector, photo=make_photo(photo.event))
    face = make_face(photo)
    Sighting.objects.create(
        face=face,
        person=alice,
        decided_by=by,
        similarity=0.6,
        is_reference=by == "human",
        seen_at=photo.taken_at,
    )
    return DisputedFace.objects.create(
        reembedding=change, face=face, named=alice, proposed=bob, similarity=0.3, proposed_similarity=0.8
    )


def answer(client: Client, one: DisputedFace, what: str, **extra: int) -> str:
    data = {"dispute": one.pk, "answer": what, "version": one.face.version, **extra}
    return client.post(PAGE, data, follow=True).content.decode()


def name_of(face: Face) -> tuple[str, str]:
    sighting = Sighting.objects.select_related("person").get(face=face)
    return sighting.person.name, sighting.decided_by


class TestAnswers:
    def test_the_other_person_is_taken_by_a_decision_that_can_be_undone(
        self, change: Reembedding, as_labeler: Client, labeler: User
    ) -> None:
        one = dispute(change)
        assert "Now it is Bob." in answer(as_labeler, one, "changed")
        assert name_of(one.face) == ("Bob", "human")
        decision = Decision.objects.get()
        assert (decision.actor, decision.person) == (labeler, one.proposed)
        as_labeler.post(f"/decisions/{decision.key}/undo/", {"sure": "1"})
        assert name_of(one.face) == ("Alice", "human")

    def test_a_name_of_people_that_is_kept_needs_no_decision_and_is_off_the_list(
        self, change: Reembedding, as_labeler: Client
    ) -> None:
        one = dispute(change)
        assert "Alice stays." in answer(as_labeler, one, "kept")
        assert not Decision.objects.exists()
        assert "No name is disputed" in as_labeler.get(PAGE).content.decode()

    def test_a_name_of_the_machine_that_is_kept_is_verified_by_that(
        self, change: Reembedding, as_labeler: Client
    ) -> None:
        one = dispute(change, by="machine")
        answer(as_labeler, one, "kept")
        assert name_of(one.face) == ("Alice", "human")
        assert Decision.objects.count() == 1

    def test_who_cannot_tell_changes_nothing_and_may_take_the_answer_back(
        self, change: Reembedding, as_labeler: Client
    ) -> None:
        one = dispute(change, by="machine")
        answer(as_labeler, one, "unsure")
        assert name_of(one.face) == ("Alice", "machine")
        assert not Decision.objects.exists()
        assert "on the list again" in as_labeler.post(PAGE, {"undo": one.pk}, follow=True).content.decode()
        assert "It is Bob" in as_labeler.get(PAGE).content.decode()

    def test_a_stale_page_writes_nothing(
        self, change: Reembedding, as_labeler: Client, labeler: User
    ) -> None:
        one = dispute(change)
        label_face(face=one.face, actor=labeler, person=one.named)
        assert "meanwhile" in answer(as_labeler, one, "changed")
        assert name_of(one.face) == ("Alice", "human")

    def test_a_face_that_got_another_name_is_off_the_list(
        self, change: Reembedding, as_labeler: Client, labeler: User
    ) -> None:
        one = dispute(change)
        label_face(face=one.face, actor=labeler, person=make_person("Carol"))
        assert "No name is disputed" in as_labeler.get(PAGE).content.decode()
        assert "has changed" in answer(as_labeler, one, "kept")

    def test_after_the_way_back_nothing_is_disputed(self, change: Reembedding, as_labeler: Client) -> None:
        dispute(change)
        Reembedding.objects.update(state=Reembedding.State.RETURNED)
        assert "No name is disputed" in as_labeler.get(PAGE).content.decode()

    def test_both_people_are_shown_with_their_references(
        self, change: Reembedding, as_labeler: Client
    ) -> None:
        one = dispute(change)
        page = as_labeler.get(PAGE).content.decode()
        for person in (one.named, one.proposed):
            reference = Sighting.objects.filter(person=person, is_reference=True).first()
            assert reference is not None
            assert str(reference.face.face_id) in page


class TestWhoMay:
    def test_a_labeler_of_another_event_neither_sees_nor_answers_it(self, change: Reembedding) -> None:
        one = dispute(change)
        other = signed_in(make_local("luis", LABELER, make_event()))
        assert "Alice" not in other.get(PAGE).content.decode()
        assert "has changed" in answer(other, one, "changed")
        assert name_of(one.face) == ("Alice", "human")

    def test_nobody_learns_of_a_person_whom_they_may_not_see(self, change: Reembedding) -> None:
        one = dispute(change)
        elsewhere = make_person("Zoe")
        make_reference(elsewhere, unit_vectors(1, seed=9)[0])
        DisputedFace.objects.update(proposed=elsewhere)
        local = signed_in(make_local("luis", LABELER, one.face.photo.event))
        assert "Zoe" not in local.get(PAGE).content.decode()

    def test_a_viewer_answers_nothing(self, change: Reembedding) -> None:
        one = dispute(change)
        viewer = signed_in(make_user("vera", VIEWER))
        assert viewer.get(PAGE).status_code == 403
        assert viewer.post(PAGE, {"dispute": one.pk, "answer": "changed", "version": 0}).status_code == 403

    def test_nobody_takes_back_what_somebody_else_answered(
        self, change: Reembedding, as_labeler: Client
    ) -> None:
        one = dispute(change)
        answer(as_labeler, one, "unsure")
        colleague = signed_in(make_user("carl", LABELER))
        assert "no such answer" in colleague.post(PAGE, {"undo": one.pk}, follow=True).content.decode()
        assert not DisputedFace.objects.filter(answer="").exists()

    def test_nobody_takes_an_answer_back_where_they_label_no_more(self, change: Reembedding) -> None:
        one = dispute(change)
        event = one.face.photo.event
        local = make_local("luis", LABELER, event)
        answer(signed_in(local), one, "unsure")
        EventGrant.objects.filter(user=local).update(event=make_event())
        said = signed_in(local).post(PAGE, {"undo": one.pk}, follow=True).content.decode()
        assert "no such answer" in said
        assert not DisputedFace.objects.filter(answer="").exists()


def test_the_page_asks_as_often_for_many_as_for_few(change: Reembedding, as_labeler: Client) -> None:
    dispute(change)
    as_labeler.get(PAGE)
    few = count_queries(as_labeler, PAGE)
    for number in range(4):
        dispute(change, names=(f"Anna {number}", f"Ben {number}"))
    assert count_queries(as_labeler, PAGE) == few
    assert Person.objects.count() == 10
