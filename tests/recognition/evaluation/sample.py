"""A report with something in every part of it, measured once for a whole run of tests."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cache
from typing import Any

from recognition.embedders import EmbedderInfo, Thresholds
from recognition.evaluation.measuring import measure_faces, measure_splits
from recognition.models import Event, Face, Person, QualityPlot, QualityReport
from tests.recognition.evaluation.people import as_labeled, scattered_people

INFO = EmbedderInfo(
    embedder_id="drawn",
    name="drawn",
    dimension=24,
    input_size=8,
    shipped=Thresholds(automatic=0.7, margin=0.05, suggest=0.4, strict=0.8),
)
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


@cache
def measure_crowd() -> dict[str, Any]:
    """Forty people whose faces scatter so much that there is an error of every kind."""
    vectors, people = scattered_people(40, 4, dimension=24, noise=0.7)
    faces = as_labeled(vectors, people)
    figures, _ = measure_faces(faces, INFO, target=0.01, told_apart=())
    return {**figures, "open_set": measure_splits(faces, INFO, target=0.01, splits=3)}


def sample_figures(
    *,
    events: Sequence[Event] = (),
    pairs: Sequence[tuple[Person, Person]] = (),
    faces: Sequence[tuple[Face, Person, Person]] = (),
) -> dict[str, Any]:
    """`faces`: a face, whose name it has, and whom it looks like."""
    figures = copy.deepcopy(measure_crowd())
    figures["by_event"] = [{"event": event.pk, "tally": figures["decision"]} for event in events]
    figures["doubtful"] = {
        "people": [
            {"first": one.pk, "second": other.pk, "similarity": 0.91, "faces": 3} for one, other in pairs
        ],
        "faces": [
            {
                "face_id": str(face.face_id),
                "person": person.pk,
                "other": other.pk,
                "similarity": 0.9,
                "own": 0.1,
            }
            for face, person, other in faces
        ],
    }
    figures["history"] = [
        {"created_at": f"2026-05-0{day}T10:00:00+00:00", "automatic": 0.6 + day / 100, "enrolled": 10 * day, "probes": 50}
        for day in (1, 2, 3)
    ]  # fmt: skip
    figures["what_if"] = {
        "line": 0.7,
        "open": 500,
        "measured": 200,
        "rows": [
            {"line": 0.62, "more": 412, "wrong": 3.2},
            {"line": 0.7, "more": 0, "wrong": 0.0},
            {"line": 0.75, "more": -9, "wrong": 0.5},
        ],
    }
    return figures


def make_report(**parts: Any) -> QualityReport:
    """A finished report, with the drawing roc-light."""
    from django.utils import timezone

    report = QualityReport.objects.create(
        embedder_id="drawn",
        state="done",
        progress=100,
        processed_at=timezone.now(),
        figures=sample_figures(**parts),
    )
    QualityPlot.objects.create(report=report, name="roc", scheme="light", svg=SVG)
    return report
