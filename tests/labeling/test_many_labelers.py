"""Many labelers at one queue in one SQLite file: no face is decided twice, no decision is lost, and nobody sees an error."""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.labeling.web_labelers import WebLabeler
from tests.running_site import Site, run_site

PASSWORD = "correct horse battery"


@pytest.mark.parametrize(
    ("labelers", "faces", "people", "workers"),
    [
        pytest.param(6, 200, 100, 0, id="six labelers"),
        pytest.param(16, 2_000, 900, 1, id="sixteen labelers and a worker", marks=pytest.mark.slow),
    ],
)
def test_labelers_who_work_at_once_decide_each_face_once(
    tmp_path: Path, labelers: int, faces: int, people: int, workers: int
) -> None:
    with run_site(tmp_path / "vault", workers=workers) as site:
        site.manage("shell", code=_write(labelers=labelers, faces=faces, people=people))
        team = [WebLabeler(site.address, f"labeler-{number}", seed=number) for number in range(labelers)]
        troubles = work_at_once(team)
        found = _read(site)
    statuses = sum((labeler.log.statuses for labeler in team), Counter[int]())
    accepted = sorted(str(key) for labeler in team for key in labeler.log.accepted)
    assert not troubles
    assert not [page for labeler in team for page in labeler.log.pages]
    assert set(statuses) <= {200, 302, 409, 422}
    assert found["open"] == 0
    # A face was decided by exactly one decision, or named by the worker and by nobody after it.
    assert found["decided twice"] == []
    assert found["decided"] + found["named by the machine alone"] == faces
    assert found["decided"] > faces / 2
    # Whoever was told that it is done, it is; and nothing was written that nobody was told of.
    assert found["keys"] == accepted
    sys.stdout.write(
        f"{len(accepted)} decisions, {statuses[409]} refused as too late, {statuses[422]} asked about"
    )


def work_at_once(team: list[WebLabeler]) -> list[str]:
    """Each in a thread, until the queue is empty; what went wrong."""
    troubles: list[str] = []

    def work(labeler: WebLabeler) -> None:
        try:
            labeler.work(PASSWORD)
        except Exception as error:  # noqa: BLE001 - told by the test's own thread
            troubles.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(labeler,)) for labeler in team]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return troubles


def _write(*, labelers: int, faces: int, people: int) -> str:
    return f"""
from tests.labeling.crowd import write_crowd, write_labelers
write_crowd(faces={faces}, people={people}, known={people // 5})
write_labelers({labelers}, {PASSWORD!r})
"""


def _read(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.manage("shell", code=_READ).splitlines()[-1])
    return found


_READ = """
import json
from django.db.models import Count
from labeling.models import DecidedFace, Decision
from recognition.models import Sighting, UnlabeledFace
settled = DecidedFace.objects.filter(decision__kind__in=["label", "stranger"], decision__undone_at=None)
counts = dict(settled.order_by().values_list("face").annotate(count=Count("pk")))
machine = Sighting.objects.filter(decided_by="machine").values_list("face", flat=True)
print(json.dumps({
    "open": UnlabeledFace.objects.open().count(),
    "decided": len(counts),
    "decided twice": [face for face, count in counts.items() if count > 1],
    "named by the machine alone": len(set(machine) - set(counts)),
    "keys": sorted(str(key) for key in Decision.objects.values_list("key", flat=True)),
}))
"""
