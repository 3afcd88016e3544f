"""Somebody decides by a page about what has gone since it was drawn: a group, or the person of a list."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from labeling.decisions import label_faces, record_verdicts
from labeling.enrolment import enrolling
from labeling.models import Cluster, Enrolment
from labeling.people.merging import merge_people
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Face, Person
from recognition.people.csv_rows import PersonRow
from recognition.people.importing import plan_people, write_people
from tests.factories import make_person


@pytest.mark.parametrize("kind", ["label", "stranger", "skip", "ask"])
def test_a_decision_about_a_group_that_is_gone_holds_without_it(face: Face, labeler: User, kind: str) -> None:
    cluster = Cluster.objects.create(event=face.photo.event)
    Cluster.objects.filter(pk=cluster.pk).delete()
    if kind == "label":
        decision = label_faces(faces=[face], actor=labeler, name="Alice", cluster=cluster)
    else:
        decision = record_verdicts(faces=[face], kind=kind, actor=labeler, cluster=cluster)
    decision.refresh_from_db()
    assert decision.cluster is None
    assert decision.faces.get().face_id == face.pk


def test_a_list_of_somebody_who_is_gone_can_still_be_put_off(face: Face, labeler: User) -> None:
    alice = make_person("Alice")
    Person.objects.filter(pk=alice.pk).delete()
    decision = record_verdicts(faces=[face], kind="skip", actor=labeler, person=alice)
    decision.refresh_from_db()
    assert decision.person is None


def test_a_portrait_whose_person_is_merged_while_it_is_looked_at_waits_for_the_one_who_stays(
    face: Face, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, other = make_person("Alice"), make_person("Alice Berger")
    enrolment = Enrolment.objects.create(photo=face.photo, person=other, user=labeler)

    def merge_first(photo: object) -> Face:
        if not Person.objects.filter(merged_into=keep).exists():
            merge_people(keep=keep, other=other, actor=labeler)
        return face

    monkeypatch.setattr(enrolling, "_find_face", merge_first)
    assert enrolling.enroll_waiting(lambda: False) == 0
    enrolment.refresh_from_db()
    assert (enrolment.person, enrolment.state) == (keep, Enrolment.State.WAITING)
    assert enrolling.enroll_waiting(lambda: False) == 1
    enrolment.refresh_from_db()
    assert (enrolment.state, face.sighting.person) == (Enrolment.State.DONE, keep)


@pytest.mark.parametrize("name", ["Ada King", "Ada"])
def test_a_row_about_somebody_who_is_merged_meanwhile_is_refused(labeler: User, name: str) -> None:
    ada = Person.objects.create(name="Ada King", external_id="S-1")
    planned = plan_people([PersonRow(number=2, name=name, external_id="S-1")])
    merge_people(keep=make_person("Ada Lovelace"), other=ada, actor=labeler)
    with transaction.atomic():
        lock_gallery_state()
        written = write_people(planned)
    assert [(row.outcome, row.person) for row in written] == [("refused", None)]
    ada.refresh_from_db()
    assert ada.name == "Ada King"
