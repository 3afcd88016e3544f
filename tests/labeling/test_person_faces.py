"""Decisions from a person's page: about one face or many, each undone by itself, only where the user labels."""

import re
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import EventGrant
from labeling.decisions import label_face as name_face
from labeling.decisions.undo import undo_decision
from labeling.models import Decision, Rejection
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from recognition.search import find_top_k
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_face, make_person, make_photo, make_reference
from tests.labeling.conftest import ALICE, fresh


@pytest.fixture
def alice() -> Person:
    return make_person("Alice")


def guess(person: Person, event: Event | None = None) -> Face:
    """A face that FaceVault named."""
    face = make_face(make_photo(event))
    Sighting.objects.create(
        face=face, person=person, decided_by="machine", similarity=0.8, seen_at=face.photo.taken_at
    )
    return face


def act(client: Client, person: Person, action: str, /, *faces: Face, **values: object):  # type: ignore[no-untyped-def]
    chosen = [f"{face.face_id}:{face.version}" for face in faces]
    return client.post(
        f"/people/{person.pk}/faces/", {"action": action, "face": chosen, "key": uuid4(), **values}
    )


def said(client: Client, person: Person) -> str:
    """The sentence on the page that comes after."""
    found = re.search(r'class="notice \w+" role="status">(.*?)</p>', client.get(f"/people/{person.pk}/").text)
    return found.group(1) if found else ""


class TestConfirm:
    def test_a_guess_becomes_verified_and_answers_searches(
        self, alice: Person, as_labeler: Client, labeler: User
    ) -> None:
        face = guess(alice)
        response = act(as_labeler, alice, "confirm", face)
        assert (response.status_code, response["Location"]) == (302, f"/people/{alice.pk}/")
        sighting = Sighting.objects.get(face=face)
        assert (sighting.person, sighting.decided_by, sighting.decided_by_user, sighting.is_reference) == (
            alice,
            "human",
            labeler,
            True,
        )
        assert "1 face is verified." in said(as_labeler, alice)

    def test_many_at_once_are_one_decision(self, alice: Person, as_labeler: Client) -> None:
        faces = [guess(alice) for _ in range(3)]
        act(as_labeler, alice, "confirm", *faces)
        decision = Decision.objects.get(kind="label", person=alice)
        assert decision.face_count == 3
        told = said(as_labeler, alice)
        assert "3 faces are verified." in told
        assert f"/undo/{decision.key}/" in told

    def test_one_alone_is_undone_from_the_page(self, alice: Person, as_labeler: Client) -> None:
        make_reference(alice, ALICE)
        face = guess(alice)
        act(as_labeler, alice, "reject", face)
        key = Decision.objects.get().key
        assert f'formaction="/people/{alice.pk}/undo/{key}/"' in said(as_labeler, alice)
        as_labeler.post(f"/people/{alice.pk}/undo/{key}/")
        assert Sighting.objects.filter(face=face, person=alice).exists()

    def test_a_verified_face_is_left_alone(self, alice: Person, as_labeler: Client) -> None:
        face = make_reference(alice, ALICE)
        act(as_labeler, alice, "confirm", face)
        assert not Decision.objects.exists()
        assert "1 was so already." in said(as_labeler, alice)


class TestReject:
    def test_the_faces_go_back_to_the_queue_and_are_never_suggested_so_again(
        self, alice: Person, as_labeler: Client
    ) -> None:
        faces = [guess(alice), make_reference(alice, ALICE)]
        act(as_labeler, alice, "reject", *faces)
        assert not Sighting.objects.exists()
        assert UnlabeledFace.objects.filter(face__in=faces, reviewed=False).count() == 2
        assert Rejection.objects.filter(person=alice).count() == 2
        assert find_top_k(ALICE) == []

    def test_all_are_undone_in_one_step(self, alice: Person, as_labeler: Client, labeler: User) -> None:
        faces = [guess(alice) for _ in range(2)]
        act(as_labeler, alice, "reject", *faces)
        assert "Not Alice" in as_labeler.get("/decisions/").text
        undo_decision(decision=Decision.objects.get(), actor=labeler)
        found = {(sighting.face_id, sighting.person_id) for sighting in Sighting.objects.all()}
        assert found == {(face.pk, alice.pk) for face in faces}

    def test_without_the_last_visible_face_it_leads_to_the_list(self, alice: Person) -> None:
        face = guess(alice)
        guess(alice)
        client = signed_in(make_local("lea", "labeler", face.photo.event))
        assert act(client, alice, "reject", face)["Location"] == "/people/"


class TestReferences:
    def test_a_reference_is_one_no_longer_and_is_again(self, alice: Person, as_labeler: Client) -> None:
        face = make_reference(alice, ALICE)
        act(as_labeler, alice, "unreference", face)
        assert find_top_k(ALICE) == []
        assert Sighting.objects.get(face=face).person == alice
        assert "1 face is no reference any more; it keeps its name." in said(as_labeler, alice)
        act(as_labeler, alice, "reference", fresh(face))
        assert len(find_top_k(ALICE)) == 1

    def test_a_guess_is_none_before_it_is_verified(self, alice: Person, as_labeler: Client) -> None:
        face = guess(alice)
        act(as_labeler, alice, "reference", face)
        assert not Sighting.objects.get(face=face).is_reference
        assert not Decision.objects.exists()
        assert "1 was named by FaceVault alone: say yes to it first." in said(as_labeler, alice)


class TestInBetween:
    @pytest.mark.parametrize("action", ["confirm", "reject", "reference", "unreference"])
    def test_what_somebody_else_changed_is_left_as_it_is(
        self, alice: Person, as_labeler: Client, manager: User, action: str
    ) -> None:
        face, other = guess(alice), guess(alice)
        name_face(face=face, person=make_person("Bob"), actor=manager)
        act(as_labeler, alice, action, face, other)
        assert Sighting.objects.get(face=face).person.name == "Bob"
        assert "1 was changed meanwhile and is left as it is." in said(as_labeler, alice)

    def test_an_outdated_version_of_the_same_name_is_left_too(
        self, alice: Person, as_labeler: Client, manager: User
    ) -> None:
        face = guess(alice)
        name_face(face=face, person=alice, actor=manager)
        act(as_labeler, alice, "unreference", face)
        assert Sighting.objects.get(face=face).is_reference

    @pytest.mark.parametrize("action", ["confirm", "reject"])
    def test_a_double_click_is_one_decision(self, alice: Person, as_labeler: Client, action: str) -> None:
        face, key = guess(alice), uuid4()
        for _ in range(2):
            act(as_labeler, alice, action, face, key=key)
        assert Decision.objects.count() == 1

    @pytest.mark.parametrize(
        "values",
        [
            {"face": []},
            {"face": "x:1"},
            {"face": f"{uuid4()}:x"},
            {"action": "erase"},
            {"key": "x"},
        ],
    )
    def test_what_cannot_be_read_changes_nothing(
        self, alice: Person, as_labeler: Client, values: dict[str, object]
    ) -> None:
        face = guess(alice)
        assert act(as_labeler, alice, "reject", face, **values).status_code == 302
        assert said(as_labeler, alice)
        assert Sighting.objects.filter(face=face).exists()

    def test_it_leads_back_to_where_the_faces_were_chosen(self, alice: Person, as_labeler: Client) -> None:
        response = act(as_labeler, alice, "confirm", guess(alice), show="machine", page="2")
        assert response["Location"] == f"/people/{alice.pk}/?show=machine&page=2"


class TestWhoMayNot:
    @pytest.mark.parametrize("role", ["viewer", "uploader"])
    def test_not_viewers_and_uploaders(self, alice: Person, role: str) -> None:
        face = guess(alice)
        assert act(signed_in(make_user("vera", role)), alice, "reject", face).status_code == 403
        assert Sighting.objects.filter(face=face).exists()

    @pytest.mark.parametrize("action", ["confirm", "reject", "reference", "unreference"])
    def test_a_face_of_another_event_is_not_found_and_spoils_the_rest(
        self, alice: Person, action: str
    ) -> None:
        mine, foreign = guess(alice), guess(alice)
        client = signed_in(make_local("lea", "labeler", mine.photo.event))
        assert act(client, alice, action, mine, foreign).status_code == 404
        assert not Decision.objects.exists()

    def test_a_face_that_one_only_sees_is_refused(self, alice: Person) -> None:
        mine, seen = guess(alice), guess(alice)
        user = make_local("lea", "labeler", mine.photo.event)
        EventGrant.objects.create(user=user, event=seen.photo.event, role="viewer")
        assert act(signed_in(user), alice, "reject", mine, seen).status_code == 403
        assert not Decision.objects.exists()

    def test_a_person_of_another_event_is_not_found(self, alice: Person) -> None:
        face = guess(alice)
        client = signed_in(make_local("lea", "labeler", make_event()))
        assert act(client, alice, "reject", face).status_code == 404

    def test_boxes_are_only_on_faces_that_one_may_decide_about(self, alice: Person) -> None:
        mine, seen = guess(alice), guess(alice)
        user = make_local("lea", "labeler", mine.photo.event)
        EventGrant.objects.create(user=user, event=seen.photo.event, role="viewer")
        page = signed_in(user).get(f"/people/{alice.pk}/").text
        assert f'value="{mine.face_id}:0"' in page
        assert f'value="{seen.face_id}:' not in page
        assert f"/label/{seen.face_id}/" not in page


def test_enter_in_a_box_decides_nothing(alice: Person, as_labeler: Client) -> None:
    """A browser presses the form's first button: one without an action."""
    face = guess(alice)
    page = as_labeler.get(f"/people/{alice.pk}/").text
    first = re.search(r'<button type="submit"[^>]*>', page.split("data-select>")[1])
    assert first
    assert 'name="action" value=""' in first.group()
    act(as_labeler, alice, "", face)
    assert not Decision.objects.exists()
    assert "Choose a button below the faces." in said(as_labeler, alice)


def test_no_inline_style_or_script(alice: Person, as_labeler: Client) -> None:
    guess(alice)
    for path in (f"/people/{alice.pk}/", "/people/", "/people/new/", "/help/"):
        page = as_labeler.get(path).text
        assert not re.search(r"\sstyle=|\son\w+=|hx-on|<style", page)
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
