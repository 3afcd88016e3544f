"""The next card is painted at the key press, before the answer: to look at only, and only if it is the card that comes."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.conftest import sign_in
from tests.running_site import Site


@pytest.fixture
def site(stocked: Site) -> Site:
    """What the browser visits."""
    return stocked


@pytest.fixture
def desk(page: Page) -> Page:
    open_desk(page)
    return page


def open_desk(page: Page) -> None:
    sign_in(page, "lena")
    with page.expect_response("**/label/ahead/**"):
        page.goto("/label/?queue=singles")
    page.wait_for_timeout(300)


def slowly(route: Route) -> None:
    time.sleep(1.5)
    route.continue_()


def card(page: Page) -> str | None:
    return page.locator("#desk").get_attribute("data-card")


def test_it_shows_what_comes_and_takes_no_key_until_it_is_there(desk: Page, site: Site) -> None:
    first = card(desk)
    desk.route("**/decide/**", slowly)
    desk.keyboard.press("i")
    ahead = desk.locator("#desk > .ahead")
    expect(ahead).to_be_visible()
    promised = ahead.get_attribute("data-card")
    assert promised != first
    assert ahead.locator("[id], [data-hotkey], [name], a[href], form").count() == 0
    desk.keyboard.press("i")
    expect(ahead).to_have_count(0)
    expect(desk.locator("#desk")).to_have_attribute("data-card", str(promised))
    assert decided(site) == "1"

    desk.unroute("**/decide/**")
    desk.route("**/undo/**", slowly)
    desk.keyboard.press("u")
    expect(desk.locator(f"#desk > .ahead[data-card={first}]")).to_be_visible()
    expect(ahead).to_have_count(0)
    expect(desk.locator("#desk")).to_have_attribute("data-card", str(first))


def test_where_the_answer_brings_no_card_the_one_that_was_left_stands_again(
    visitor: BrowserContext, page: Page
) -> None:
    # Set before there is a page: a request that slips past decides for real, and the next card comes.
    visitor.route("**/decide/**", lambda route: route.fulfill(status=204))
    open_desk(page)
    first = card(page)
    with page.expect_response("**/decide/**") as answer:
        page.keyboard.press("i")
    assert answer.value.status == 204
    expect(page.locator("#desk > .ahead")).to_have_count(0)
    expect(page.locator("#desk > .desk")).to_be_visible()
    assert card(page) == first


def decided(site: Site) -> str:
    code = "from labeling.models import Decision; print(Decision.objects.count())"
    return site.manage("shell", code=code).splitlines()[-1].strip()
