"""The benchmark of the desk measures what a labeler does: each press is a decision, and ends with the next card painted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from bench.desk_latency import STOPWATCH, WORKS, press_keys
from tests.browser.conftest import sign_in
from tests.running_site import Site


@pytest.fixture
def site(stocked: Site) -> Site:
    """What the browser visits."""
    return stocked


def test_each_press_of_the_benchmark_is_one_decision_and_a_painted_card(site: Site, page: Page) -> None:
    page.add_init_script(STOPWATCH)
    sign_in(page, "lena")
    works = {work.what: work for work in WORKS}
    assert decisions(site) == (0, 0)

    singles = press_keys(page, works["single faces"], 3)
    assert singles is not None
    assert singles.presses == 3
    assert 0 < singles.median <= singles.p95 <= singles.worst
    assert singles.server_median > 0
    # One more, for the caches.
    assert decisions(site) == (4, 0)

    undone = press_keys(page, works["undo"], 2)
    assert undone is not None
    assert undone.presses == 2
    assert decisions(site) == (7, 3)


def decisions(site: Site) -> tuple[int, int]:
    """All, and those that were undone."""
    told = site.manage("shell", code=_COUNT).splitlines()[-1].split()
    return int(told[0]), int(told[1])


_COUNT = """
from labeling.models import Decision
print(Decision.objects.count(), Decision.objects.exclude(undone_at=None).count())
"""
