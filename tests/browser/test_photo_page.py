"""An event's filters and one photo in a browser: keys, history, boxes that point at the list of faces."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import sign_in
from tests.running_site import Site


@pytest.fixture
def page(chromium: Browser, stocked: Site) -> Iterator[Page]:
    context = chromium.new_context(base_url=stocked.address, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    sign_in(page)
    yield page
    context.close()


def test_a_filter_has_an_address_and_the_way_back_works(page: Page) -> None:
    page.goto("/events/1/")
    everything = page.locator("#photos .photo").count()
    page.get_by_role("link", name="Unnamed faces").click()
    expect(page).to_have_url(re.compile(r"show=unnamed$"))
    expect(page.locator("#show-unnamed")).to_have_attribute("aria-current", "true")
    assert 0 < page.locator("#photos .photo").count() < everything
    page.go_back()
    expect(page.locator("#show-all")).to_have_attribute("aria-current", "true")
    expect(page.locator("#photos .photo")).to_have_count(everything)


def test_somebody_is_chosen_from_those_who_are_there(page: Page) -> None:
    page.goto("/events/1/")
    page.get_by_role("link", name="By person").click()
    choice = page.get_by_label("Photos of one person")
    expect(choice).to_be_focused()
    name, number = re.fullmatch(r"(.+) \((\d+)\)", choice.locator("option").nth(1).inner_text()).groups()  # type: ignore[union-attr]
    choice.select_option(index=1)
    expect(page.locator("#show-person")).to_contain_text(name)
    expect(page.locator("#photos .photo")).to_have_count(int(number))
    for image in page.locator("#photos img").all():
        assert name in (image.get_attribute("alt") or "")


def test_keys_walk_through_the_photos_of_the_filter(page: Page) -> None:
    page.goto("/events/1/?show=unnamed")
    addresses = [link.get_attribute("href") for link in page.locator("#photos .photo a").all()]
    page.goto(str(addresses[0]))
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**{addresses[1]}")
    page.keyboard.press("j")
    page.wait_for_url(f"**{addresses[2]}")
    page.keyboard.press("k")
    page.wait_for_url(f"**{addresses[1]}")
    page.keyboard.press("b")
    expect(page.locator(".boxes")).to_be_hidden()
    page.keyboard.press("Escape")
    page.wait_for_url("**/events/1/?show=unnamed")


def test_a_face_in_the_list_lights_its_box_and_a_box_leads_to_the_list(page: Page) -> None:
    page.goto("/photos/1/")
    page.locator(".face-list li").nth(1).hover()
    lit = page.locator("rect.lit")
    expect(lit).to_have_count(1)
    face = page.locator(".face-list li").nth(1).get_attribute("data-face")
    assert lit.get_attribute("data-face") == face
    page.locator(".boxes rect").first.click()
    expect(page.locator(".face-list li").first.locator("a").first).to_be_focused()


def test_without_scripts_the_filters_work(chromium: Browser, stocked: Site) -> None:
    context = chromium.new_context(base_url=stocked.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/events/1/")
    page.get_by_role("link", name="By person").click()
    page.get_by_label("Photos of one person").select_option(index=1)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page).to_have_url(re.compile(r"person=\d+$"))
    expect(page.locator("#photos .photo")).not_to_have_count(0)
    context.close()
