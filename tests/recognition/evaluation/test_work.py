"""A report: asked for once, made by a worker, kept with its drawings; and the figures of real rows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from recognition.active_embedder import NoActiveEmbedder
from recognition.evaluation import work
from recognition.evaluation.reports import (
    finished_reports,
    is_stalled,
    open_report,
    request_report,
    sweep_reports,
)
from recognition.evaluation.work import process_next_report
from recognition.leases import claim_next, stopping
from recognition.models import QualityPlot, QualityReport
from tests.factories import (
    activate_embedder,
)
from tests.recognition.evaluation.rows import make_people

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def active(transactional_db: None) -> None:
    activate_embedder()


def make_report() -> QualityReport:
    report = request_report(user=None)
    process_next_report()
    report.refresh_from_db()
    assert report.state == "done", report.failure_reason
    return report


def test_a_report_holds_figures_and_drawings() -> None:
    make_people(12)
    report = make_report()
    assert report.progress == 100
    assert (report.figures["faces"], report.figures["people"], report.figures["enrolled"]) == (36, 12, 12)
    assert report.figures["rank1"] == {"faces": 36, "right": 36}
    names = set(QualityPlot.objects.filter(report=report).values_list("name", "scheme"))
    assert {("similarity", "light"), ("similarity", "dark"), ("sizes", "dark")} <= names


def test_asking_again_while_one_is_being_made_gives_that_one() -> None:
    first = request_report(user=None)
    assert request_report(user=None) == first
    make_people(12)
    process_next_report()
    assert request_report(user=None) != first


def test_without_an_embedder_nothing_is_asked_for() -> None:
    from recognition.models import ActiveEmbedder

    ActiveEmbedder.objects.all().delete()
    with pytest.raises(NoActiveEmbedder):
        request_report(user=None)
    assert not QualityReport.objects.exists()


def test_too_few_people_are_said_and_not_tried_again() -> None:
    make_people(9)
    make_people(3, faces=1)
    report = request_report(user=None)
    process_next_report()
    report.refresh_from_db()
    assert (report.state, report.failure_code) == ("failed", "too_few_faces")
    assert report.failure_reason.startswith(
        "10 people with two named faces are the least to measure; there are 9."
    )
    assert open_report() == report
    assert process_next_report() is None


def test_only_the_newest_reports_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "KEEP", 2)
    make_people(10, faces=2)
    reports = [make_report() for _ in range(3)]
    assert list(finished_reports()) == [reports[2], reports[1]]
    assert not QualityPlot.objects.filter(report_id=reports[0].pk).exists()


def test_a_worker_that_is_asked_to_stop_gives_the_report_back() -> None:
    make_people(10, faces=2)
    report = request_report(user=None)
    stopping.set()
    try:
        process_next_report()
    finally:
        stopping.clear()
    report.refresh_from_db()
    assert (report.state, report.attempts) == ("queued", 0)


def test_a_report_of_a_dead_worker_is_taken_up_again() -> None:
    make_people(10, faces=2)
    report = request_report(user=None)
    claim = claim_next(QualityReport.objects.all())
    assert claim is not None
    QualityReport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep_reports() == 1
    process_next_report()
    report.refresh_from_db()
    assert report.state == "done"


def test_a_bug_is_told_in_a_sentence_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(work, "measure_installation", fail)
    report = request_report(user=None)
    process_next_report()
    report.refresh_from_db()
    assert (report.state, report.failure_code) == ("queued", "report_error")
    assert "Press Measure now again" in report.failure_reason


def test_a_report_that_waits_for_long_while_nothing_moves_is_stalled() -> None:
    report = request_report(user=None)
    assert not is_stalled(report)
    report.created_at = timezone.now() - timedelta(minutes=5)
    assert is_stalled(report)
