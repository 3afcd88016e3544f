"""A SIGKILL at any named point of a report: it is made all the same, once."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.new_vault import expire_leases
from tests.recognition.test_crash import ROOT, empty_vault, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

POINTS = ["report_claimed", "report_measured"]
ASK = (
    "from tests.recognition.evaluation.rows import make_people; "
    "from recognition.evaluation.reports import request_report; "
    "make_people(10, faces=2, dimension=8, embedder_id='drawn'); request_report(user=None)"
)
SWEEP = "from recognition.evaluation.reports import sweep_reports; sweep_reports()"


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "evaluation").glob("*.py")]
    named = {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)}
    assert named == set(POINTS)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at(point: str, vault: Path) -> None:
    run(vault, "shell", "-c", ASK)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "shell", "-c", SWEEP)
    run(vault, "run_worker", "--batch", lease="2")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        [(state, figures)] = database.execute(
            "SELECT state, figures FROM recognition_qualityreport"
        ).fetchall()
        plots = database.execute("SELECT name, scheme FROM recognition_qualityplot").fetchall()
    database.close()
    assert (state, json.loads(figures)["people"]) == ("done", 10)
    assert len(plots) == len(set(plots)) >= 4
