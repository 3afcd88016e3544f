import pytest
from django.contrib.auth.models import User

from labeling.decisions import NameRefused, NameShared, PersonGone, label_face
from recognition.gallery_journal import read_gallery_state
from recognition.models import Face, GalleryChange, Person, Sighting, UnlabeledFace
from recognition.search import find_top_k
from tests.factories import make_face, make_person, make_reference, make_unlabeled, vector_near
from tests.labeling.conftest import ALICE, BOB, SOMEBODY, fresh


def test_a_name_that_nobody_has_creates_the_person(face: Face, labeler: User) -> None:
    decision = label_face(face=face, actor=labeler, name="  Zoë   Ørsted ")
    assert decision.person is not None
    assert (decision.person.name, decision.created_person) == ("Zoë Ørsted", True)
    sighting = Sighting.objects.get(face=face)
    assert sighting.person == decision.person
    assert (sighting.decided_by, sighting.decided_by_user, sighting.is_reference) == ("human", labeler, True)
    assert sighting.seen_at == face.photo.taken_at
    entry = UnlabeledFace.objects.get(face=face)
    assert (entry.reviewed, entry.verdict) == (True, "label")
    assert fresh(face).version == face.version + 1


def test_a_name_means_the_one_person_who_has_it_whatever_its_case_and_accents(
    face: Face, labeler: User
) -> None:
    zoe = make_person("Zoë Ørsted")
    decision = label_face(face=face, actor=labeler, name="zoe orsted")
    assert (decision.person, decision.created_person) == (zoe, False)
    assert Person.objects.count() == 1


def test_part_of_a_name_is_not_the_name(face: Face, labeler: User) -> None:
    make_person("Alice Berger")
    assert label_face(face=face, actor=labeler, name="Alice").created_person


def test_a_name_that_two_people_have_is_refused_and_nothing_is_written(face: Face, labeler: User) -> None:
    both = [make_person("Alice"), make_person("ALICE")]
    with pytest.raises(NameShared) as shared:
        label_face(face=face, actor=labeler, name="alice")
    assert sorted(person.pk for person in shared.value.people) == [person.pk for person in both]
    assert not Sighting.objects.exists()
    assert fresh(face).version == face.version
    assert not GalleryChange.objects.exists()


def test_new_creates_another_person_of_the_name(face: Face, labeler: User) -> None:
    alice = make_person("Alice")
    decision = label_face(face=face, actor=labeler, name="Alice", new=True)
    assert decision.person != alice
    assert Person.objects.filter(name="Alice").count() == 2


@pytest.mark.parametrize("name", ["", "   ", "\u202e\u0000", "x" * 121])
def test_no_name_and_one_that_is_too_long_are_refused(face: Face, labeler: User, name: str) -> None:
    with pytest.raises(NameRefused):
        label_face(face=face, actor=labeler, name=name)
    assert not Person.objects.exists()


def test_a_person_who_was_removed_meanwhile_is_refused(face: Face, labeler: User) -> None:
    gone = make_person("Gone")
    Person.objects.filter(pk=gone.pk).delete()
    with pytest.raises(PersonGone):
        label_face(face=face, actor=labeler, person=gone)
    assert not Sighting.objects.exists()


def test_the_sighting_keeps_the_evidence_of_that_moment(labeler: User) -> None:
    alice, bob = make_person("Alice"), make_person("Bob")
    references = [make_reference(alice, vector_near(ALICE, 0.95, seed=i)) for i in (1, 2)]
    make_reference(bob, BOB)
    face = make_unlabeled(vector_near(ALICE, 0.9, seed=3)).face
    label_face(face=face, actor=labeler, person=alice)
    sighting = Sighting.objects.get(face=face)
    assert sighting.similarity is not None
    assert sighting.margin is not None
    assert 0.75 < sighting.similarity < 0.95
    assert sighting.margin > 0.5
    assert sorted(sighting.references) == [reference.pk for reference in references]
    assert sighting.thresholds.keys() == {"automatic", "margin", "suggest", "strict"}
    assert sighting.embedder_id == "facenet-vggface2"


def test_a_face_without_a_vector_can_be_named_all_the_same(labeler: User) -> None:
    face = make_face()
    label_face(face=face, actor=labeler, name="Alice")
    assert Sighting.objects.get(face=face).similarity is None
    assert not UnlabeledFace.objects.filter(face=face).exists()


def test_the_very_next_search_finds_the_labeled_face(face: Face, labeler: User) -> None:
    assert find_top_k(SOMEBODY) == []
    version = read_gallery_state().version
    decision = label_face(face=face, actor=labeler, name="Alice")
    assert read_gallery_state().version == version + 1
    [score] = find_top_k(SOMEBODY)
    assert (score.person_id, score.references) == (decision.person_id, (face.pk,))


def test_a_sighting_of_the_machine_is_corrected(labeler: User) -> None:
    alice, bob = make_person("Alice"), make_person("Bob")
    face = make_face()
    Sighting.objects.create(
        face=face, person=bob, similarity=0.8, decided_by="machine", seen_at=face.photo.taken_at
    )
    decision = label_face(face=face, actor=labeler, person=alice)
    sighting = Sighting.objects.get(face=face)
    assert (sighting.person, sighting.decided_by, sighting.is_reference) == (alice, "human", True)
    assert decision.faces.get().before["sighting"]["person_id"] == bob.pk


def test_naming_again_moves_the_reference_to_the_other_person(face: Face, labeler: User) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    decision = label_face(face=face, actor=labeler, name="Bob")
    [score] = find_top_k(SOMEBODY)
    assert score.person_id == decision.person_id


def test_a_decision_holds_ids_and_numbers_only(face: Face, labeler: User) -> None:
    label_face(face=face, actor=labeler, name="Alice Berger")
    decision = label_face(face=face, actor=labeler, name="Bob Lindqvist")
    assert "Alice" not in str(decision.faces.get().before)
    assert "vector" not in str(decision.faces.get().before)
