"""Every page in a browser: no serious fault for assistive technology, no console error, nothing wider than a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.conftest import sign_in
from tests.running_site import Site
from tests.site_tour import Stop, fill_site, plan_tour


@pytest.fixture
def tour(stocked: Site) -> list[Stop]:
    return plan_tour(fill_site(stocked, next((stocked.data / "previews").rglob("*.jpg"))))


def test_no_page_has_a_serious_fault(chromium: Browser, stocked: Site, tour: list[Stop]) -> None:
    faults: list[str] = []

    def complain(message: ConsoleMessage) -> None:
        # The page of the tour that is missing on purpose is told by the browser, too.
        if message.type == "error" and "status of 404" not in message.text:
            faults.append(message.text)

    for scheme in ("light", "dark"):
        for width in (1440, 390):
            context = chromium.new_context(
                base_url=stocked.address,
                color_scheme="dark" if scheme == "dark" else "light",
                viewport={"width": width, "height": 844},
            )
            page = context.new_page()
            page.on("console", complain)
            page.goto("/login/")
            faults += _faults(page, f"/login/ {scheme} {width}")
            sign_in(page)
            for stop in tour:
                reply = page.goto(stop.path)
                assert reply is not None
                assert reply.status == stop.status, stop.path
                if "text/html" not in reply.headers.get("content-type", ""):
                    continue
                faults += _faults(page, f"{stop.path} {scheme} {width}")
                if page.evaluate("document.documentElement.scrollWidth") > width:
                    faults.append(f"{stop.path} is wider than {width}")
            context.close()
    assert not faults, "\n".join(faults)


def _faults(page: Page, where: str) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{where}: {fault['id']} {[node['target'] for node in fault['nodes']]}"
        for fault in found
        if fault["impact"] in {"serious", "critical"}
    ]
