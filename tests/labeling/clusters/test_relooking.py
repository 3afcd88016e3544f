"""Lines that moved: which open faces are looked at again."""

from __future__ import annotations

import pytest
from django.db import transaction
from django_tasks_db.models import DBTaskResult

from labeling.clusters import looking
from labeling.clusters.relooking import forget_between
from labeling.clusters.tending import tend_queue
from labeling.models import Look
from recognition.embedders import Thresholds
from recognition.models import Calibration
from recognition.signals import lines_moved
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    make_person,
    make_reference,
    make_unlabeled,
    vector_near,
)
from tests.labeling.clusters.queue import ALICE, name_of, queue_face

pytestmark = pytest.mark.django_db

OLD = Thresholds(automatic=0.7, margin=0.05, suggest=0.5, strict=0.8)


def look(similarity: float, margin: float | None = 0.3) -> Look:
    return Look.objects.create(
        face=make_unlabeled().face, person=make_person(), similarity=similarity, margin=margin
    )


def left() -> list[float]:
    return sorted(Look.objects.values_list("similarity", flat=True))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("new", "kept"),
    [
        (Thresholds(automatic=0.6, margin=0.05, suggest=0.5, strict=0.8), [0.45, 0.55, 0.75, 0.85]),
        (Thresholds(automatic=0.78, margin=0.05, suggest=0.5, strict=0.8), [0.45, 0.55, 0.65, 0.85]),
        (Thresholds(automatic=0.7, margin=0.05, suggest=0.4, strict=0.8), [0.55, 0.65, 0.75, 0.85]),
        (Thresholds(automatic=0.7, margin=0.05, suggest=0.5, strict=0.9), [0.45, 0.55, 0.65, 0.75]),
        (OLD, [0.45, 0.55, 0.65, 0.75, 0.85]),
    ],
)
def test_faces_between_a_line_and_its_new_place_wait_for_a_look(new: Thresholds, kept: list[float]) -> None:
    for similarity in (0.45, 0.55, 0.65, 0.75, 0.85):
        look(similarity)
    assert forget_between(OLD, new) == 5 - len(kept)
    assert left() == kept


def test_another_margin_concerns_close_calls_of_faces_worth_showing() -> None:
    look(0.6, margin=0.06)
    look(0.61, margin=0.3)
    look(0.2, margin=0.06)
    look(0.62, margin=None)
    assert forget_between(OLD, Thresholds(automatic=0.7, margin=0.1, suggest=0.5, strict=0.8)) == 1
    assert left() == [0.2, 0.61, 0.62]


def test_the_worker_is_asked_to_look_again_where_something_was_forgotten() -> None:
    new = Thresholds(automatic=0.6, margin=0.05, suggest=0.5, strict=0.8)
    tasks = DBTaskResult.objects.filter(task_path__contains="tend_queue")
    with transaction.atomic():
        lines_moved.send(Calibration, old=OLD, new=new)
    assert not tasks.exists()
    look(0.65)
    with transaction.atomic():
        lines_moved.send(Calibration, old=OLD, new=new)
    assert tasks.exists()


@pytest.mark.django_db(transaction=True)
def test_lines_that_move_while_faces_are_judged_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    activate_embedder()
    make_reference(make_person(name="Alice"), ALICE)
    face = queue_face(vector_near(ALICE, 0.9))
    real = looking._judge

    def judge_then_move(*args: object, **kwargs: object) -> object:
        monkeypatch.undo()
        answer = real(*args, **kwargs)  # type: ignore[arg-type]
        raise_lines()
        return answer

    monkeypatch.setattr(looking, "_judge", judge_then_move)
    tend_queue()
    assert name_of(face) is None


def raise_lines() -> None:
    """Beyond what any face here reaches."""
    Calibration.objects.create(
        embedder_id=EMBEDDER_ID, gallery_version=1, target=0.001, enrolled=1, references=1, probes=1,
        automatic=0.98, margin=0.05, suggest=0.5, strict=0.99,
    )  # fmt: skip
