"""Search by photo in a browser, with the real detector and the bundled embedder: with scripts, and without any."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import serious_faults
from tests.browser.conftest import sign_in
from tests.photos import TEST, TRAIN, needs_photos
from tests.running_site import Site

PICTURE = TEST / "kit_with_rose.jpg"
# Their faces as a labeler would have named them; the photo's name says who it is.
_LABEL = """
from django.db import transaction
from django.utils import timezone
from recognition.gallery_journal import touch_gallery
from recognition.models import Person, Sighting, UnlabeledFace

for entry in UnlabeledFace.objects.select_related("face__photo"):
    name = "Rose Leslie" if "rose" in entry.face.photo.name else "Kit Harington"
    with transaction.atomic():
        touch_gallery([entry.face_id])
        person, _ = Person.objects.get_or_create(name=name)
        entry.delete()
        Sighting.objects.create(face=entry.face, person=person, decided_by="human", is_reference=True, seen_at=timezone.now())
"""


def know_both(site: Site, folder: Path) -> None:
    folder.mkdir()
    for name in ("kit_harington", "rose_leslie"):
        for path in (TRAIN / name).glob("*.jp*g"):
            shutil.copy(path, folder / f"{name}-{path.name}")
    refused = str(folder.with_name("refused.csv"))
    site.manage("ingest_photos", str(folder), "--event", "Premiere", "--refused", refused)
    site.manage("shell", code=_LABEL)


@needs_photos
def test_a_picture_of_two_finds_both_and_goes_again(page: Page, site: Site, tmp_path: Path) -> None:
    know_both(site, tmp_path / "photos")
    sign_in(page)
    page.get_by_role("link", name="Search", exact=True).click()
    frame = page.locator(".probe-drop").bounding_box()
    assert frame is not None
    for x, y in [(16, 16), (frame["width"] - 16, 16), (16, frame["height"] - 16), (frame["width"] / 2, 20)]:
        # Wherever in the frame a picture is dropped, the field takes it.
        hit = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).id", [frame["x"] + x, frame["y"] + y]
        )
        assert hit == "id_picture"
    page.set_input_files("#id_picture", PICTURE)
    page.wait_for_url("**/search/*-*/")
    expect(page.get_by_role("heading", name="Looks like Rose Leslie")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name="Looks like Kit Harington")).to_be_visible()
    expect(page.locator(".probe-photos li")).to_have_count(4)
    page.locator(".probe-photos img").first.scroll_into_view_if_needed()
    assert not serious_faults(page)
    page.locator("svg.boxes a").last.click()
    expect(page.locator(".probe-face:target")).to_have_attribute("id", "face-2")
    page.get_by_role("button", name="Delete this search now").click()
    expect(page.get_by_text("The search is deleted")).to_be_visible()
    assert not list((site.data / "probes").iterdir())
    assert not serious_faults(page)


@needs_photos
def test_without_scripts(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(base_url=site.address, java_script_enabled=False)
    page = context.new_page()
    sign_in(page)
    page.goto("/search/")
    page.set_input_files("#id_picture", PICTURE)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**/search/*-*/")
    # The page asks for itself again.
    expect(page.get_by_role("heading", name="Nobody known looks like this")).to_have_count(2, timeout=60_000)
    context.close()
