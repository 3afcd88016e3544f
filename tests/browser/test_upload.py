"""The upload page on a bad day: errors that pass, errors that do not, a script that comes late."""

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.browser.conftest import sign_in
from tests.recognition.videos.drawn import walk, write_video
from tests.running_site import Site


@pytest.mark.parametrize(("status", "posts"), [(500, 1), (503, 2)])
def test_only_errors_that_pass_are_tried_again(
    chromium: Browser, stocked: Site, status: int, posts: int
) -> None:
    context = chromium.new_context(base_url=stocked.address)
    page = context.new_page()
    sign_in(page)
    page.goto("/events/1/upload/")
    sent: list[str] = []

    def fail(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        sent.append(route.request.url)
        # What was tried again breaks for good the second time.
        route.fulfill(status=status if len(sent) == 1 else 500, body="")

    page.route("**/upload/", fail)
    page.set_input_files(
        "input[type=file]", {"name": "a.zip", "mimeType": "application/zip", "buffer": b"PK"}
    )
    expect(page.get_by_role("button", name="Try the failed files again")).to_be_visible(timeout=5_000)
    expect(page.locator("[data-upload-lines] .failed b")).to_have_text("a.zip")
    assert len(sent) == posts
    context.close()


def test_files_chosen_before_the_script_is_there_are_sent_too(chromium: Browser, stocked: Site) -> None:
    context = chromium.new_context(base_url=stocked.address)
    page = context.new_page()
    sign_in(page)

    def come_late(route: Route) -> None:
        time.sleep(1)
        route.continue_()

    page.route("**/upload*.js", come_late)
    page.goto("/events/1/upload/", wait_until="commit")
    page.set_input_files(
        "input[type=file]", {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": b"no photo"}
    )
    expect(page.locator("[data-count=refused]")).to_have_text("1")
    context.close()


def test_a_video_leads_to_the_page_that_says_how_far_it_is(
    chromium: Browser, stocked: Site, tmp_path: Path
) -> None:
    video = write_video(tmp_path / "walk.mkv", walk(10))
    context = chromium.new_context(base_url=stocked.address)
    page = context.new_page()
    sign_in(page)
    page.goto("/events/1/upload/")
    page.set_input_files("input[type=file]", video)
    expect(page.locator("[data-count=added]")).to_have_text("1")
    page.get_by_role("link", name="See how far it is").click()
    expect(page.get_by_role("heading", name="walk.mkv")).to_be_visible()
    expect(
        page.get_by_text("of 6 frames looked at").or_(page.get_by_text("6 frames looked at"))
    ).to_be_visible()
    page.goto("/events/1/")
    expect(page.locator(".video-card").get_by_role("link", name="walk.mkv")).to_be_visible()
    context.close()
