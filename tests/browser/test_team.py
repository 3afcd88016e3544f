"""A team at one desk in a browser: own keys, swipes, redo, the way back, and cards that are handed back."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.running_site import Site


@pytest.fixture
def site(stocked: Site) -> Site:
    """What the browser visits."""
    return stocked


@pytest.fixture
def desk(page: Page) -> Page:
    sign_in(page, "lena")
    page.goto("/label/?queue=singles")
    return page


def card_of(page: Page) -> str:
    return page.locator("#desk").get_attribute("data-card") or ""


def press(page: Page, key: str) -> None:
    """Press a key and wait for another card."""
    before = card_of(page)
    page.keyboard.press(key)
    expect(page.locator(f"#desk[data-card='{before}']")).to_have_count(0)


def choose(page: Page, **keys: str) -> None:
    page.goto("/keys/")
    for action, key in keys.items():
        page.fill(f"input[name={action}]", key)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your keys are saved")


def test_an_own_key_decides_and_the_usual_one_does_so_no_more(desk: Page) -> None:
    choose(desk, skip="p")
    desk.goto("/label/?queue=singles")
    skip = desk.get_by_role("button", name="Skip")
    expect(skip.locator("kbd")).to_have_text("p")
    expect(skip).to_have_attribute("aria-keyshortcuts", "p Space")
    before = card_of(desk)
    desk.keyboard.press("s")
    desk.wait_for_timeout(300)
    assert card_of(desk) == before
    press(desk, "p")
    expect(desk.get_by_role("button", name="Skip").locator("kbd")).to_have_text("p")


def test_two_keys_can_change_places(desk: Page) -> None:
    choose(desk, skip="i", stranger="s")
    desk.goto("/label/?queue=singles")
    press(desk, "s")
    expect(desk.locator("#past .chip").first).to_contain_text("Stranger")
    press(desk, "i")
    expect(desk.locator("#past .chip").first).to_contain_text("Skipped")


def test_the_card_that_comes_by_a_key_shows_the_own_keys(desk: Page) -> None:
    choose(desk, search="'")
    desk.goto("/label/?queue=singles")
    press(desk, "i")
    expect(desk.locator(".name-field kbd")).to_have_text("'")
    desk.keyboard.press("'")
    expect(desk.locator("#name")).to_be_focused()


def test_single_keys_off_holds_on_every_page_and_ctrl_z_stays(desk: Page) -> None:
    press(desk, "i")
    decided = desk.locator("#past .chip").count()
    with desk.expect_response("**/keys/switch/"):
        desk.get_by_label("Single-key shortcuts").click()
    desk.reload()
    expect(desk.get_by_label("Single-key shortcuts")).not_to_be_checked()
    expect(desk.get_by_role("button", name="Skip")).not_to_have_attribute(
        "aria-keyshortcuts", re.compile("s")
    )
    before = card_of(desk)
    for key in ("s", "Space", "d", "?"):
        desk.locator("main").focus()
        desk.keyboard.press(key)
    desk.wait_for_timeout(300)
    assert card_of(desk) == before
    desk.keyboard.press("Control+z")
    expect(desk.locator("#past .chip")).to_have_count(decided - 1)


def test_undo_and_redo_by_their_usual_keys(desk: Page) -> None:
    first = card_of(desk)
    press(desk, "i")
    press(desk, "Control+z")
    assert card_of(desk) == first
    expect(desk.locator("#past .chip")).to_have_count(0)
    desk.locator("main").focus()
    desk.keyboard.press("Control+Shift+z")
    expect(desk.locator("#past .chip").first).to_contain_text("Stranger")


def test_ctrl_z_in_a_field_is_the_browsers(desk: Page) -> None:
    press(desk, "i")
    desk.fill("#name", "Ali")
    desk.focus("#name")
    desk.keyboard.press("Control+z")
    desk.wait_for_timeout(300)
    expect(desk.locator("#past .chip")).to_have_count(1)


def test_on_and_back_decide_nothing(desk: Page) -> None:
    seen = [card_of(desk)]
    for key in ("j", "ArrowRight"):
        press(desk, key)
        seen.append(card_of(desk))
    assert len(set(seen)) == 3
    press(desk, "k")
    assert card_of(desk) == seen[1]
    press(desk, "ArrowLeft")
    assert card_of(desk) == seen[0]
    press(desk, "j")
    assert card_of(desk) == seen[1]
    expect(desk.locator("#past .chip")).to_have_count(0)


def test_the_way_back_ends_with_the_first_card(desk: Page) -> None:
    before = card_of(desk)
    desk.keyboard.press("k")
    desk.wait_for_timeout(300)
    assert card_of(desk) == before


@pytest.mark.parametrize("key", ["Enter", "a"])
def test_a_close_call_is_never_the_default_and_is_taken_when_the_key_is_pressed_again(
    desk: Page, stocked: Site, key: str
) -> None:
    address = stocked.manage("shell", code=_CLOSE_CALL).split("FACE ")[1].split()[0]
    desk.goto(f"/label/{address}/")
    expect(desk.locator(".candidates .notice")).to_contain_text("close call")
    expect(desk.locator(".who.best")).to_have_count(0)
    expect(desk.locator(".candidates .keys")).to_have_count(0)
    # A word, and the numbers for whoever asks for them.
    how = desk.locator(".who .how").first
    expect(how).to_have_attribute("title", re.compile(r"^0\.\d\d, .*line 0\.\d\d"))
    expect(how.locator(".band")).to_have_text("close call")
    name = desk.locator(".who b").first.inner_text()
    before = card_of(desk)
    desk.keyboard.press(key)
    expect(desk.locator("#said")).to_contain_text("Press again")
    desk.wait_for_timeout(2300)
    desk.keyboard.press(key)
    desk.wait_for_timeout(300)
    assert card_of(desk) == before
    press(desk, key)
    expect(desk.locator("#past .chip").first).to_contain_text(name)


_CLOSE_CALL = """
import numpy as np
from django.db import transaction
from recognition.gallery_journal import touch_gallery
from recognition.models import Embedding, Person, UnlabeledFace
from recognition.vectors import decode_vector, encode_vector
face = UnlabeledFace.objects.open().filter(face__member=None).first().face
own = Embedding.objects.with_vectors().get(face=face)
seen = decode_vector(bytes(own.vector), len(own.vector) // 4)
beside = set(face.photo.faces.filter(sighting__isnull=False).values_list("sighting__person", flat=True))
people = [person for person in Person.objects.filter(sightings__is_reference=True).distinct() if person.pk not in beside][:2]
for number, person in enumerate(people):
    sighting = person.sightings.filter(is_reference=True).first()
    noise = np.random.default_rng(number).standard_normal(seen.size)
    noise -= (noise @ seen) * seen
    vector = 0.7 * seen + np.sqrt(1 - 0.49) * noise / np.linalg.norm(noise)
    with transaction.atomic():
        touch_gallery([sighting.face_id])
        Embedding.objects.filter(face=sighting.face).update(vector=encode_vector(vector.astype(np.float32)))
print("FACE", face.face_id)
"""


def test_a_closed_page_hands_its_card_back_at_once(desk: Page, stocked: Site) -> None:
    card = card_of(desk)
    count = "from labeling.models import Lease; print('LEASES', sorted(Lease.objects.values_list('card', flat=True)))"
    assert card in stocked.manage("shell", code=count)
    desk.goto("/help/")
    deadline = time.monotonic() + 20
    while "LEASES []" not in stocked.manage("shell", code=count):
        assert time.monotonic() < deadline, "the card is still leased"


def test_the_next_card_of_a_page_without_htmx_stays_leased(desk: Page, stocked: Site) -> None:
    desk.goto("/label/?queue=singles&after=" + card_of(desk))
    second = card_of(desk)
    desk.wait_for_timeout(500)
    leased = stocked.manage(
        "shell",
        code="from labeling.models import Lease; print(*Lease.objects.values_list('card', flat=True))",
    )
    assert second in leased


def test_two_labelers_get_different_cards(desk: Page, chromium: Browser, stocked: Site) -> None:
    other = chromium.new_context(base_url=stocked.address)
    mona = other.new_page()
    sign_in(mona, "mona")
    mona.goto("/label/?queue=singles")
    assert card_of(mona) != card_of(desk)
    other.close()


def test_a_second_tab_with_the_same_card_writes_nothing_and_says_who_was_first(desk: Page) -> None:
    address = desk.url
    tab = desk.context.new_page()
    tab.goto(address)
    press(desk, "i")
    with tab.expect_response(lambda reply: "/decide/" in reply.url) as answer:
        tab.keyboard.press("d")
    assert answer.value.status == 409
    expect(tab.get_by_role("alert")).to_contain_text("stranger")


class TestSwipe:
    @pytest.fixture
    def phone(self, chromium: Browser, stocked: Site) -> Iterator[Page]:
        context: BrowserContext = chromium.new_context(
            base_url=stocked.address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
        )
        context.set_default_timeout(20_000)
        page = context.new_page()
        sign_in(page, "lena")
        page.goto("/label/?queue=singles")
        yield page
        context.close()

    def swipe(self, page: Page, selector: str, x: int, y: int, *, shows: str = "") -> None:
        """Push and let go; `shows` is what stands on the picture right before that."""
        box = page.locator(selector).first.bounding_box()
        assert box is not None
        touch = page.context.new_cdp_session(page)
        start = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        touch.send(
            "Input.dispatchTouchEvent",
            {"type": "touchStart", "touchPoints": [{"x": start[0], "y": start[1]}]},
        )
        for step in range(1, 9):
            point = {"x": start[0] + x * step / 8, "y": start[1] + y * step / 8}
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
        if shows:
            expect(page.locator(".swipe-words.accept.far")).to_have_text(shows)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def test_up_skips(self, phone: Page) -> None:
        before = card_of(phone)
        self.swipe(phone, ".hero", 0, -160)
        expect(phone.locator(f"#desk[data-card='{before}']")).to_have_count(0)
        expect(phone.locator("#past .chip").first).to_contain_text("Skipped")

    def test_left_says_that_it_is_not_them(self, phone: Page) -> None:
        name = phone.locator("button[name=reject]").get_attribute("title") or ""
        self.swipe(phone, ".hero", -160, 0)
        expect(phone.locator("#past .chip").first).to_contain_text(name.removeprefix("This is n").strip()[2:])

    def test_right_takes_the_first_where_it_is_clear(self, phone: Page, stocked: Site) -> None:
        address = stocked.manage("shell", code=_CLEAR).split("FACE ")[1].split()[0]
        phone.goto(f"/label/{address}/")
        name = phone.locator(".who.best b").inner_text()
        self.swipe(phone, ".hero", 160, 0, shows=name)
        expect(phone.locator("#past .chip").first).to_contain_text(name)

    def test_right_decides_nothing_where_nobody_is_clear(self, phone: Page, stocked: Site) -> None:
        address = stocked.manage("shell", code=_CLOSE_CALL).split("FACE ")[1].split()[0]
        phone.goto(f"/label/{address}/")
        before = card_of(phone)
        self.swipe(phone, ".hero", 160, 0)
        phone.wait_for_timeout(400)
        assert card_of(phone) == before
        expect(phone.locator("#past .chip")).to_have_count(0)

    @pytest.mark.parametrize("push", [(40, 0), (0, -40), (70, -70), (0, 160)])
    def test_a_short_or_slanting_push_decides_nothing(self, phone: Page, push: tuple[int, int]) -> None:
        before = card_of(phone)
        self.swipe(phone, ".hero", *push)
        phone.wait_for_timeout(400)
        assert card_of(phone) == before
        expect(phone.locator("#past .chip")).to_have_count(0)
        expect(phone.locator(".swipe-words")).to_have_count(0)

    def test_scrolling_beside_the_picture_decides_nothing(self, phone: Page) -> None:
        before = card_of(phone)
        for push in ((0, -200), (0, 200), (-120, 0)):
            self.swipe(phone, "#card-title", *push)
        phone.wait_for_timeout(400)
        assert card_of(phone) == before
        expect(phone.locator("#past .chip")).to_have_count(0)


_CLEAR = """
import numpy as np
from django.db import transaction
from recognition.gallery_journal import touch_gallery
from recognition.models import Embedding, Person, UnlabeledFace
from recognition.vectors import encode_vector
face = UnlabeledFace.objects.open().filter(face__member=None).first().face
beside = set(face.photo.faces.filter(sighting__isnull=False).values_list("sighting__person", flat=True))
person = Person.objects.filter(sightings__is_reference=True).exclude(pk__in=beside).first()
sighting = person.sightings.filter(is_reference=True).first()
own = Embedding.objects.with_vectors().get(face=face)
with transaction.atomic():
    touch_gallery([sighting.face_id])
    Embedding.objects.filter(face=sighting.face).update(vector=bytes(own.vector))
print("FACE", face.face_id)
"""
