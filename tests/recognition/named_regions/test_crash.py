"""A SIGKILL at any named point of reading names: every region is there once, and nothing is read twice in vain."""

from __future__ import annotations

import re
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.new_vault import expire_leases
from tests.recognition.exports.making import encode, paint
from tests.recognition.named_regions.packets import as_elements, wrap
from tests.recognition.test_crash import ROOT, add, empty_vault, run, vault

__all__ = ["empty_vault", "vault"]  # fixtures

POINTS = ["reading_claimed", "names_read", "names_written"]
ASK = (
    "from recognition.models import Event; from recognition.named_regions.reading import request_reading; "
    "request_reading(event=Event.objects.get(), user=None)"
)


def test_the_list_of_points_is_complete() -> None:
    sources = [path.read_text() for path in (ROOT / "recognition" / "named_regions").glob("*.py")]
    assert {name for source in sources for name in re.findall(r'crash_point\("(\w+)"\)', source)} == set(
        POINTS
    )


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_at(point: str, vault: Path) -> None:
    photos = vault.parent / "photos"
    for number in range(2):
        pixels = paint(200, 100, (0, 0, 1 + number, 1))
        (photos / f"named{number}.jpg").write_bytes(
            encode(pixels, "JPEG", xmp=wrap(as_elements(f"Person {number}")))
        )
    add(vault)
    run(vault, "shell", "-c", ASK)
    run(vault, "run_worker", "--batch", crash_at=point, lease="2", expect=-signal.SIGKILL)
    expire_leases(vault)
    run(vault, "run_worker", "--batch", lease="2")
    with sqlite3.connect(vault / "facevault.sqlite3") as database:
        names = database.execute("SELECT name FROM recognition_namedregion ORDER BY name").fetchall()
        rows = database.execute(
            "SELECT state, photos_done, photos_total, regions_found FROM recognition_regionreading"
        ).fetchall()
    database.close()
    assert names == [("Person 0",), ("Person 1",)]
    assert rows == [("done", 5, 5, 2)]
