""" "Not Alice": she is never suggested for that face again, a name of hers comes off it, and undo puts all of it back."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from access.models import EventGrant
from labeling.decisions import DecisionConflict, PersonGone, label_face, record_verdict, reject_person
from labeling.decisions.undo import undo_decision
from labeling.models import Decision, Rejection
from labeling.suggestions import suggest_people
from recognition.models import Face, Person, Sighting, UnlabeledFace
from recognition.search import find_top_k
from recognition.vectors import normalize
from tests.conftest import make_local, make_user, signed_in
from tests.factories import make_event, make_face, make_person, make_photo, make_reference, make_unlabeled
from tests.labeling.conftest import ALICE, BOB, SOMEBODY, fresh, posted


@pytest.fixture
def alice() -> Person:
    person = make_person("Alice")
    make_reference(person, ALICE)
    return person


@pytest.fixture
def bob() -> Person:
    person = make_person("Bob")
    make_reference(person, BOB)
    return person


@pytest.fixture
def alike(alice: Person, bob: Person) -> Face:
    """In the queue; looks like Alice, and a little like Bob."""
    return make_unlabeled(normalize(0.9 * ALICE + 0.4 * BOB)).face


def suggested(face: Face, user: User) -> list[str]:
    return [suggestion.person.name for suggestion in suggest_people(face, user=user)]


def rows_of(face: Face) -> tuple[list[object], ...]:
    return tuple(
        list(model.objects.filter(face=face).values()) for model in (Sighting, UnlabeledFace, Rejection)
    )


def reject(client: Client, face: Face, person: Person, **values: object):  # type: ignore[no-untyped-def]
    return client.post(f"/label/{face.face_id}/decide/", posted(face, reject=person.pk, **values))


class TestDecision:
    def test_the_person_is_not_suggested_again_and_the_next_one_is_first(
        self, alike: Face, alice: Person, labeler: User
    ) -> None:
        assert suggested(alike, labeler) == ["Alice", "Bob"]
        decision = reject_person(face=alike, person=alice, actor=labeler)
        assert suggested(alike, labeler) == ["Bob"]
        assert (decision.kind, decision.person) == ("reject", alice)
        assert UnlabeledFace.objects.filter(face=alike, reviewed=False).exists()

    def test_other_faces_still_get_the_person(self, alike: Face, alice: Person, labeler: User) -> None:
        other = make_unlabeled(ALICE).face
        reject_person(face=alike, person=alice, actor=labeler)
        assert suggested(other, labeler)[0] == "Alice"

    def test_a_name_of_the_machine_comes_off_and_the_face_is_in_the_queue(
        self, alice: Person, labeler: User
    ) -> None:
        face = make_face()
        Sighting.objects.create(
            face=face, person=alice, similarity=0.8, decided_by="machine", seen_at=face.photo.taken_at
        )
        reject_person(face=face, person=alice, actor=labeler)
        assert not Sighting.objects.filter(face=face).exists()
        entry = UnlabeledFace.objects.get(face=face)
        assert (entry.reviewed, entry.verdict) == (False, "")
        assert entry.priority > 0

    def test_a_verified_name_comes_off_and_leaves_the_gallery(self, face: Face, labeler: User) -> None:
        person = label_face(face=face, actor=labeler, name="Alice").person
        assert person is not None
        reject_person(face=fresh(face), person=person, actor=labeler)
        assert find_top_k(SOMEBODY) == []
        assert UnlabeledFace.objects.filter(face=face, reviewed=False, verdict="").exists()

    def test_another_name_on_the_face_stays(self, face: Face, alice: Person, labeler: User) -> None:
        label_face(face=face, actor=labeler, name="Carol")
        reject_person(face=fresh(face), person=alice, actor=labeler)
        assert Sighting.objects.get(face=face).person.name == "Carol"

    def test_a_person_who_is_gone_is_refused(self, alike: Face, labeler: User) -> None:
        gone = make_person()
        Person.objects.filter(pk=gone.pk).delete()
        with pytest.raises(PersonGone):
            reject_person(face=alike, person=gone, actor=labeler)
        assert not Decision.objects.exists()

    def test_an_outdated_card_changes_nothing(
        self, alike: Face, alice: Person, labeler: User, manager: User
    ) -> None:
        record_verdict(face=alike, kind="stranger", actor=manager)
        with pytest.raises(DecisionConflict):
            reject_person(face=alike, person=alice, actor=labeler, version=alike.version)
        assert not Rejection.objects.exists()


class TestUndo:
    @pytest.mark.parametrize("before", ["open", "machine", "verified"])
    def test_the_face_is_exactly_as_before(
        self, before: str, alike: Face, alice: Person, labeler: User
    ) -> None:
        if before == "machine":
            UnlabeledFace.objects.filter(face=alike).delete()
            Sighting.objects.create(
                face=alike, person=alice, similarity=0.8, decided_by="machine", seen_at=alike.photo.taken_at
            )
        elif before == "verified":
            label_face(face=alike, person=alice, actor=labeler)
        rows, first = rows_of(alike), suggested(alike, labeler)
        decision = reject_person(face=fresh(alike), person=alice, actor=labeler)
        assert rows_of(alike) != rows
        undo_decision(decision=decision, actor=labeler)
        assert rows_of(alike) == rows
        assert suggested(alike, labeler) == first

    def test_an_earlier_no_survives_the_undo_of_a_second_one(
        self, alike: Face, alice: Person, bob: Person, labeler: User
    ) -> None:
        reject_person(face=alike, person=alice, actor=labeler)
        second = reject_person(face=fresh(alike), person=bob, actor=labeler)
        assert suggested(alike, labeler) == []
        undo_decision(decision=second, actor=labeler)
        assert suggested(alike, labeler) == ["Bob"]

    def test_naming_the_face_so_after_all_takes_the_no_back_and_undo_restores_it(
        self, alike: Face, alice: Person, labeler: User
    ) -> None:
        no = reject_person(face=alike, person=alice, actor=labeler)
        named = label_face(face=fresh(alike), person=alice, actor=labeler)
        assert not Rejection.objects.exists()
        undo_decision(decision=named, actor=labeler)
        assert Rejection.objects.get().decision == no
        assert suggested(alike, labeler) == ["Bob"]

    def test_naming_it_otherwise_keeps_the_no(
        self, alike: Face, alice: Person, bob: Person, labeler: User
    ) -> None:
        reject_person(face=alike, person=alice, actor=labeler)
        label_face(face=fresh(alike), person=bob, actor=labeler)
        assert Rejection.objects.get().person == alice


class TestDesk:
    def test_the_key_is_on_the_card_with_the_first_name(self, alike: Face, as_labeler: Client) -> None:
        page = as_labeler.get(f"/label/{alike.face_id}/").text
        assert 'data-hotkey="x"' in page
        assert "Not Alice" in page

    def test_the_same_face_comes_again_with_the_next_suggestion(
        self, alike: Face, alice: Person, hx: Client
    ) -> None:
        make_unlabeled(BOB)
        response = reject(hx, alike, alice)
        assert response.status_code == 200
        assert response["HX-Replace-Url"] == f"/label/{alike.face_id}/"
        assert f"/label/{alike.face_id}/decide/" in response.text
        assert "Not Bob" in response.text
        assert "Not Alice." in response.text
        assert f'name="version" value="{alike.version + 1}"' in response.text

    def test_without_javascript_it_leads_to_the_same_face(
        self, alike: Face, alice: Person, as_labeler: Client
    ) -> None:
        make_unlabeled(BOB)
        response = reject(as_labeler, alike, alice)
        assert (response.status_code, response["Location"]) == (302, f"/label/{alike.face_id}/")

    def test_the_place_is_kept(self, alike: Face, alice: Person, as_labeler: Client) -> None:
        event = alike.photo.event_id
        response = reject(as_labeler, alike, alice, event=event)
        assert response["Location"] == f"/label/{alike.face_id}/?event={event}"

    def test_a_double_click_is_one_decision(self, alike: Face, alice: Person, hx: Client) -> None:
        card = posted(alike, reject=alice.pk)
        for _ in range(2):
            assert hx.post(f"/label/{alike.face_id}/decide/", card).status_code == 200
        assert Decision.objects.count() == 1

    def test_of_two_at_one_face_the_second_is_told(
        self, alike: Face, alice: Person, hx: Client, manager: User
    ) -> None:
        manager.first_name = "Mona"
        manager.save()
        reject_person(face=alike, person=alice, actor=manager)
        response = reject(hx, alike, alice)
        assert response.status_code == 409
        assert "Mona said that this is not Alice " in response.text
        assert Decision.objects.count() == 1

    def test_the_no_is_a_chip_that_undoes_it(self, alike: Face, alice: Person, hx: Client) -> None:
        reject(hx, alike, alice)
        response = hx.post(f"/decisions/{Decision.objects.get().key}/undo/")
        assert "Undone: Not Alice." in response.text
        assert not Rejection.objects.exists()

    def test_a_named_face_offers_to_say_no_to_its_name(
        self, face: Face, labeler: User, as_labeler: Client
    ) -> None:
        label_face(face=face, actor=labeler, name="Dora")
        assert "Not Dora" in as_labeler.get(f"/label/{face.face_id}/").text


VISITORS: dict[str, Callable[[Face], User]] = {
    "viewer": lambda face: make_user("vera", "viewer"),
    "uploader": lambda face: make_user("ulf", "uploader"),
    "viewer of the event": lambda face: _granted("vic", "viewer", face),
}


def _granted(name: str, role: str, face: Face) -> User:
    return make_local(name, role, face.photo.event)


@pytest.mark.parametrize("who", VISITORS)
def test_who_does_not_label_may_not_say_no(who: str, alike: Face, alice: Person) -> None:
    assert reject(signed_in(VISITORS[who](alike)), alike, alice).status_code == 403
    assert not Decision.objects.exists()


def test_a_labeler_of_another_event_does_not_find_the_face(alike: Face, alice: Person) -> None:
    stranger = _granted("ella", "labeler", make_face(make_photo(make_event())))
    assert reject(signed_in(stranger), alike, alice).status_code == 404
    assert not Decision.objects.exists()


def test_a_viewer_here_who_labels_elsewhere_does_not_find_it_either(alike: Face, alice: Person) -> None:
    user = _granted("ella", "labeler", make_face(make_photo(make_event())))
    EventGrant.objects.create(user=user, event=alike.photo.event, role="viewer")
    assert reject(signed_in(user), alike, alice).status_code == 404
    assert not Decision.objects.exists()
