"""Every page in a browser: no serious fault for assistive technology, no console error, nothing wider than a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.browser.axe import bring_axe, serious_faults
from tests.browser.conftest import sign_in, sign_in_by_form
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

    for width in (1440, 390):
        context = chromium.new_context(base_url=stocked.address, viewport={"width": width, "height": 844})
        bring_axe(context)
        page = context.new_page()
        page.on("console", complain)
        page.goto("/login/")
        faults += _faults(page, f"/login/ {width}")
        sign_in_by_form(page)
        for stop in tour:
            reply = page.goto(stop.path)
            assert reply is not None
            assert reply.status == stop.status, stop.path
            if "text/html" not in reply.headers.get("content-type", ""):
                continue
            faults += _faults(page, f"{stop.path} {width}")
            if page.evaluate("document.documentElement.scrollWidth") > width:
                faults.append(f"{stop.path} is wider than {width}")
        context.close()
    assert not faults, "\n".join(faults)


_COVERED = """() => {
  const element = document.activeElement, box = element.getClientRects()[0];
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + Math.min(box.height, 24) / 2);
  return element === document.body || element.contains(seen) || seen?.contains(element) ? "" : element.outerHTML;
}"""


def test_no_bar_at_the_bottom_covers_what_has_the_focus(chromium: Browser, stocked: Site) -> None:
    covered: list[str] = []
    for width in (1440, 390):
        context = chromium.new_context(base_url=stocked.address, viewport={"width": width, "height": 700})
        page = context.new_page()
        sign_in(page)
        page.goto("/people/?sort=faces")
        person = page.locator(".person-card").first.get_attribute("href") or ""
        for path in (person, "/label/"):
            page.goto(path)
            page.evaluate("document.querySelector('main').focus()")
            for _ in range(30):
                page.keyboard.press("Tab")
                if found := page.evaluate(_COVERED):
                    covered.append(f"{path} {width}: {found[:160]}")
        context.close()
    assert not covered, "\n".join(covered)


_LENGTHEN = """
from django.contrib.auth.models import User
from labeling.decisions import label_face
from labeling.models import SecondOpinion
from recognition.models import Person, Photo, UnlabeledFace
photo = Photo.objects.select_related("event").order_by("pk").first()
person = Person.objects.filter(sightings__face__photo=photo).first()
other = Person.objects.exclude(pk=person.pk).first()
for row in (photo, photo.event, *Person.objects.all()):
    row.name = "Donaudampfschifffahrtsgesellschaftskapitänswitwenversammlung"
    row.save(update_fields=["name"])
face = UnlabeledFace.objects.open().select_related("face__photo").first().face
mona = User.objects.get(username="mona")
decision = label_face(face=face, actor=mona, person=person)
SecondOpinion.objects.create(face=face, decision=decision, actor=mona, answer="stranger", agrees=False)
print("PATHS", *(
    path.format(event=photo.event_id, photo=photo.pk, person=person.pk, other=other.pk, key=decision.key)
    for path in (
        "/events/{event}/", "/events/{event}/delete/", "/events/{event}/labelers/", "/photos/{photo}/",
        "/photos/{photo}/faces/add/", "/people/{person}/", "/people/{person}/?show=farthest",
        "/people/{person}/export/", "/people/{person}/split/", "/people/{person}/merge/",
        "/people/{person}/merge/?with={other}", "/people/may-be-one/", "/people/twice/", "/decisions/",
        "/decisions/{key}/", "/label/?queue=suggestions", "/label/?queue=groups", "/label/?queue=singles",
        "/label/differing/", "/label/verdicts/",
    )
))
"""


def test_a_very_long_word_makes_no_page_wider_than_a_phone(chromium: Browser, stocked: Site) -> None:
    paths = stocked.manage("shell", code=_LENGTHEN).split("PATHS ")[1].split()
    context = chromium.new_context(base_url=stocked.address, viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page)
    for path in [*paths, "/events/", "/people/", "/label/", "/"]:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 390, path
    context.close()


def _faults(page: Page, where: str) -> list[str]:
    """In both schemes: the second of them has the same elements in other colors."""
    # Where something fades, no color halfway is one that anybody chose.
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    light = serious_faults(page)
    page.emulate_media(color_scheme="dark")
    dark = serious_faults(page, colors_only=True)
    return [f"{where} light: {fault}" for fault in light] + [f"{where} dark: {fault}" for fault in dark]
