"""The grid of an event shows every photo whole: no face and no name is cut off at its edge."""

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import sign_in
from tests.running_site import Site

# Of every name and box: by how many pixels it leaves its own cell.
OVERHANG = """
() => Math.max(0, ...[...document.querySelectorAll("#photos .boxes > *")].map(part => {
  const [inner, outer] = [part, part.closest(".photo")].map(element => element.getBoundingClientRect());
  return Math.max(outer.left - inner.left, inner.right - outer.right, outer.top - inner.top, inner.bottom - outer.bottom);
}))
"""


@pytest.mark.parametrize("width", [1440, 1000, 700, 390])
def test_names_stay_inside_the_visible_part(chromium: Browser, stocked: Site, width: int) -> None:
    context = chromium.new_context(base_url=stocked.address, viewport={"width": width, "height": 900})
    page = context.new_page()
    sign_in(page)
    page.goto("/events/1/")
    assert page.locator("#photos .boxes text").count() > 5
    assert page.evaluate(OVERHANG) <= 1
    context.close()
