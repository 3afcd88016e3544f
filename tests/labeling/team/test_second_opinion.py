"""The blind second opinion: who is asked about what, what they see, and what becomes of a difference."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, label_faces, undo_decision
from labeling.models import Decision, EventReview, SecondOpinion
from labeling.team.opinions import measure_agreement
from labeling.team.sampling import names_to_review
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_person, make_photo, make_reference, make_unlabeled, vector_near
from tests.labeling.conftest import ALICE, BOB

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    event = make_event("Graduation")
    EventReview.objects.create(event=event, percent=100)
    return event


@pytest.fixture
def nora(db: None) -> User:
    return make_user("nora", "labeler")


@pytest.fixture
def named(event: Event, nora: User) -> Face:
    """Called Alice by Nora."""
    alice = make_person("Alice Anders")
    make_reference(alice, ALICE, photo=make_photo(event))
    make_reference(make_person("Bob Berg"), BOB, photo=make_photo(event))
    face = make_unlabeled(vector_near(ALICE, 0.8), photo=make_photo(event)).face
    label_face(face=face, actor=nora, person=alice)
    return face


def answer(client: Client, face: Face, **values: object) -> object:
    return client.post(f"/label/second/{face.face_id}/", values)


def person(name: str) -> Person:
    return Person.objects.get(name=name)


def test_a_colleague_is_asked_and_nobody_about_their_own(named: Face, labeler: User, nora: User) -> None:
    assert [row.face for row in names_to_review(labeler)] == [named]
    assert not names_to_review(nora).exists()


def test_nobody_is_asked_where_no_sample_is_wanted(named: Face, labeler: User) -> None:
    EventReview.objects.update(percent=0)
    assert not names_to_review(labeler).exists()


def test_nobody_is_asked_about_events_where_they_do_not_label(named: Face, event: Event) -> None:
    assert not names_to_review(make_local("vera", "viewer", event)).exists()
    assert not names_to_review(make_local("ella", "labeler", make_event())).exists()
    assert names_to_review(make_local("hugo", "labeler", event)).exists()


def test_the_sample_is_about_as_large_as_asked_and_grows_only(
    event: Event, labeler: User, nora: User
) -> None:
    faces = [make_unlabeled(photo=make_photo(event)).face for _ in range(120)]
    label_faces(faces=faces, actor=nora, name="Alice Anders")
    sample: set[int] = set()
    for percent in (10, 30, 60):
        EventReview.objects.update(percent=percent)
        larger = {row.face_id for row in names_to_review(labeler)}
        assert sample <= larger
        assert abs(len(larger) - 1.2 * percent) < 25
        sample = larger


def test_the_page_does_not_tell_the_name_that_was_given(
    event: Event, labeler: User, nora: User, as_labeler: Client
) -> None:
    face = make_unlabeled(photo=make_photo(event)).face
    label_face(face=face, actor=nora, name="Zoe Zander")
    page = as_labeler.get("/label/second/", follow=True).content.decode()
    assert str(face.face_id) in page
    assert "Zoe" not in page
    assert "nora" not in page


def test_the_same_answer_agrees_and_changes_nothing(named: Face, as_labeler: Client, event: Event) -> None:
    decisions = Decision.objects.count()
    answer(as_labeler, named, person=person("Alice Anders").pk)
    opinion = SecondOpinion.objects.get()
    assert (opinion.agrees, opinion.answer) == (True, "person")
    assert Decision.objects.count() == decisions
    assert measure_agreement(event).percent == 100
    assert "No two answers" in as_labeler.get("/label/differing/").content.decode()


def test_a_typed_name_is_an_answer(named: Face, as_labeler: Client) -> None:
    answer(as_labeler, named, name="  alice anders ")
    assert SecondOpinion.objects.get().agrees


def test_a_typed_name_that_nobody_has_creates_nobody(named: Face, as_labeler: Client) -> None:
    reply = as_labeler.post(f"/label/second/{named.face_id}/", {"name": "Zoe Zander"})
    assert reply.status_code == 422
    assert not Person.objects.filter(name="Zoe Zander").exists()
    assert not SecondOpinion.objects.exists()


def test_nothing_chosen_is_no_answer(named: Face, as_labeler: Client) -> None:
    assert as_labeler.post(f"/label/second/{named.face_id}/", {}).status_code == 422
    assert not SecondOpinion.objects.exists()


def test_somebody_of_another_event_cannot_be_had_by_counting_ids(named: Face, event: Event) -> None:
    stranger = make_person("Secret Sam")
    make_reference(stranger, BOB, photo=make_photo(make_event()))
    client = signed_in(make_local("hugo", "labeler", event))
    reply = client.post(f"/label/second/{named.face_id}/", {"person": stranger.pk})
    assert reply.status_code == 422
    assert "Secret" not in reply.content.decode()
    assert not SecondOpinion.objects.exists()


def test_who_cannot_tell_counts_for_neither(named: Face, as_labeler: Client, event: Event) -> None:
    answer(as_labeler, named, answer="unsure")
    agreement = measure_agreement(event)
    assert (agreement.given, agreement.unsure) == (0, 1)
    assert "No two answers" in as_labeler.get("/label/differing/").content.decode()


def test_each_face_is_asked_about_once(named: Face, as_labeler: Client, labeler: User) -> None:
    answer(as_labeler, named, person=person("Alice Anders").pk)
    other = make_user("otis", "labeler")
    assert not names_to_review(labeler).exists()
    assert not names_to_review(other).exists()
    answer(signed_in(other), named, person=person("Bob Berg").pk)
    assert SecondOpinion.objects.get().agrees


def test_one_cannot_answer_about_ones_own_name(named: Face, nora: User) -> None:
    answer(signed_in(nora), named, person=person("Alice Anders").pk)
    assert not SecondOpinion.objects.exists()


def test_a_face_of_a_foreign_event_is_not_found(named: Face) -> None:
    client = signed_in(make_local("ella", "labeler", make_event()))
    assert client.get(f"/label/second/{named.face_id}/").status_code == 404
    assert client.post(f"/label/second/{named.face_id}/", {"answer": "unsure"}).status_code == 404


def test_after_the_name_was_undone_and_given_anew_it_is_asked_again(
    named: Face, as_labeler: Client, labeler: User, nora: User
) -> None:
    answer(as_labeler, named, answer="unsure")
    undo_decision(decision=Decision.objects.latest("pk"), actor=nora)
    assert not names_to_review(labeler).exists()
    label_face(
        face=Face.objects.select_related("photo").get(pk=named.pk), actor=nora, person=person("Bob Berg")
    )
    assert names_to_review(labeler).exists()


class TestDifferences:
    @pytest.fixture
    def opinion(self, named: Face, as_labeler: Client) -> SecondOpinion:
        answer(as_labeler, named, person=person("Bob Berg").pk)
        return SecondOpinion.objects.get()

    def settle(self, client: Client, opinion: SecondOpinion, take: str, version: int | None = None) -> int:
        seen = Face.objects.get(pk=opinion.face_id).version if version is None else version
        values = {"take": take, "version": seen}
        return client.post(f"/label/differing/{opinion.pk}/", values).status_code

    def test_it_is_listed_with_both_answers(self, opinion: SecondOpinion, as_manager: Client) -> None:
        page = as_manager.get("/label/differing/").content.decode()
        assert "Keep Alice Anders" in page
        assert "It is Bob Berg" in page

    def test_keeping_the_name_settles_it(self, opinion: SecondOpinion, as_manager: Client) -> None:
        decisions = Decision.objects.count()
        self.settle(as_manager, opinion, "0")
        opinion.refresh_from_db()
        assert opinion.settled_at is not None
        assert Decision.objects.count() == decisions
        assert "No two answers" in as_manager.get("/label/differing/").content.decode()

    def test_taking_the_other_is_a_decision_that_can_be_undone(
        self, opinion: SecondOpinion, as_manager: Client, manager: User
    ) -> None:
        self.settle(as_manager, opinion, "1")
        assert Sighting.objects.get(face=opinion.face_id).person == person("Bob Berg")
        decision = Decision.objects.latest("pk")
        assert decision.actor == manager
        undo_decision(decision=decision, actor=manager)
        assert Sighting.objects.get(face=opinion.face_id).person == person("Alice Anders")

    def test_nobody_we_name_makes_it_a_stranger(
        self, named: Face, as_labeler: Client, as_manager: Client
    ) -> None:
        answer(as_labeler, named, answer="stranger")
        self.settle(as_manager, SecondOpinion.objects.get(), "1")
        assert UnlabeledFace.objects.get(face=named).verdict == "stranger"

    def test_nobody_settles_what_they_named_themselves(self, opinion: SecondOpinion, nora: User) -> None:
        assert self.settle(signed_in(nora), opinion, "0") == 403
        opinion.refresh_from_db()
        assert opinion.settled_at is None

    def test_a_labeler_elsewhere_does_not_find_it(self, opinion: SecondOpinion) -> None:
        client = signed_in(make_local("ella", "labeler", make_event()))
        assert self.settle(client, opinion, "0") == 404
        assert "Alice" not in client.get("/label/differing/").content.decode()

    def test_a_face_that_changed_meanwhile_is_left_as_it_is(
        self, opinion: SecondOpinion, as_manager: Client
    ) -> None:
        self.settle(as_manager, opinion, "1", version=99)
        opinion.refresh_from_db()
        assert opinion.settled_at is None
        assert Sighting.objects.get(face=opinion.face_id).person == person("Alice Anders")

    def test_it_is_gone_once_the_two_are_one_person(self, opinion: SecondOpinion, as_manager: Client) -> None:
        Person.objects.filter(name="Bob Berg").update(merged_into=person("Alice Anders"))
        assert "No two answers" in as_manager.get("/label/differing/").content.decode()

    def test_the_event_shows_how_far_they_agree(
        self, opinion: SecondOpinion, as_manager: Client, event: Event
    ) -> None:
        page = as_manager.get(f"/events/{event.pk}/labelers/").content.decode()
        assert "0 % agree" in page
        assert "1 to settle" in page
