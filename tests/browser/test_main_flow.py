"""The main job with the real detector and the bundled embedder: photos in, people named, the next photos recognized."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import sign_in_by_form
from tests.photos import NAMES, TEST, TRAIN, needs_photos

# Who is in the photos of the second upload; one of them shows a third person whom nobody named.
EXPECTED = {
    "alex_lacamoire1.jpg": {"Alex Lacamoire"},
    "johnsnow_test1.jpg": {"Kit Harington"},
    "kit_with_rose.jpg": {"Kit Harington", "Rose Leslie"},
    "obama1.jpg": {"Barack Obama"},
    "obama_and_biden.jpg": {"Barack Obama", "Joe Biden"},
}


@needs_photos
def test_photos_in_named_faces_out(page: Page, tmp_path: Path) -> None:
    train = []
    for path in sorted(TRAIN.rglob("*.jp*g")):
        # Two people's first photos have the same file name; the folder tells them apart.
        train.append(Path(shutil.copy(path, tmp_path / f"{path.parent.name}-{path.name}")))
    sign_in_by_form(page)

    create_event(page, "Spring meeting")
    upload(page, train)
    known: set[str] = set()
    for queue in ("groups", "singles"):
        # Faces that are alike come as one card, and some are named by the worker meanwhile: at most one card a face.
        for _ in train:
            page.goto(f"/label/?queue={queue}")
            if page.locator(".hero").count() == 0:
                break
            photo = page.locator(".facts dd").first.inner_text()
            name = NAMES[photo.split("-")[0]]
            name_the_face(page, name, new=name not in known)
            known.add(name)
    page.goto("/label/")
    expect(page.get_by_role("heading", name="Every face is decided")).to_be_visible()

    create_event(page, "Autumn meeting")
    upload(page, sorted(TEST.glob("*.jpg")))
    page.goto("/events/")
    page.get_by_role("link", name="Autumn meeting").first.click()
    photos = page.locator("#photos .photo")
    expect(photos).to_have_count(len(EXPECTED))
    assert names_by_photo(page) == EXPECTED


def create_event(page: Page, name: str) -> None:
    page.goto("/events/")
    page.fill("input[name=name]", name)
    page.get_by_role("button", name=re.compile("create", re.IGNORECASE)).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)


def upload(page: Page, files: list[Path]) -> None:
    """Choose the files, then wait until every one of them is processed: the page tells it by itself."""
    page.get_by_role("link", name="Upload photos").first.click()
    page.set_input_files("input[type=file]", files)
    expect(page.locator("[data-count=added]")).to_have_text(str(len(files)), timeout=60_000)
    expect(page.get_by_text(f"All {len(files)} photos processed")).to_be_visible(timeout=180_000)


def name_the_face(page: Page, name: str, *, new: bool) -> None:
    """By the keyboard: type the name; Enter takes a person who exists, only `New person` creates one."""
    face = page.locator(".hero").get_attribute("src")
    page.keyboard.press("/")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type(name)
    if new:
        page.get_by_role("button", name="New person").first.click()
    else:
        page.keyboard.press("Enter")
    expect(page.locator(f".hero[src='{face}']")).to_have_count(0)


def names_by_photo(page: Page) -> dict[str, set[str]]:
    """What the grid says: a photo's text alternative is its file name and who is in it."""
    found = {}
    for image in page.locator("#photos img").all():
        name, _, people = (image.get_attribute("alt") or "").partition(": ")
        found[name] = {person for person in people.split(", ") if person}
    return found
