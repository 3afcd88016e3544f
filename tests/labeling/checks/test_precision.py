"""The share of right names with its interval: of a random sample, whoever answered what and when."""

from __future__ import annotations

from random import Random

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.checks import Precision, measure_precision, read_report, sampling
from labeling.checks.precision import wilson_interval
from labeling.decisions import label_face, reject_person
from labeling.models import NameCheck
from recognition.models import Face, Person
from tests.conftest import make_local
from tests.factories import activate_embedder, make_event, make_person
from tests.labeling.checks.names import days_ago, name_face

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice(db: None) -> Person:
    activate_embedder()
    return make_person("Alice")


def answered(face: Face, answer: str) -> Face:
    at = timezone.now() if answer else None
    NameCheck.objects.filter(face=face).update(answer=answer, answered_at=at)
    return face


def test_wilsons_interval_is_the_published_one() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    for hits, total, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson_interval(hits, total) == pytest.approx((low, high), abs=5e-5)


def test_right_and_wrong_make_the_share_and_unsure_does_not(alice: Person, labeler: User) -> None:
    for place, answer in enumerate(["right"] * 8 + ["wrong", "unsure"]):
        answered(name_face(alice, place=place), answer)
    precision = measure_precision(user=labeler)
    assert precision == Precision(right=8, wrong=1, unsure=1)
    assert precision.share == pytest.approx(8 / 9)
    assert precision.low is not None
    assert precision.low < 8 / 9 < (precision.high or 0)


def test_without_an_answer_there_is_no_share(alice: Person, labeler: User) -> None:
    name_face(alice)
    precision = measure_precision(user=labeler)
    assert (precision.share, precision.low, precision.high, precision.waiting) == (None, None, None, 1)


def test_an_answer_out_of_turn_counts_when_its_turn_has_come(alice: Person, labeler: User) -> None:
    """Else the wrong names, which people correct by themselves, would count before the right ones."""
    first, second, third = (name_face(alice, place=place) for place in range(3))
    reject_person(face=third, person=alice, actor=labeler)
    assert measure_precision(user=labeler) == Precision(waiting=2, later=1)
    label_face(face=first, person=alice, actor=labeler)
    assert measure_precision(user=labeler) == Precision(right=1, waiting=1, later=1)
    label_face(face=second, person=alice, actor=labeler)
    assert measure_precision(user=labeler) == Precision(right=2, wrong=1)


def test_what_people_correct_by_themselves_does_not_bend_the_figure(
    alice: Person, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name in five is wrong. Most of the wrong ones are corrected before anybody is asked; then half is asked in turn."""
    monkeypatch.setattr(sampling, "MOST", 1000)
    random = Random(4)
    hits = total = naive_hits = naive_total = 0
    for _ in range(8):
        NameCheck.objects.all().delete()
        wrong = {name_face(alice, place=random.randrange(10**6)).pk: random.random() < 0.2 for _ in range(40)}
        for pk, is_wrong in wrong.items():
            if is_wrong and random.random() < 0.8:
                answered(Face.objects.get(pk=pk), "wrong")
        in_turn = NameCheck.objects.filter(answer="").order_by("-face__face_id")
        for check in in_turn[: in_turn.count() // 2]:
            answered(check.face, "wrong" if wrong[check.face_id] else "right")
        precision = measure_precision(user=labeler)
        hits, total = hits + precision.right, total + precision.answered
        naive_hits += NameCheck.objects.filter(answer="right").count()
        naive_total += NameCheck.objects.exclude(answer="").count()
    low, high = wilson_interval(hits, total)
    assert low < 0.8 < high
    # Whoever counts every answer finds the machine much worse than it is.
    assert wilson_interval(naive_hits, naive_total)[1] < 0.8


def test_a_busy_month_is_no_more_than_its_share_of_the_sample(
    alice: Person, labeler: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The names of both months had the same chance to be in the sample that counts for both."""
    monkeypatch.setattr(sampling, "MOST", 3)
    start = sampling.start_of(sampling.period_of(timezone.now()))
    for place in range(3):
        answered(name_face(alice, place=place, named_at=start - sampling.PERIOD / 2), "right")
    busy = [name_face(alice, place=place, named_at=start) for place in range(4)]
    # Beyond the first half of all ids: with a fourth name in the sample it is left out.
    Face.objects.filter(pk=busy[0].pk).update(face_id="00000000-0000-4000-8000-000000000000")
    for face in busy:
        answered(face, "wrong")
    assert measure_precision(user=labeler) == Precision(right=3, wrong=3)
    told = {one.start: one.precision for one in read_report(user=labeler).periods}
    assert told == {start: Precision(wrong=3), start - sampling.PERIOD: Precision(right=3)}


def test_names_before_the_last_period_are_left_out_of_todays_figure(alice: Person, labeler: User) -> None:
    answered(name_face(alice, named_at=days_ago(100)), "wrong")
    answered(name_face(alice), "right")
    assert measure_precision(user=labeler) == Precision(right=1)
    assert measure_precision(user=labeler, since=days_ago(200)) == Precision(right=1, wrong=1)
    assert len(read_report(user=labeler).periods) == 2


def test_each_embedder_has_a_figure_of_its_own(alice: Person, labeler: User) -> None:
    answered(name_face(alice), "right")
    answered(name_face(alice), "wrong")
    NameCheck.objects.filter(answer="wrong").update(embedder_id="another")
    assert measure_precision(user=labeler, embedder_id="another") == Precision(wrong=1)
    told = {one.embedder_id: one.precision for one in read_report(user=labeler).periods}
    assert told == {"another": Precision(wrong=1), "facenet-vggface2": Precision(right=1)}


def test_only_events_where_one_labels_count(alice: Person) -> None:
    here = make_event()
    local = make_local("lou", "labeler", here)
    answered(name_face(alice, event=here), "right")
    answered(name_face(alice), "wrong")
    assert measure_precision(user=local) == Precision(right=1)
    viewer = make_local("vera", "viewer", here)
    assert measure_precision(user=viewer) == Precision()


def test_what_people_say_by_themselves_is_told_apart(alice: Person, labeler: User) -> None:
    faces = [name_face(alice) for _ in range(4)]
    NameCheck.objects.all().delete()
    label_face(face=faces[0], person=alice, actor=labeler)
    label_face(face=faces[1], name="Bob", actor=labeler)
    reject_person(face=faces[2], person=alice, actor=labeler)
    # Who else a face is not says nothing of its name.
    reject_person(face=faces[3], person=make_person("Cleo"), actor=labeler)
    report = read_report(user=labeler)
    assert (report.free.confirmed, report.free.corrected) == (1, 2)
    assert report.current == Precision()


def test_the_report_takes_as_many_statements_for_many_names(alice: Person, labeler: User) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            read_report(user=User.objects.get(pk=labeler.pk))
        return len(captured)

    answered(name_face(alice), "right")
    few = count()
    for days in (0, 0, 40, 40, 80):
        answered(name_face(alice, named_at=days_ago(days)), "right")
    assert count() == few
