"""Calibrating an installation: when it is due, what it writes, and what follows from lines that moved."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db.models import F
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from recognition.active_embedder import find_active_info
from recognition.calibration import work
from recognition.calibration.fitting import Fit
from recognition.calibration.lines import describe_calibrated
from recognition.calibration.own_faces import OwnFit, fit_own_faces
from recognition.calibration.work import calibrate, is_calibration_due, sweep_calibration
from recognition.embedders import Thresholds, describe_embedder
from recognition.models import Calibration
from recognition.signals import lines_moved
from recognition.tasks import calibrate_lines
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    make_event,
    make_person,
    make_photo,
    make_reference,
    unit_vectors,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def active() -> None:
    activate_embedder()


def enroll(people: int, faces: int = 4, *, seed: int = 1, alike: float = 0.0) -> None:
    """People whose faces are about 0.8 alike, and all of them `alike` to everybody."""
    photo = make_photo(make_event())
    common = unit_vectors(1, seed=999)[0]
    centers = unit_vectors(people, seed=seed)
    noise = np.random.default_rng(seed + 1)
    for center in centers:
        person = make_person()
        for _ in range(faces):
            own = np.sqrt(alike) * common + np.sqrt(0.8 - alike) * center
            vector = own + np.sqrt(0.2) * noise.standard_normal(len(center)) / np.sqrt(len(center))
            make_reference(person, (vector / np.linalg.norm(vector)).astype(np.float32), photo=photo)


def grow_older(row: Calibration, by: timedelta) -> None:
    Calibration.objects.filter(pk=row.pk).update(created_at=timezone.now() - by)


@pytest.mark.usefixtures("active")
def test_the_first_calibration_is_due_at_once_and_the_lines_hold_from_then_on() -> None:
    assert is_calibration_due(EMBEDDER_ID)
    enroll(30)
    row = calibrate(EMBEDDER_ID)
    assert (row.enrolled, row.references, row.probes) == (30, 120, 120)
    info = find_active_info()
    assert info is not None
    assert info.calibrated == Thresholds(
        automatic=row.automatic, margin=row.margin, suggest=row.suggest, strict=row.strict
    )
    assert info.thresholds == info.calibrated != info.shipped
    assert not is_calibration_due(EMBEDDER_ID)


@pytest.mark.usefixtures("active")
def test_strangers_who_look_more_alike_push_the_line_up() -> None:
    enroll(30)
    low = calibrate(EMBEDDER_ID)
    enroll(30, seed=5, alike=0.45)
    high = calibrate(EMBEDDER_ID)
    assert high.automatic > low.automatic + 0.05


@pytest.mark.usefixtures("active")
def test_without_labels_the_embedders_own_lines_hold() -> None:
    row = calibrate(EMBEDDER_ID)
    shipped = describe_embedder(EMBEDDER_ID).shipped
    assert row.enrolled == row.probes == 0
    assert describe_calibrated(EMBEDDER_ID).thresholds == shipped


@pytest.mark.usefixtures("active")
def test_a_twentieth_more_references_make_it_due_and_one_more_does_not() -> None:
    enroll(10)
    row = calibrate(EMBEDDER_ID)
    enroll(1, faces=1, seed=7)
    grow_older(row, timedelta(minutes=5))
    assert not is_calibration_due(EMBEDDER_ID)
    enroll(1, faces=2, seed=8)
    assert is_calibration_due(EMBEDDER_ID)


@pytest.mark.usefixtures("active")
def test_a_small_change_is_followed_after_an_hour_and_no_change_never() -> None:
    enroll(10)
    row = calibrate(EMBEDDER_ID)
    grow_older(row, timedelta(hours=2))
    assert not is_calibration_due(EMBEDDER_ID)
    enroll(1, faces=1, seed=7)
    assert is_calibration_due(EMBEDDER_ID)


@pytest.mark.usefixtures("active")
def test_another_target_is_followed_at_once(settings: Any) -> None:
    enroll(30)
    strict = calibrate(EMBEDDER_ID)
    settings.FACEVAULT_FPIR = 0.05
    assert is_calibration_due(EMBEDDER_ID)
    assert calibrate(EMBEDDER_ID).automatic < strict.automatic


@pytest.mark.usefixtures("active")
def test_who_listens_is_told_of_lines_that_moved_and_of_no_others() -> None:
    told: list[tuple[Thresholds, Thresholds]] = []

    def note(old: Thresholds, new: Thresholds, **kwargs: Any) -> None:
        told.append((old, new))

    lines_moved.connect(note)
    try:
        enroll(30)
        row = calibrate(EMBEDDER_ID)
        calibrate(EMBEDDER_ID)
    finally:
        lines_moved.disconnect(note)
    assert len(told) == 1
    assert told[0][1].automatic == row.automatic


@pytest.mark.usefixtures("active")
def test_what_the_fit_found_is_read_back_from_the_row() -> None:
    enroll(30)
    row = calibrate(EMBEDDER_ID)
    row.refresh_from_db()
    fit = Fit.load(row.figures)
    assert fit.thresholds == describe_calibrated(EMBEDDER_ID).thresholds
    share = fit.expected_share()
    assert share is not None
    assert share == pytest.approx(row.target, rel=0.05)


@pytest.mark.usefixtures("active")
def test_one_that_fails_is_asked_for_again_later_and_not_every_few_seconds() -> None:
    tasks = DBTaskResult.objects.filter(task_path=calibrate_lines.module_path)

    def ask(*, after: timedelta) -> bool:
        tasks.update(enqueued_at=F("enqueued_at") - after)
        asked = sweep_calibration()
        tasks.filter(status="READY").update(status="FAILED")
        return asked

    assert ask(after=timedelta(0))
    assert not ask(after=timedelta(seconds=5))
    assert ask(after=timedelta(minutes=6))
    assert ask(after=timedelta(minutes=6))
    assert not ask(after=timedelta(minutes=6))
    assert ask(after=timedelta(hours=1))


@pytest.mark.usefixtures("active")
def test_lines_that_another_worker_moved_meanwhile_are_the_old_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    enroll(30)
    shipped = describe_embedder(EMBEDDER_ID).shipped
    theirs = replace(shipped, automatic=0.9, strict=0.95)

    def fit_meanwhile(*args: Any, **options: Any) -> OwnFit:
        Calibration.objects.create(
            embedder_id=EMBEDDER_ID, gallery_version=1, target=0.001, enrolled=1, references=1, probes=1,
            **asdict(theirs),
        )  # fmt: skip
        return fit_own_faces(*args, **options)

    monkeypatch.setattr(work, "fit_own_faces", fit_meanwhile)
    told: list[Thresholds] = []

    def note(old: Thresholds, **kwargs: Any) -> None:
        told.append(old)

    lines_moved.connect(note)
    try:
        calibrate(EMBEDDER_ID)
    finally:
        lines_moved.disconnect(note)
    assert told == [theirs]
