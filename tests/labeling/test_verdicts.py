import pytest
from django.contrib.auth.models import User

from labeling.decisions import label_face, record_verdict
from labeling.models import Decision
from labeling.queue import get_unlabeled
from recognition.models import Face, Sighting, UnlabeledFace
from recognition.search import find_top_k
from tests.factories import make_face, make_person
from tests.labeling.conftest import SOMEBODY, fresh


@pytest.mark.parametrize("kind", ["stranger", "not_a_face"])
def test_a_closing_verdict_takes_the_face_off_everybodys_queue(
    face: Face, labeler: User, manager: User, kind: str
) -> None:
    record_verdict(face=face, kind=kind, actor=labeler)
    entry = UnlabeledFace.objects.get(face=face)
    assert (entry.reviewed, entry.verdict) == (True, kind)
    assert not get_unlabeled(user=manager).exists()
    assert not Sighting.objects.exists()
    assert fresh(face).version == face.version + 1


@pytest.mark.parametrize("kind", ["stranger", "not_a_face"])
def test_a_face_that_the_machine_named_wrongly_loses_the_name_and_gets_an_entry(
    labeler: User, kind: str
) -> None:
    face = make_face()
    bob = make_person("Bob")
    Sighting.objects.create(
        face=face, person=bob, similarity=0.8, decided_by="machine", seen_at=face.photo.taken_at
    )
    decision = record_verdict(face=face, kind=kind, actor=labeler)
    assert not Sighting.objects.exists()
    assert UnlabeledFace.objects.get(face=face).verdict == kind
    assert decision.faces.get().before["sighting"]["person_id"] == bob.pk
    assert decision.faces.get().before["unlabeled"] is None


def test_a_reference_that_turns_out_to_be_no_face_leaves_the_gallery(face: Face, labeler: User) -> None:
    label_face(face=face, actor=labeler, name="Alice")
    assert find_top_k(SOMEBODY)
    record_verdict(face=face, kind="not_a_face", actor=labeler)
    assert find_top_k(SOMEBODY) == []


def test_a_skip_hides_the_face_from_its_user_alone(face: Face, labeler: User, manager: User) -> None:
    record_verdict(face=face, kind="skip", actor=labeler)
    assert not get_unlabeled(user=labeler).exists()
    assert [entry.face for entry in get_unlabeled(user=labeler, skipped=True)] == [face]
    assert [entry.face for entry in get_unlabeled(user=manager)] == [face]


def test_a_skip_changes_nothing_that_others_see(face: Face, labeler: User) -> None:
    before = UnlabeledFace.objects.values().get(face=face)
    record_verdict(face=face, kind="skip", actor=labeler, version=99)
    assert UnlabeledFace.objects.values().get(face=face) == before
    assert fresh(face).version == face.version


def test_an_unknown_kind_is_refused(face: Face, labeler: User) -> None:
    with pytest.raises((ValueError, KeyError)):
        record_verdict(face=face, kind="maybe", actor=labeler)
    assert not Decision.objects.exists()
