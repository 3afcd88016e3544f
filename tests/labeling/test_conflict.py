"""Two people at one face: the second one changes nothing, and is told who was first and what they chose."""

import threading
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client

from labeling.decisions import DecisionConflict, label_face, record_verdict
from labeling.decisions.undo import undo_decision
from labeling.forms import DecideForm
from labeling.models import Decision
from labeling.naming import decide_from
from recognition.gallery_journal import read_gallery_state
from recognition.models import Face, Person, Sighting
from recognition.photos.removal import remove_photos
from tests.labeling.conftest import fresh, posted


def test_a_decision_on_an_outdated_card_changes_nothing(face: Face, labeler: User, manager: User) -> None:
    first = label_face(face=face, actor=labeler, name="Alice", version=face.version)
    journal = read_gallery_state()
    with pytest.raises(DecisionConflict) as conflict:
        label_face(face=face, actor=manager, name="Bob", version=face.version)
    assert conflict.value.latest == first
    with pytest.raises(DecisionConflict):
        record_verdict(face=face, kind="stranger", actor=manager, version=face.version)
    assert Sighting.objects.get(face=face).person.name == "Alice"
    assert not Person.objects.filter(name="Bob").exists()
    assert Decision.objects.count() == 1
    assert read_gallery_state() == journal


def test_undo_makes_cards_drawn_before_it_outdated(face: Face, labeler: User, manager: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    drawn = fresh(face).version
    undo_decision(decision=decision, actor=labeler)
    with pytest.raises(DecisionConflict) as conflict:
        label_face(face=face, actor=manager, name="Bob", version=drawn)
    assert conflict.value.latest is None


def test_a_card_drawn_after_the_decision_may_correct_it(face: Face, labeler: User, manager: User) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    label_face(face=face, actor=manager, name="Bob", version=fresh(face).version)
    assert Sighting.objects.get(face=face).person.name == "Bob"


@pytest.mark.parametrize("as_fragment", [True, False])
def test_the_page_says_who_was_first_and_shows_the_face_as_it_is(
    face: Face, hx: Client, as_labeler: Client, manager: User, as_fragment: bool
) -> None:
    card = posted(face, verdict="stranger")
    manager.first_name = "Mona"
    manager.save()
    label_face(face=face, actor=manager, name="Alice")
    response = (hx if as_fragment else as_labeler).post(f"/label/{face.face_id}/decide/", card)
    assert response.status_code == 409
    assert "Mona named this face Alice " in response.text
    assert ">Alice</h2>" in response.text
    assert f'name="version" value="{face.version + 1}"' in response.text
    assert ("<html" in response.text) is not as_fragment
    assert Sighting.objects.get(face=face).person.name == "Alice"


def test_enter_on_the_card_of_a_conflict_overrules_nobody(face: Face, hx: Client, manager: User) -> None:
    card = posted(face, verdict="stranger")
    label_face(face=face, actor=manager, name="Alice")
    page = hx.post(f"/label/{face.face_id}/decide/", card).text
    assert 'data-hotkey="s Space Enter"' in page
    assert 'data-hotkey="1 Enter a"' not in page


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_wins(face: Face, labeler: User, manager: User) -> None:
    def name_as(actor: User, name: str) -> Decision:
        return label_face(face=face, actor=actor, name=name, version=face.version)

    results = at_once(lambda: name_as(labeler, "Alice"), lambda: name_as(manager, "Bob"))
    assert sorted(type(result).__name__ for result in results) == ["Decision", "DecisionConflict"]
    [decision] = Decision.objects.all()
    assert Sighting.objects.get(face=face).person == decision.person
    assert Person.objects.count() == 1


def at_once(*calls: Callable[[], Decision]) -> list[Decision | Exception]:
    """Each call in a thread of its own, started together."""
    barrier = threading.Barrier(len(calls))
    results: list[Decision | Exception] = []

    def run(call: Callable[[], Decision]) -> None:
        barrier.wait()
        try:
            results.append(call())
        except DecisionConflict as conflict:
            results.append(conflict)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


GONE: dict[str, Callable[[Face, User], Decision]] = {
    "label": lambda face, actor: label_face(face=face, actor=actor, name="Alice"),
    "label a version": lambda face, actor: label_face(face=face, actor=actor, name="Alice", version=0),
    "stranger": lambda face, actor: record_verdict(face=face, kind="stranger", actor=actor),
    "skip": lambda face, actor: record_verdict(face=face, kind="skip", actor=actor),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", GONE)
def test_a_face_that_was_deleted_meanwhile_is_a_conflict_and_names_nobody(
    kind: str, face: Face, labeler: User
) -> None:
    with transaction.atomic():
        remove_photos([face.photo_id])
    with pytest.raises(DecisionConflict) as conflict:
        GONE[kind](face, labeler)
    assert conflict.value.latest is None
    assert not Decision.objects.exists()
    assert not Person.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("values", [{"verdict": "stranger"}, {"verdict": "skip"}, {"name": "Al", "new": "1"}])
def test_the_page_of_a_face_that_was_deleted_meanwhile_is_gone(
    values: dict[str, str], face: Face, hx: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove_then_decide(form: DecideForm, *, face: Face, actor: User) -> Decision:
        with transaction.atomic():
            remove_photos([face.photo_id])
        return decide_from(form, face=face, actor=actor)

    monkeypatch.setattr("labeling.views.desk.decide_from", remove_then_decide)
    assert hx.post(f"/label/{face.face_id}/decide/", posted(face, **values)).status_code == 404
