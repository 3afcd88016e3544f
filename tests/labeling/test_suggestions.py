import logging

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.decisions import label_face
from labeling.desk import Place, read_desk
from labeling.evidence import weigh_face
from labeling.suggestions import suggest_people
from labeling.views.desk import item_of
from recognition.models import ActiveEmbedder, Embedding, Face
from recognition.vectors import encode_vector, normalize
from tests.factories import make_face, make_person, make_photo, make_reference, make_unlabeled, vector_near
from tests.labeling.conftest import ALICE, BOB, CAROL, SOMEBODY


def between(first: float, second: float) -> Face:
    """A face in the queue, drawn towards Alice and Bob in this measure."""
    return make_unlabeled(normalize(first * ALICE + second * BOB)).face


@pytest.fixture
def known() -> None:
    for name, vector in (("Alice", ALICE), ("Bob", BOB), ("Carol", CAROL)):
        person = make_person(name)
        make_reference(person, vector)
        make_reference(person, vector_near(vector, 0.9, seed=len(name)))


def test_the_nearest_people_come_first_each_once(known: None, labeler: User) -> None:
    found = suggest_people(between(0.9, 0.3), user=labeler)
    assert [suggestion.person.name for suggestion in found][:2] == ["Alice", "Bob"]
    assert len(found) == 3
    first = found[0]
    assert (first.word, first.reference_count, len(first.references)) == ("strong", 2, 2)
    assert first.lead.endswith(" ahead")
    assert first.acceptable
    assert found[2].word == "unlikely"
    assert found[2].lead == ""


def test_a_close_call_says_so_on_both_and_is_not_acceptable(known: None, labeler: User) -> None:
    first, second, _ = suggest_people(between(0.71, 0.68), user=labeler)
    assert (first.word, second.word) == ("close call", "close call")
    assert first.lead == f"next is Bob, {first.similarity - second.similarity:.2f} behind"
    assert second.lead.endswith(" behind Alice")
    assert not first.acceptable
    assert first.band == "close"


def test_a_person_who_is_named_in_the_same_photo_is_marked(labeler: User) -> None:
    photo = make_photo()
    neighbor = make_reference(make_person("Alice"), ALICE, photo=photo)
    face = make_unlabeled(vector_near(ALICE, 0.9), photo=photo).face
    [suggestion] = suggest_people(face, user=labeler)
    assert suggestion.beside is not None
    assert suggestion.beside.face == neighbor
    assert not suggestion.acceptable


def test_k_limits_the_people(known: None, labeler: User) -> None:
    assert [
        suggestion.person.name for suggestion in suggest_people(between(0.9, 0.3), k=1, user=labeler)
    ] == ["Alice"]


def test_a_reference_is_no_evidence_for_itself(face: Face, labeler: User) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    assert suggest_people(face, user=labeler) == []
    make_reference(make_person("Alice"), vector_near(SOMEBODY, 0.6))
    [other] = suggest_people(face, user=labeler)
    assert other.similarity == pytest.approx(0.6, abs=1e-3)


def test_the_other_references_of_its_person_still_count(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="Alice")
    assert decision.person is not None
    second = make_reference(decision.person, vector_near(SOMEBODY, 0.6))
    [own] = suggest_people(face, user=labeler)
    assert own.similarity == pytest.approx(0.6, abs=1e-3)
    assert (own.reference_count, own.references) == (1, [second])


@pytest.mark.parametrize("without", ["gallery", "embedding", "embedder"])
def test_without_anything_to_compare_nobody_is_suggested(without: str, labeler: User) -> None:
    face = make_face() if without == "embedding" else make_unlabeled(SOMEBODY).face
    if without == "embedder":
        ActiveEmbedder.objects.all().delete()
    assert suggest_people(face, user=labeler) == []


def test_vectors_of_another_embedder_are_never_asked_with(known: None) -> None:
    face = between(0.9, 0.3)
    Embedding.objects.filter(face=face).update(embedder_id="dlib-resnet")
    assert weigh_face(face).scores == ()


@pytest.mark.parametrize("vector", [b"short", encode_vector(SOMEBODY * 2)])
def test_a_broken_vector_suggests_nobody_and_is_logged(
    known: None, caplog: pytest.LogCaptureFixture, vector: bytes, labeler: User
) -> None:
    face = between(0.9, 0.3)
    Embedding.objects.filter(face=face).update(vector=vector)
    with caplog.at_level(logging.ERROR):
        assert suggest_people(face, user=labeler) == []
    assert "broken" in caplog.text


def test_the_number_of_queries_does_not_grow_with_the_people(known: None, labeler: User) -> None:
    face = between(0.9, 0.3)
    read_desk(user=labeler, place=Place(), item=item_of(face))
    with CaptureQueriesContext(
        connection,
    ) as few:
        read_desk(user=labeler, place=Place(), item=item_of(face))
    for number in range(5):
        person = make_person()
        make_reference(person, vector_near(ALICE, 0.5, seed=number))
        make_unlabeled(SOMEBODY)
    read_desk(user=labeler, place=Place(), item=item_of(face))
    with CaptureQueriesContext(connection) as many:
        read_desk(user=labeler, place=Place(), item=item_of(face))
    assert len(many) <= len(few) + 1
