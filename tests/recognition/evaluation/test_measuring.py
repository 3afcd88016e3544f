"""The figures of this installation's own rows: what is measured, what is not, and what is told of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from django.utils import timezone

from recognition.active_embedder import find_active_info
from recognition.evaluation.measuring import measure_installation, measure_splits
from recognition.evaluation.reports import SPLIT_PEOPLE
from recognition.evaluation.text import as_text
from recognition.models import Calibration, Embedding, Sighting
from tests.factories import (
    EMBEDDER_ID,
    activate_embedder,
    make_embedding,
    make_face,
    make_person,
    make_reference,
    make_unlabeled,
    unit_vectors,
    vector_near,
)
from tests.recognition.evaluation.people import as_labeled, scattered_people
from tests.recognition.evaluation.rows import make_people
from tests.recognition.evaluation.sample import INFO

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def active(db: None) -> None:
    activate_embedder()


def measure() -> dict[str, Any]:
    info = find_active_info()
    assert info is not None
    return measure_installation(info, splits=0)


def test_a_name_of_the_machine_is_no_ground_truth() -> None:
    people = make_people(12)
    person = next(iter(people))
    face = make_face()
    make_embedding(face, unit_vectors(1, seed=5)[0])
    Sighting.objects.create(
        face=face, person=person, decided_by="machine", similarity=0.9, margin=0.4, embedder_id=EMBEDDER_ID,
        seen_at=timezone.now(),
    )  # fmt: skip
    assert measure()["faces"] == 36


def test_faces_of_another_embedder_are_not_measured() -> None:
    make_people(12)
    make_people(3, dimension=128, embedder_id="dlib-resnet-c1")
    assert measure()["people"] == 12


def test_figures_hold_no_name_and_no_vector() -> None:
    for person in make_people(12):
        person.name = f"Zacharias {person.pk}"
        person.save()
    text = json.dumps(measure())
    assert "Zacharias" not in text
    assert len(text) < 60_000


def test_a_face_under_a_wrong_name_is_told_by_its_public_id() -> None:
    people = list(make_people(20))
    near = Sighting.objects.filter(person=people[0], is_reference=True).first()
    assert near is not None
    vector = Embedding.objects.with_vectors().get(face=near.face).vector
    wrong = make_reference(people[1], vector_near(np.frombuffer(vector, dtype="<f4"), 0.95, seed=9))
    doubtful = measure()["doubtful"]["faces"]
    assert [(row["face_id"], row["person"], row["other"]) for row in doubtful] == [
        (str(wrong.face_id), people[1].pk, people[0].pk)
    ]


def test_what_waits_is_searched_for_what_another_line_would_name() -> None:
    people = make_people(12)
    center = unit_vectors(12, 512, seed=100)[0]
    info = find_active_info()
    assert info is not None
    for seed in range(3):
        make_unlabeled(vector_near(center, 0.75, seed=500 + seed))
    make_unlabeled(unit_vectors(1, seed=77)[0])
    told = measure()["what_if"]
    assert (told["open"], told["measured"]) == (4, 4)
    by_line = {row["line"]: row for row in told["rows"]}
    assert by_line[round(info.thresholds.automatic, 2)]["more"] == 0
    assert told["rows"][0]["more"] == 3
    assert 0 <= told["rows"][0]["wrong"] <= 3
    assert len(people) == 12


def test_a_name_of_the_machine_below_a_higher_line_would_be_lost() -> None:
    person = next(iter(make_people(12)))
    info = find_active_info()
    assert info is not None
    Sighting.objects.create(
        face=make_face(), person=person, decided_by="machine", similarity=info.thresholds.automatic + 0.02,
        margin=0.4, embedder_id=EMBEDDER_ID, seen_at=timezone.now(),
    )  # fmt: skip
    rows = measure()["what_if"]["rows"]
    assert rows[-1]["more"] == -1


def test_the_history_of_the_line_is_told_oldest_first() -> None:
    make_people(12)
    for enrolled, line in ((10, 0.6), (20, 0.65)):
        Calibration.objects.create(
            embedder_id=EMBEDDER_ID, gallery_version=1, target=0.001, enrolled=enrolled, references=9, probes=9,
            automatic=line, margin=0.1, suggest=0.4, strict=0.8,
        )  # fmt: skip
    figures = measure()
    assert [(row["enrolled"], row["automatic"]) for row in figures["history"]] == [(10, 0.6), (20, 0.65)]
    assert (figures["lines"]["automatic"], figures["lines"]["calibrated"]) == (0.65, True)


def test_the_open_set_protocol_takes_people_enough_for_its_thirds() -> None:
    def split(people: int) -> dict[str, Any] | None:
        return measure_splits(as_labeled(*scattered_people(people, 3)), INFO, target=0.01, splits=2)

    assert split(SPLIT_PEOPLE - 1) is None
    told = split(SPLIT_PEOPLE)
    assert told is not None
    assert (told["enrolled"], told["references"]) == (SPLIT_PEOPLE // 3, 2)


def test_the_text_says_how_many_people_the_open_set_protocol_takes() -> None:
    make_people(12)
    assert f"Open set: takes {SPLIT_PEOPLE} people" in as_text(measure())


def test_the_same_rows_give_the_same_figures() -> None:
    make_people(12)
    assert measure() == measure()


def test_a_person_without_any_face_of_their_own_changes_nothing() -> None:
    make_people(12)
    make_person()
    assert measure()["people"] == 12
