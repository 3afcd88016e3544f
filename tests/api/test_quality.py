"""The newest quality report over the API, and asking for another one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from recognition.models import ActiveEmbedder, QualityReport
from tests.api.conftest import Api, Side, local_user, problem_of
from tests.factories import activate_embedder
from tests.recognition.evaluation.sample import make_report

pytestmark = pytest.mark.django_db


def test_the_newest_report_comes_with_all_its_figures(manager: User) -> None:
    make_report()
    newest = make_report()
    newest.refresh_from_db()
    told = Api(manager, "read").get("quality/").json()
    assert told["report"]["id"] == str(newest.report_id)
    assert told["report"]["figures"] == newest.figures
    assert (told["report"]["state"], told["report"]["failure"], told["pending"]) == ("done", None, None)


def test_before_the_first_report_there_is_none(manager: User) -> None:
    assert Api(manager, "read").get("quality/").json() == {"report": None, "pending": None}


def test_measuring_is_asked_for_once(manager: User) -> None:
    activate_embedder()
    api = Api(manager, "read", "admin")
    first, second = api.post("quality/"), api.post("quality/")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert api.get("quality/").json()["pending"]["state"] == "queued"
    assert QualityReport.objects.get().user == manager


def test_a_report_that_failed_says_why(manager: User) -> None:
    QualityReport.objects.create(
        embedder_id="x", state="failed", failure_code="too_few_faces", failure_reason="Name more faces."
    )
    pending = Api(manager).get("quality/").json()["pending"]
    assert pending["failure"] == {"code": "too_few_faces", "reason": "Name more faces."}


def test_without_an_embedder_there_is_nothing_to_measure(manager: User) -> None:
    ActiveEmbedder.objects.all().delete()
    assert problem_of(Api(manager).post("quality/"), 409)["code"] == "nothing_to_measure"


def test_it_takes_the_scope_and_a_role_for_all_events(mine: Side, manager: User, labeler: User) -> None:
    make_report()
    problem_of(Api(manager, "read").post("quality/"), 403)
    problem_of(Api(manager, "label").get("quality/"), 403)
    for user in (local_user(mine.event, "manager"), labeler):
        problem_of(Api(user).get("quality/"), 403)
        problem_of(Api(user).post("quality/"), 403)
    assert QualityReport.objects.count() == 1
