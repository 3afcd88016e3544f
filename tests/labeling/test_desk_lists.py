"""A person's list: who may be Alice, what is chosen from the start, and what confirming and rejecting leave behind."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, reject_person
from labeling.models import Decision, Look, Rejection
from recognition.models import Event, Face, Person, Photo, Sighting, UnlabeledFace
from tests.conftest import make_local, signed_in
from tests.factories import make_event, make_person, make_photo, make_reference, make_unlabeled
from tests.labeling.conftest import ALICE, fresh


@pytest.fixture
def alice() -> Person:
    person = make_person("Alice")
    make_reference(person, ALICE)
    return person


def look(person: Person, similarity: float, *, verdict: str = "suggest", photo: Photo | None = None) -> Face:
    """An open face that the worker found to look like the person."""
    face = make_unlabeled(photo=photo).face
    Look.objects.create(
        face=face,
        person=person,
        similarity=similarity,
        margin=0.3 if verdict == "suggest" else 0.01,
        verdict=verdict,
    )
    return face


def decide(client: Client, person: Person, action: str, faces: list[Face], listed: list[Face] = []):  # type: ignore[no-untyped-def]  # noqa: B006
    values = {
        "key": uuid4(),
        "action": action,
        "face": [f"{face.face_id}:{face.version}" for face in faces],
        "listed": [f"{face.face_id}:{face.version}" for face in (*faces, *listed)],
    }
    return client.post(f"/label/person/{person.pk}/decide/", values)


def test_the_likeliest_come_first_and_the_strong_ones_are_chosen(alice: Person, as_labeler: Client) -> None:
    possible, strong, close = (
        look(alice, 0.6),
        look(alice, 0.8),
        look(alice, 0.75, verdict="close"),
    )
    card = as_labeler.get(f"/label/person/{alice.pk}/").context["card"]
    assert [listed.face for listed in card.faces] == [strong, close, possible]
    assert [listed.chosen for listed in card.faces] == [True, False, False]
    assert card.title == "3 faces that may be Alice"


def test_of_two_on_one_photo_only_the_better_one_can_be_chosen(alice: Person, as_labeler: Client) -> None:
    photo = make_photo()
    worse, better = look(alice, 0.6, photo=photo), look(alice, 0.7, photo=photo)
    look(alice, 0.65)
    card = as_labeler.get(f"/label/person/{alice.pk}/").context["card"]
    blocked = {listed.face: listed.blocked for listed in card.faces if listed.blocked}
    assert blocked == {worse: "better"}
    assert better not in blocked


def test_a_face_whose_photo_shows_the_person_cannot_be_chosen(alice: Person, as_labeler: Client) -> None:
    photo = make_photo()
    make_reference(alice, ALICE, photo=photo)
    look(alice, 0.8, photo=photo)
    card = as_labeler.get(f"/label/person/{alice.pk}/").context["card"]
    assert [(listed.blocked, listed.chosen) for listed in card.faces] == [("named", False)]
    assert not card.is_open


def test_the_chosen_are_confirmed_and_the_others_stay_undecided(alice: Person, hx: Client) -> None:
    yes, no = look(alice, 0.8), look(alice, 0.6)
    response = decide(hx, alice, "confirm", [yes])
    assert response.status_code == 200
    assert Sighting.objects.get(face=yes).person == alice
    assert not UnlabeledFace.objects.get(face=no).reviewed
    # What is left is asked about at once: one more key ends the list for good.
    assert [listed.face for listed in response.context["card"].faces] == [no]


def test_rejected_faces_are_never_on_the_list_again(alice: Person, hx: Client) -> None:
    faces = [look(alice, 0.8), look(alice, 0.6)]
    decide(hx, alice, "reject", faces[:1])
    assert Rejection.objects.get().face == faces[0]
    card = hx.get(f"/label/person/{alice.pk}/").context["card"]
    assert [listed.face for listed in card.faces] == faces[1:]


def test_a_no_with_nothing_chosen_is_about_all_that_the_card_showed(alice: Person, hx: Client) -> None:
    faces = [look(alice, 0.8), look(alice, 0.6)]
    decide(hx, alice, "reject", [], listed=faces)
    assert Rejection.objects.count() == 2
    assert Decision.objects.count() == 1


def test_a_yes_with_nothing_chosen_names_nobody(alice: Person, hx: Client) -> None:
    response = decide(hx, alice, "confirm", [], listed=[look(alice, 0.8)])
    assert response.status_code == 422
    assert "Choose the faces that are Alice first" in response.text
    assert not Decision.objects.exists()


@pytest.mark.parametrize(("action", "queue"), [("skip", "skipped"), ("ask", "asked")])
def test_a_list_that_was_put_off_waits_in_its_queue(
    alice: Person, hx: Client, action: str, queue: str
) -> None:
    faces = [look(alice, 0.8), look(alice, 0.6)]
    decide(hx, alice, action, [], listed=faces)
    assert hx.get("/label/?queue=suggestions").context["card"] is None
    assert hx.get(f"/label/?queue={queue}").context["card"].person == alice
    # The faces themselves may still come one by one.
    assert hx.get("/label/?queue=singles").context["card"].face in faces


def test_a_verdict_is_for_the_chosen_alone(alice: Person, hx: Client) -> None:
    chosen, other = look(alice, 0.8), look(alice, 0.6)
    decide(hx, alice, "not_a_face", [chosen], listed=[other])
    assert UnlabeledFace.objects.get(face=chosen).verdict == "not_a_face"
    assert not UnlabeledFace.objects.get(face=other).reviewed


def test_a_face_that_somebody_decided_meanwhile_changes_nothing(
    alice: Person, hx: Client, manager: User
) -> None:
    faces = [look(alice, 0.8), look(alice, 0.6)]
    label_face(face=fresh(faces[0]), actor=manager, name="Bob")
    response = decide(hx, alice, "confirm", faces)
    assert response.status_code == 409
    assert "mona named" in response.text
    assert not Sighting.objects.filter(face=faces[1]).exists()


def test_what_was_rejected_elsewhere_is_not_on_the_list(alice: Person, hx: Client, labeler: User) -> None:
    faces = [look(alice, 0.8), look(alice, 0.6)]
    reject_person(face=faces[0], person=alice, actor=labeler)
    card = hx.get(f"/label/person/{alice.pk}/").context["card"]
    assert [listed.face for listed in card.faces] == faces[1:]


def test_a_list_that_is_done_says_so(alice: Person, as_labeler: Client) -> None:
    assert "Nothing left that may be Alice" in as_labeler.get(f"/label/person/{alice.pk}/").text


def test_without_javascript_it_works_by_forms(alice: Person, as_labeler: Client) -> None:
    faces = [look(alice, 0.8), look(alice, 0.6)]
    response = decide(as_labeler, alice, "confirm", faces)
    assert (response.status_code, response["Location"]) == (302, "/label/")


class TestSomebodyOfOneEvent:
    @pytest.fixture
    def mine(self) -> Event:
        return make_event("Mine")

    @pytest.fixture
    def lea(self, mine: Event) -> Client:
        return signed_in(make_local("lea", "labeler", mine))

    def test_the_list_of_somebody_whom_none_of_my_faces_looks_like_is_not_there(
        self, alice: Person, lea: Client
    ) -> None:
        look(alice, 0.8)
        assert lea.get(f"/label/person/{alice.pk}/").status_code == 404

    def test_of_a_lookalike_of_another_event_there_is_the_name_alone(
        self, alice: Person, lea: Client, mine: Event
    ) -> None:
        own = look(alice, 0.8, photo=make_photo(mine))
        look(alice, 0.8)
        response = lea.get(f"/label/person/{alice.pk}/")
        card = response.context["card"]
        assert [listed.face for listed in card.faces] == [own]
        assert card.references == []
        assert f"/people/{alice.pk}/" not in response.text

    def test_a_face_of_another_event_cannot_be_posted(self, alice: Person, lea: Client, mine: Event) -> None:
        look(alice, 0.8, photo=make_photo(mine))
        foreign = look(alice, 0.8)
        assert decide(lea, alice, "confirm", [foreign]).status_code == 404
        assert not Decision.objects.exists()


def test_nobody_else_decides_about_a_list(alice: Person, outsider: User, uploader: User) -> None:
    face = look(alice, 0.8)
    for user in (outsider, uploader):
        assert decide(signed_in(user), alice, "confirm", [face]).status_code == 403
    assert not Decision.objects.exists()
