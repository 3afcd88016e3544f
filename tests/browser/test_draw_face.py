"""A face that the detector missed, drawn in a browser: with the mouse, with the keyboard, and without any script."""

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


def corner(page: Page) -> tuple[float, float, float]:
    """The upper left corner of the shown photo, and how many of its own pixels one on the screen is."""
    stage = page.locator("[data-draw]")
    box = stage.bounding_box()
    assert box is not None
    return box["x"], box["y"], float(stage.get_attribute("data-width") or 0) / box["width"]


def numbers(page: Page) -> list[float]:
    return [
        float(page.locator(f"[data-draw-field={name}]").input_value())
        for name in ("left", "top", "width", "height")
    ]


def test_a_box_is_dragged_and_becomes_a_face_that_is_named(page: Page, stocked: Site) -> None:
    page.goto("/photos/1/")
    page.keyboard.press("a")
    page.wait_for_url("**/photos/1/faces/add/")
    left, top, pixels = corner(page)
    page.mouse.move(left + 8, top + 8)
    page.mouse.down()
    page.mouse.move(left + 48, top + 30)
    page.mouse.move(left + 78, top + 88)
    page.mouse.up()
    wanted = [8 * pixels, 8 * pixels, 70 * pixels, 80 * pixels]
    assert numbers(page) == pytest.approx(wanted, abs=2 * pixels)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/photos/1/faces/\d+/$"))
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    stocked.manage("run_worker", "--batch")
    page.get_by_role("link", name="Name it now").click()
    page.wait_for_url(re.compile(r"/label/[0-9a-f-]{36}/"))


def test_arrow_keys_move_and_resize_the_box(page: Page) -> None:
    page.goto("/photos/1/faces/add/")
    left, top, width, height = numbers(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowDown")
    moved = numbers(page)
    assert moved[0] > left
    assert moved[1] < top
    assert moved[2] == width
    assert moved[3] > height
    expect(page.locator("#draw-said")).to_contain_text("pixels")


def test_without_script_four_numbers_are_enough(chromium: Browser, stocked: Site) -> None:
    context = chromium.new_context(base_url=stocked.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/photos/1/faces/add/")
    for name, value in [("Left", "4"), ("Top", "4"), ("Width", "60"), ("Height", "70")]:
        page.get_by_label(name).fill(value)
    page.get_by_role("button", name="Add this face").click()
    expect(page.get_by_role("heading", name="Waiting for a worker")).to_be_visible()
    context.close()
