"""A verified face is made a reference or no longer one: a decision like any other, undone exactly."""

import pytest
from django.contrib.auth.models import User

from labeling.decisions import (
    DecisionConflict,
    ReferenceRefused,
    UndoRefused,
    label_face,
    set_reference,
    undo_decision,
)
from labeling.models import Decision
from labeling.words import long_words, short_words
from recognition.gallery_journal import read_gallery_state
from recognition.models import Face, Sighting
from recognition.search import find_top_k
from tests.factories import make_face, make_person, make_unlabeled
from tests.labeling.conftest import SOMEBODY, fresh


@pytest.fixture
def named(face: Face, labeler: User) -> Face:
    label_face(face=face, actor=labeler, name="Alice")
    return fresh(face)


def test_the_next_search_no_longer_finds_it_and_the_name_stays(named: Face, labeler: User) -> None:
    assert len(find_top_k(SOMEBODY)) == 1
    version = read_gallery_state().version
    decision = set_reference(face=named, reference=False, actor=labeler)
    assert find_top_k(SOMEBODY) == []
    assert read_gallery_state().version == version + 1
    sighting = Sighting.objects.get(face=named)
    assert (sighting.person.name, sighting.decided_by, sighting.is_reference) == ("Alice", "human", False)
    assert fresh(named).version == named.version + 1
    assert (decision.kind, decision.person) == (Decision.Kind.UNREFERENCE, sighting.person)


def test_made_a_reference_again_it_answers_the_next_search(named: Face, labeler: User) -> None:
    set_reference(face=named, reference=False, actor=labeler)
    decision = set_reference(face=named, reference=True, actor=labeler)
    assert decision.kind == Decision.Kind.REFERENCE
    [score] = find_top_k(SOMEBODY)
    assert score.references == (named.pk,)


@pytest.mark.parametrize("reference", [True, False])
def test_undo_restores_the_sighting_exactly_and_search_with_it(
    named: Face, labeler: User, reference: bool
) -> None:
    Sighting.objects.filter(face=named).update(is_reference=not reference)
    before = Sighting.objects.filter(face=named).values().get()
    decision = set_reference(face=named, reference=reference, actor=labeler)
    undo_decision(decision=decision, actor=labeler)
    assert Sighting.objects.filter(face=named).values().get() == before
    assert bool(find_top_k(SOMEBODY)) is not reference


@pytest.mark.parametrize("reference", [True, False])
def test_a_face_that_the_machine_named_is_refused_and_nothing_moves(labeler: User, reference: bool) -> None:
    face = make_face()
    Sighting.objects.create(
        face=face, person=make_person(), similarity=0.8, decided_by="machine", seen_at=face.photo.taken_at
    )
    journal = read_gallery_state()
    with pytest.raises(ReferenceRefused):
        set_reference(face=face, reference=reference, actor=labeler)
    assert not Sighting.objects.get(face=face).is_reference
    assert read_gallery_state() == journal
    assert fresh(face).version == face.version
    assert not Decision.objects.exists()


def test_an_open_face_is_refused(labeler: User) -> None:
    with pytest.raises(ReferenceRefused):
        set_reference(face=make_unlabeled().face, reference=True, actor=labeler)


def test_an_outdated_page_changes_nothing(named: Face, labeler: User, manager: User) -> None:
    label_face(face=named, actor=manager, name="Bob")
    with pytest.raises(DecisionConflict):
        set_reference(face=named, reference=False, actor=labeler, version=named.version)
    assert Sighting.objects.get(face=named).is_reference


def test_the_name_is_undone_only_after_the_reference(named: Face, labeler: User) -> None:
    first = Decision.objects.get()
    second = set_reference(face=named, reference=False, actor=labeler)
    with pytest.raises(UndoRefused) as refused:
        undo_decision(decision=first, actor=labeler)
    assert refused.value.later == second


def test_lists_say_what_was_decided(named: Face, labeler: User) -> None:
    taken = set_reference(face=named, reference=False, actor=labeler)
    made = set_reference(face=named, reference=True, actor=labeler)
    assert [short_words(taken), short_words(made)] == ["No reference of Alice", "Reference of Alice"]
    assert long_words(made).startswith("lena made this face a reference ")
    assert long_words(taken).startswith("lena said that this face is no reference ")
