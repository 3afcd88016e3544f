"""The page of what a face caused: complete for whoever may see it, and one button that takes it back."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from labeling.decisions import label_face, take_back, undo_decision
from labeling.models import Decision
from labeling.people.merging import merge_people
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.conftest import count_queries, make_local, make_user, signed_in
from tests.factories import label_face as name_face
from tests.factories import make_event, make_face, make_person, make_photo, make_unlabeled
from tests.labeling.test_caused import name_by


@pytest.fixture
def alice(db: None) -> Person:
    return make_person("Alice")


@pytest.fixture
def poison(face: Face, alice: Person, labeler: User) -> Face:
    label_face(face=face, person=alice, actor=labeler)
    return Face.objects.get(pk=face.pk)


@pytest.fixture
def confirmed(poison: Face, alice: Person, labeler: User) -> Face:
    """FaceVault named it by the poison, somebody said yes, and it has one named in turn."""
    face = name_by(poison, alice)
    label_face(face=face, person=alice, actor=labeler)
    name_by(face, alice)
    return Face.objects.get(pk=face.pk)


def address(face: Face) -> str:
    return f"/faces/{face.face_id}/caused/"


def form(poison: Face, person: Person, *faces: Face, **more: object) -> dict[str, object]:
    boxes = [f"{face.face_id}:{face.version}" for face in faces]
    return {"person": person.pk, "key": uuid4(), "version": poison.version, "face": boxes, **more}


def test_it_lists_what_the_machine_and_what_people_named(
    poison: Face, confirmed: Face, alice: Person, as_labeler: Client
) -> None:
    caused = name_by(poison, alice)
    page = as_labeler.get(address(poison)).text
    assert "3 names rest on it" in page
    assert "FaceVault named 1 face by it" in page
    assert "FaceVault first, then confirmed · 1 more by it" in page
    assert "FaceVault named 1 more by those" in page
    assert f'value="{confirmed.face_id}:{confirmed.version}" checked' in page
    assert f"/{caused.face_id}" in page


def test_one_button_takes_all_of_it_back_and_another_undoes_it(
    poison: Face, confirmed: Face, alice: Person, as_labeler: Client
) -> None:
    name_by(poison, alice)
    before = list(Sighting.objects.order_by("pk").values())
    answer = as_labeler.post(address(poison), form(poison, alice, confirmed), follow=True)
    assert not Sighting.objects.exists()
    assert UnlabeledFace.objects.open().count() == 4
    assert "Taken back: Alice" in answer.text
    assert "2 names went back into the queue with it" in answer.text
    decision = Decision.objects.latest("pk")
    undone = as_labeler.post(
        f"/decisions/{decision.key}/undo/", {"back": "decision", "sure": "1"}, follow=True
    )
    assert list(Sighting.objects.order_by("pk").values()) == before
    assert "went back into the queue" not in undone.text


def test_a_name_that_is_not_selected_stays_with_what_it_named(
    poison: Face, confirmed: Face, alice: Person, as_labeler: Client
) -> None:
    gone = name_by(poison, alice)
    as_labeler.post(address(poison), form(poison, alice))
    left = set(Sighting.objects.values_list("face", flat=True))
    assert confirmed.pk in left
    assert len(left) == 2
    assert {poison.pk, gone.pk}.isdisjoint(left)


def test_a_name_that_only_rests_on_the_evidence_is_not_selected(
    poison: Face, alice: Person, labeler: User, as_labeler: Client
) -> None:
    face = make_unlabeled().face
    decision = label_face(face=face, person=alice, actor=labeler)
    Sighting.objects.filter(face=face).update(references=[poison.pk], similarity=0.6)
    page = as_labeler.get(address(poison)).text
    assert "it was the nearest reference" in page
    assert "checked" not in page.split("that people gave after it")[1].split("</section>")[0]
    assert decision.face == face


def test_the_page_of_a_corrected_face_still_lists_what_it_left(
    poison: Face, alice: Person, labeler: User, as_labeler: Client
) -> None:
    caused = name_by(poison, alice)
    label_face(face=poison, name="Bob", actor=labeler)
    page = as_labeler.get(f"{address(poison)}?person={alice.pk}").text
    assert "Its name was Alice." in page
    now = Face.objects.get(pk=poison.pk)
    as_labeler.post(address(poison), form(now, alice))
    assert not Sighting.objects.filter(face=caused).exists()
    assert Sighting.objects.get(face=poison).person.name == "Bob"


def test_a_face_that_caused_nothing_says_so(poison: Face, as_labeler: Client) -> None:
    page = as_labeler.get(address(poison)).text
    assert "No other name rests on it" in page
    unnamed = make_unlabeled().face
    assert "Nothing rests on this face" in as_labeler.get(address(unnamed)).text


def test_a_face_that_the_machine_named_causes_nothing(
    poison: Face, alice: Person, as_labeler: Client
) -> None:
    page = as_labeler.get(address(name_by(poison, alice))).text
    assert "FaceVault named it itself" in page
    assert "<form" not in page.split("<main")[1]


def test_a_stale_page_changes_nothing(
    poison: Face, confirmed: Face, alice: Person, labeler: User, as_labeler: Client
) -> None:
    values = form(poison, alice, confirmed)
    label_face(face=confirmed, name="Bob", actor=labeler)
    before = list(Sighting.objects.order_by("pk").values())
    answer = as_labeler.post(address(poison), values)
    assert answer.status_code == 409
    assert "Look again" in answer.text
    assert list(Sighting.objects.order_by("pk").values()) == before


def test_the_button_pressed_twice_is_one_decision(poison: Face, alice: Person, as_labeler: Client) -> None:
    name_by(poison, alice)
    values = form(poison, alice)
    for _ in range(2):
        assert as_labeler.post(address(poison), values).status_code == 302
    assert Decision.objects.filter(kind="take_back").count() == 1


class TestOtherEvents:
    """Where one does not label: neither shown nor counted; what FaceVault named there by the face goes back all the same."""

    @pytest.fixture
    def local(self, face: Face) -> User:
        return make_local("lou", "labeler", face.photo.event)

    @pytest.fixture
    def poison(self, face: Face, alice: Person, local: User) -> Face:
        label_face(face=face, person=alice, actor=local)
        return Face.objects.get(pk=face.pk)

    @pytest.fixture
    def elsewhere(self, poison: Face, alice: Person, labeler: User) -> dict[str, Face]:
        event = make_event()
        machine, human = name_by(poison, alice, event=event), name_by(poison, alice, event=event)
        label_face(face=human, person=alice, actor=labeler)
        name_by(human, alice, event=event)
        return {"machine": machine, "human": Face.objects.get(pk=human.pk)}

    def test_the_page_and_the_api_say_the_same_with_and_without_them(
        self, poison: Face, alice: Person, local: User, labeler: User
    ) -> None:
        own = name_by(poison, alice, event=poison.photo.event)
        label_face(face=own, person=alice, actor=local)
        client, event = signed_in(local), make_event()

        def told() -> tuple[str, object]:
            page = client.get(address(poison)).text.split("<main")[1]
            return re.sub(r'value="[^"]{36,}"', "", page), client.get(f"/api/v1{address(poison)}").json()

        before = told()
        for reference in (poison, own):
            name_by(reference, alice, event=event)
            name_by(own, alice, event=event, also=poison.pk)
            human = name_by(reference, alice, event=event)
            label_face(face=human, person=alice, actor=labeler)
            name_by(human, alice, event=event)
        assert told() == before
        everything = signed_in(labeler).get(f"/api/v1{address(poison)}").json()
        assert (everything["machine_count"], everything["people_count"]) == (6, 3)

    def test_the_page_says_how_it_is_with_other_events_to_those_alone_who_do_not_label_everywhere(
        self, poison: Face, local: User, labeler: User
    ) -> None:
        assert "Events where you do not label are left out" in signed_in(local).get(address(poison)).text
        assert "where you do not label" not in signed_in(labeler).get(address(poison)).text

    def test_names_of_people_there_cannot_be_chosen_and_stay(
        self, poison: Face, alice: Person, local: User, elsewhere: dict[str, Face]
    ) -> None:
        client, human = signed_in(local), elsewhere["human"]
        assert client.post(address(poison), form(poison, alice, human)).status_code == 404
        assert Sighting.objects.filter(face=elsewhere["machine"]).exists()
        said = client.post(address(poison), form(poison, alice), follow=True).text
        assert "1 face in one decision" in said
        assert "went back into the queue with it" not in said
        assert not Sighting.objects.filter(face=elsewhere["machine"]).exists()
        assert Sighting.objects.filter(face=human).exists()

    def test_a_script_is_told_how_many_went_back_of_its_own_events(
        self, poison: Face, alice: Person, local: User, elsewhere: dict[str, Face]
    ) -> None:
        name_by(poison, alice, event=poison.photo.event)
        body = {"person": alice.pk, "version": poison.version}
        done = signed_in(local).post(f"/api/v1{address(poison)}", body, content_type="application/json")
        assert done.json()["taken_back"] == 1

    def test_who_somebody_became_part_of_elsewhere_is_not_told(
        self, poison: Face, alice: Person, local: User, manager: User
    ) -> None:
        """A name that the face once had, and whose person belongs to somebody of another event by now."""
        label_face(face=poison, name="Bob", actor=local)
        zoe = make_person("Zoe")
        name_face(make_face(make_photo(make_event())), zoe)
        merge_people(keep=zoe, other=alice, actor=manager)
        now = Face.objects.get(pk=poison.pk)
        page = signed_in(local).get(address(now)).text
        assert "Bob" in page
        assert "Zoe" not in page
        assert signed_in(local).get(f"/api/v1{address(now)}?person={zoe.pk}").status_code == 404
        assert "as Zoe" in signed_in(manager).get(address(now)).text

    def test_where_all_that_is_left_is_elsewhere_there_is_nothing_to_take_back(
        self, poison: Face, alice: Person, local: User, labeler: User, elsewhere: dict[str, Face]
    ) -> None:
        """As if nothing rested on it; somebody who labels there takes it back."""
        label_face(face=poison, name="Bob", actor=local)
        now, client = Face.objects.get(pk=poison.pk), signed_in(local)
        assert "Nothing rests on this face" in client.get(f"{address(now)}?person={alice.pk}").text
        assert client.post(address(now), form(now, alice)).status_code == 409
        assert Sighting.objects.filter(face=elsewhere["machine"]).exists()
        assert not Decision.objects.filter(kind="take_back").exists()
        assert signed_in(labeler).post(address(now), form(now, alice)).status_code == 302
        assert not Sighting.objects.filter(face=elsewhere["machine"]).exists()


@pytest.mark.parametrize("role", ["viewer", "uploader", ""])
def test_only_labelers_see_and_take_back(role: str, poison: Face, alice: Person) -> None:
    client = signed_in(make_user("vera", *([role] if role else [])))
    assert client.get(address(poison)).status_code == 403
    assert client.post(address(poison), form(poison, alice)).status_code == 403
    assert Sighting.objects.filter(face=poison).exists()


def test_a_face_of_a_foreign_event_is_not_there(poison: Face, alice: Person) -> None:
    client = signed_in(make_local("leo", "labeler", make_event()))
    assert client.get(address(poison)).status_code == 404
    assert client.post(address(poison), form(poison, alice)).status_code == 404
    assert Sighting.objects.filter(face=poison).exists()


def test_who_the_face_never_was_is_not_there(poison: Face, as_labeler: Client) -> None:
    assert as_labeler.post(address(poison), form(poison, make_person("Bob"))).status_code == 404


def test_many_names_take_as_many_statements_as_few(
    poison: Face, confirmed: Face, alice: Person, labeler: User, as_labeler: Client
) -> None:
    few = count_queries(as_labeler, address(poison))
    for _ in range(6):
        name_by(poison, alice)
        face = name_by(confirmed, alice)
        label_face(face=face, person=alice, actor=labeler)
    assert count_queries(as_labeler, address(poison)) == few


def test_the_photo_and_the_person_lead_to_it(poison: Face, alice: Person, as_labeler: Client) -> None:
    for page in (f"/photos/{poison.photo_id}/", f"/people/{alice.pk}/"):
        assert f'href="{address(poison)}"' in as_labeler.get(page).text


def test_the_undo_of_somebody_elses_is_refused(
    poison: Face, alice: Person, manager: User, labeler: User
) -> None:
    decision = take_back(face=poison, person=alice, actor=manager)
    answer = signed_in(labeler).post(f"/decisions/{decision.key}/undo/", {"sure": "1"})
    assert answer.status_code == 403
    assert undo_decision(decision=decision, actor=manager).undone


class TestApi:
    def test_it_lists_and_takes_back(
        self, poison: Face, confirmed: Face, alice: Person, as_labeler: Client
    ) -> None:
        caused = name_by(poison, alice)
        path = f"/api/v1/faces/{poison.face_id}/caused/"
        told = as_labeler.get(path).json()
        assert told["person"]["id"] == alice.pk
        assert told["machine_count"] == 2
        assert str(caused.face_id) in told["machine"]
        assert told["people"] == [{"face_id": str(confirmed.face_id), "why": "confirmed", "named": 1}]
        body = {"person": alice.pk, "faces": [str(confirmed.face_id)], "version": poison.version}
        done = as_labeler.post(path, body, content_type="application/json")
        assert done.status_code == 200
        assert done.json()["taken_back"] == 2
        assert not Sighting.objects.exists()
        again = as_labeler.post(path, {"person": alice.pk}, content_type="application/json")
        assert (again.status_code, again.json()["code"]) == (409, "nothing_to_decide")

    def test_a_viewer_takes_nothing_back(self, poison: Face, alice: Person) -> None:
        client = signed_in(make_user("vera", "viewer"))
        path = f"/api/v1/faces/{poison.face_id}/caused/"
        assert client.get(path).status_code == 403
        assert client.post(path, {"person": alice.pk}, content_type="application/json").status_code == 403
        assert Sighting.objects.filter(face=poison).exists()

    def test_a_foreign_face_is_not_there(self, poison: Face, alice: Person, event: Event) -> None:
        client = signed_in(make_local("leo", "labeler", event))
        path = f"/api/v1/faces/{poison.face_id}/caused/"
        assert client.get(path).status_code == 404
        assert client.post(path, {"person": alice.pk}, content_type="application/json").status_code == 404


@pytest.fixture
def event(db: None) -> Event:
    return make_photo().event
