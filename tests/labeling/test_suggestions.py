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
from recognition.events.roster import replace_roster
from recognition.models import ActiveEmbedder, Embedding, Face, Person
from recognition.vectors import encode_vector, normalize
from tests.conftest import signed_in
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


def test_a_score_is_told_in_words_with_its_numbers_behind_them(known: None, labeler: User) -> None:
    first = suggest_people(between(0.9, 0.3), user=labeler)[0]
    assert (first.word, first.lead, first.on_roster, first.doubt) == ("strong", "clearly ahead", None, "")
    assert first.figures == f"{first.similarity:.2f}, {first.figures.split(', ')[1]}, line 0.70"
    assert first.figures.split(", ")[1].endswith(" ahead")


def test_equal_people_are_level_and_not_behind(labeler: User) -> None:
    for name in ("Alice", "Ann"):
        make_reference(make_person(name), ALICE)
    first, second = suggest_people(make_unlabeled(vector_near(ALICE, 0.9)).face, user=labeler)
    assert {first.lead, second.lead} == {"level with Alice", "level with Ann"}


def test_whoever_is_not_on_the_roster_is_told_apart_and_only_possible(known: None, labeler: User) -> None:
    Person.objects.filter(name="Bob").update(external_id="4711")
    face = make_unlabeled(vector_near(ALICE, 0.75)).face
    replace_roster(event=face.photo.event, external_ids=["4711"])
    found = {suggestion.person.name: suggestion for suggestion in suggest_people(face, user=labeler)}
    alice = found["Alice"]
    assert (alice.on_roster, alice.word, alice.doubt) == (False, "possible", "")
    assert alice.figures.endswith("line 0.78 because not on the roster")
    assert found["Bob"].on_roster is True
    page = signed_in(labeler).get(f"/label/{face.face_id}/").content.decode()
    assert '<span class="roster-word off">not on the roster</span>' in page
    assert '<span class="roster-word">on the roster</span>' in page


def test_of_a_poor_face_it_is_told_that_it_is_too_poor_to_be_sure(known: None, labeler: User) -> None:
    face = make_unlabeled(vector_near(ALICE, 0.75)).face
    Face.objects.filter(pk=face.pk).update(size=20, detector_score=0.5, sharpness=0)
    face.refresh_from_db()
    first = suggest_people(face, user=labeler)[0]
    assert (first.word, first.doubt) == ("possible", "too small or blurred to be sure")
    assert (
        "too small or blurred to be sure"
        in signed_in(labeler).get(f"/label/{face.face_id}/").content.decode()
    )


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
