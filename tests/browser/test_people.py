"""People in a browser: search as one types, and several faces decided about by keys."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.running_site import Site


@pytest.fixture
def known(stocked: Site) -> int:
    """The person with most faces of the machine."""
    asked = (
        "from recognition.models import Sighting\n"
        "from django.db.models import Count\n"
        "rows = Sighting.objects.filter(decided_by='machine').order_by().values_list('person')\n"
        "print('PERSON', rows.annotate(n=Count('pk')).order_by('-n').first()[0])"
    )
    return int(stocked.manage("shell", code=asked).split("PERSON ")[1].split()[0])


def visit(chromium: Browser, site: Site, path: str, *, scripts: bool = True) -> Page:
    context = chromium.new_context(base_url=site.address, java_script_enabled=scripts)
    context.set_default_timeout(20_000)
    page = context.new_page()
    sign_in(page, "lena")
    page.goto(path)
    return page


def test_the_list_follows_the_letters_and_keeps_its_order(chromium: Browser, stocked: Site) -> None:
    page = visit(chromium, stocked, "/people/?sort=seen")
    name = page.locator(".person-card b").first.inner_text()
    page.keyboard.press("/")
    page.keyboard.type(name[:4])
    expect(page.get_by_role("status").first).to_contain_text(f"for “{name[:4]}”")
    expect(page.locator(".person-card b").first).to_have_text(name)
    expect(page).to_have_url(re.compile("sort=seen.*q=|q=.*sort=seen"))
    expect(page.locator(".sorts [aria-current]").first).to_have_text("Last seen")


def test_all_faces_of_a_page_are_said_to_be_right_by_two_keys(
    chromium: Browser, stocked: Site, known: int
) -> None:
    page = visit(chromium, stocked, f"/people/{known}/?show=machine")
    count = page.locator("input[name=face]").count()
    assert count > 1
    page.keyboard.press("a")
    expect(page.locator("[data-selected]")).to_have_text(f"{count} selected")
    page.keyboard.press("y")
    expect(page.get_by_role("status").first).to_contain_text(f"{count} faces are verified.")
    expect(page.locator(".crop.machine")).to_have_count(0)


def test_shift_takes_a_range_enter_one_and_x_sends_them_back(
    chromium: Browser, stocked: Site, known: int
) -> None:
    page = visit(chromium, stocked, f"/people/{known}/")
    boxes = page.locator("input[name=face]")
    count = boxes.count()
    boxes.nth(0).check()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("3 selected")
    boxes.nth(2).press("Enter")
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    page.keyboard.press("x")
    expect(page.get_by_role("status").first).to_contain_text("2 faces are back in the queue")
    expect(boxes).to_have_count(count - 2)


def test_without_javascript_the_boxes_and_buttons_do(chromium: Browser, stocked: Site, known: int) -> None:
    page = visit(chromium, stocked, f"/people/{known}/?show=machine", scripts=False)
    expect(page.get_by_role("button", name="Select all").first).to_be_hidden()
    page.locator("input[name=face]").first.check()
    page.get_by_role("button", name="Yes, this is").click()
    expect(page.get_by_role("status").first).to_contain_text("1 face is verified.")


def test_the_question_mark_opens_the_help_from_anywhere(chromium: Browser, stocked: Site) -> None:
    page = visit(chromium, stocked, "/people/")
    for path in ("/", "/people/", "/label/", "/decisions/"):
        page.goto(path)
        page.keyboard.press("?")
        page.wait_for_url("**/help/")
