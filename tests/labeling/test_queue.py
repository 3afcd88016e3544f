from datetime import timedelta

from django.contrib.auth.models import User
from django.utils import timezone

from labeling.decisions import label_face, record_verdict
from labeling.decisions.undo import undo_decision
from labeling.models import Lease
from labeling.queue import count_queue, get_unlabeled, next_face, next_faces
from labeling.team.leases import take_lease
from recognition.models import Face, UnlabeledFace
from tests.factories import make_event, make_face, make_photo


def make_queue(*priorities: float) -> list[Face]:
    faces = []
    for priority in priorities:
        face = make_face()
        UnlabeledFace.objects.create(face=face, priority=priority)
        faces.append(face)
    return faces


def test_the_best_face_comes_first(labeler: User) -> None:
    low, high, middle = make_queue(0.1, 0.9, 0.5)
    assert [entry.face for entry in get_unlabeled(user=labeler)] == [high, middle, low]
    assert next_face(user=labeler) == high


def test_the_face_just_decided_is_left_out(labeler: User) -> None:
    first, second = make_queue(0.9, 0.5)
    assert next_face(user=labeler, after=first) == second
    record_verdict(face=first, kind="stranger", actor=labeler)
    assert next_face(user=labeler) == second


def test_the_queue_of_one_event_has_its_faces_alone(labeler: User) -> None:
    here = make_event("Here")
    face = make_face(make_photo(here))
    UnlabeledFace.objects.create(face=face, priority=0.1)
    make_queue(0.9)
    assert [entry.face for entry in get_unlabeled(user=labeler, event=here)] == [face]
    assert next_face(user=labeler, event=make_event("Elsewhere")) is None


def test_skipped_faces_come_back_the_longest_ago_first_and_move_to_the_end(labeler: User) -> None:
    first, second, third = make_queue(0.9, 0.5, 0.1)
    for face in (second, first):
        record_verdict(face=face, kind="skip", actor=labeler)
    assert next_face(user=labeler) == third
    assert [entry.face for entry in get_unlabeled(user=labeler, skipped=True)] == [second, first]
    record_verdict(face=second, kind="skip", actor=labeler)
    assert next_face(user=labeler, skipped=True) == first


def test_an_undone_skip_puts_the_face_back(labeler: User) -> None:
    [face] = make_queue(0.5)
    undo_decision(decision=record_verdict(face=face, kind="skip", actor=labeler), actor=labeler)
    assert next_face(user=labeler) == face
    assert not get_unlabeled(user=labeler, skipped=True).exists()


def test_counts_are_of_this_user_and_progress_of_everybody(labeler: User, manager: User) -> None:
    faces = make_queue(0.9, 0.8, 0.7, 0.6)
    record_verdict(face=faces[0], kind="skip", actor=labeler)
    label_face(face=faces[1], actor=manager, name="Alice")
    mine, hers = count_queue(user=labeler), count_queue(user=manager)
    assert (mine.left, mine.skipped, mine.decided, mine.total, mine.percent) == (2, 1, 1, 4, 25)
    assert (hers.left, hers.skipped) == (3, 0)
    assert count_queue(user=labeler, event=make_event()).percent == 0


def test_an_uploader_and_an_outsider_have_no_queue(uploader: User, outsider: User) -> None:
    make_queue(0.5)
    for user in (uploader, outsider):
        assert next_face(user=user) is None
        assert count_queue(user=user).left == 0


def test_two_labelers_at_work_get_different_faces(labeler: User, manager: User) -> None:
    faces = make_queue(*[0.9 - i / 100 for i in range(4)])
    take_lease(user=labeler, card=f"face-{faces[0].pk}")
    assert next_face(user=manager) == faces[1]
    assert next_face(user=labeler) == faces[0]
    assert next_faces(user=manager, count=4) == [*faces[1:], faces[0]]


def test_who_stopped_working_keeps_no_faces_from_others(labeler: User, manager: User) -> None:
    faces = make_queue(0.9, 0.8, 0.7, 0.6)
    take_lease(user=manager, card=f"face-{faces[0].pk}")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert next_faces(user=labeler, count=4) == faces
