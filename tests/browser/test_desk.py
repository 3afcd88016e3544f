"""The labeling desk in a browser: keys, undo, two people at one face, no JavaScript, a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

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


def left(page: Page) -> int:
    return int(page.locator("#desk [data-left]").get_attribute("data-left") or "")


def expect_left(page: Page, count: int) -> None:
    expect(page.locator("#desk [data-left]")).to_have_attribute("data-left", str(count))


def face_of(page: Page) -> str:
    return page.locator(".hero").get_attribute("src") or ""


def press(page: Page, key: str) -> None:
    """Press a key and wait for the next card."""
    before = face_of(page)
    page.keyboard.press(key)
    expect(page.locator(f".hero[src='{before}']")).to_have_count(0)


def test_a_key_decides_and_the_next_face_comes(desk: Page) -> None:
    before = left(desk)
    for key in ("s", "i", "d", "1"):
        press(desk, key)
        expect_left(desk, before - 1)
        press(desk, "u")
        expect_left(desk, before)


def test_every_key_stands_on_its_button(desk: Page) -> None:
    for key in ("1", "2", "3", "n", "s", "d", "i", "u"):
        assert desk.locator(f"button[aria-keyshortcuts~='{key}'] kbd").first.inner_text() == key
    assert desk.locator("input[aria-keyshortcuts='/']").count() == 1


def test_typing_a_name_is_not_a_decision(desk: Page) -> None:
    before = face_of(desk)
    desk.keyboard.press("/")
    desk.keyboard.type("sid")
    expect(desk.locator("#name")).to_have_value("sid")
    assert face_of(desk) == before


def test_enter_on_an_unknown_name_asks_and_never_creates(desk: Page, stocked: Site) -> None:
    count = "from recognition.models import Person; print(Person.objects.count())"
    people = stocked.manage("shell", code=count)
    desk.keyboard.press("/")
    desk.keyboard.type("Nobody Yet")
    desk.keyboard.press("Enter")
    expect(desk.locator(".question")).to_be_visible()
    assert stocked.manage("shell", code=count) == people


def mark_somebody(desk: Page) -> str:
    """Type until people are offered and mark the first; their name."""
    name = desk.locator(".who b").first.inner_text()
    desk.keyboard.press("/")
    desk.keyboard.type(name[:2])
    desk.locator(f"#name-options[data-typed='{name[:2]}'] [role=option]").first.wait_for()
    desk.keyboard.press("ArrowDown")
    expect(desk.locator("[role=option][aria-selected=true]")).to_have_count(1)
    return name


def test_enter_takes_the_marked_name(desk: Page) -> None:
    before = face_of(desk)
    mark_somebody(desk)
    desk.keyboard.press("Enter")
    expect(desk.locator(f".hero[src='{before}']")).to_have_count(0)


@pytest.mark.parametrize("keys", [["Enter"], ["ArrowDown", "Enter"]])
def test_whom_the_list_still_shows_is_not_taken_while_one_types_on(desk: Page, keys: list[str]) -> None:
    before = face_of(desk)
    mark_somebody(desk)
    # The next list never comes.
    desk.route("**/label/people/**", lambda route: None)
    desk.keyboard.type("zz")
    expect(desk.locator("[role=option][aria-selected=true]")).to_have_count(0)
    for key in keys:
        desk.keyboard.press(key)
    expect(desk.locator(".question")).to_contain_text("Nobody is called")
    assert face_of(desk) == before
    assert desk.locator("#past .chip").count() == 0


def test_keys_work_right_after_they_were_switched_on(desk: Page) -> None:
    switch = desk.get_by_label("Single-key shortcuts")
    switch.click()
    before = face_of(desk)
    desk.keyboard.press("s")
    assert face_of(desk) == before
    switch.click()
    press(desk, "s")


def test_a_question_is_answered_by_keys_and_enter_only_says_it_again(desk: Page) -> None:
    before = face_of(desk)
    desk.keyboard.press("/")
    desk.keyboard.type("Grace Hopper")
    desk.keyboard.press("Enter")
    expect(desk.locator(".question")).to_be_visible()
    expect(desk.locator("#card-title")).to_be_focused()
    # The next card is fetched whenever it suits the page.
    requests: list[str] = []
    desk.on(
        "request",
        lambda request: requests.append(request.url) if "/label/ahead/" not in request.url else None,
    )
    desk.keyboard.press("Enter")
    expect(desk.locator("#said")).to_contain_text("Nobody is called “Grace Hopper” yet")
    assert requests == []
    assert face_of(desk) == before
    press(desk, "n")
    expect(desk.locator("#past")).to_contain_text("Grace Hopper")


def test_the_evidence_for_the_first_suggestion_stands_on_one_line(desk: Page) -> None:
    how = desk.locator(".who:not(.taken) .how").first
    how.evaluate("element => { element.lastChild.data = ' 0.63 · 4 references · 0.45 ahead'; }")
    box, band = how.bounding_box(), how.locator(".band").bounding_box()
    assert box is not None
    assert band is not None
    assert box["height"] < 1.5 * band["height"]


def test_the_face_that_has_the_name_is_one_click_away(desk: Page, stocked: Site) -> None:
    """Another face of the photo is named like the first suggestion."""
    url = face_of(desk).replace("/faces/", "/label/").replace("/crop.jpg", "/")
    name = desk.locator(".who b").first.inner_text()
    stocked.manage("shell", code=_MISNAME.format(face=url.split("/")[2], name=name))
    desk.goto(url)
    taken = desk.locator(".who.taken").filter(has_text=name)
    expect(taken).to_contain_text("by FaceVault")
    desk.keyboard.press("/")
    desk.keyboard.type(name)
    desk.keyboard.press("Enter")
    expect(desk.locator(".question")).to_contain_text(f"{name} is named in this photo already")
    expect(desk.locator("#card-title")).to_be_focused()
    desk.keyboard.press("1")
    expect(desk.locator("#card-title")).to_have_text(name)
    press(desk, "i")
    desk.goto(url)
    expect(desk.locator(".who.taken").filter(has_text=name)).to_have_count(0)


_MISNAME = """
from recognition.models import Face, Person, Photo, Sighting
face = Face.objects.get(face_id="{face}")
other = Face.objects.filter(sighting=None).exclude(pk=face.pk).first()
Face.objects.filter(pk=other.pk).update(photo=face.photo)
Sighting.objects.filter(face__photo=face.photo).delete()
Sighting.objects.create(face=other, person=Person.objects.get(name="{name}"), decided_by="machine", similarity=0.8, seen_at=face.photo.taken_at)
"""


def test_the_face_just_named_is_known_to_the_next_card_in_every_process(desk: Page) -> None:
    desk.fill("#name", "Ada Newcomer")
    face = face_of(desk)
    desk.get_by_role("button", name="New person").first.click()
    expect(desk.locator(f".hero[src='{face}']")).to_have_count(0)
    # The server runs two processes; enough requests meet both.
    for _ in range(8):
        desk.goto(face.replace("/faces/", "/label/").replace("/crop.jpg", "/"))
        expect(desk.locator("#card-title")).to_have_text("Ada Newcomer")
        desk.goto("/label/people/?name=ada")
        expect(desk.get_by_text("Ada Newcomer")).to_be_visible()


def test_any_earlier_decision_can_be_undone_from_the_list(desk: Page) -> None:
    first = face_of(desk)
    before = left(desk)
    for key in ("i", "d", "s"):
        press(desk, key)
    desk.goto("/decisions/")
    row = desk.locator("main li, main tr").filter(has_text="stranger").first
    # To leave the page before the answer would break the request off.
    with desk.expect_response("**/undo/**"):
        row.get_by_role("button", name=re.compile("undo", re.IGNORECASE)).click()
    desk.wait_for_load_state("networkidle")
    desk.goto("/label/?queue=singles")
    expect_left(desk, before - 2)
    assert face_of(desk) == first


def test_the_second_of_two_people_at_one_face_sees_who_was_first(
    desk: Page, chromium: Browser, stocked: Site
) -> None:
    other = chromium.new_context(base_url=stocked.address)
    mona = other.new_page()
    sign_in(mona, "mona")
    mona.goto(face_of(desk).replace("/faces/", "/label/").replace("/crop.jpg", "/"))
    mona.keyboard.press("i")
    expect(mona.locator("#desk .left")).to_be_visible()
    mona.wait_for_load_state("networkidle")
    with desk.expect_response(lambda reply: "/decide/" in reply.url) as answer:
        desk.keyboard.press("d")
    assert answer.value.status == 409
    expect(desk.get_by_role("alert")).to_contain_text("mona")
    expect(desk.get_by_role("alert")).to_contain_text("stranger")
    other.close()


@pytest.fixture
def plain(chromium: Browser, stocked: Site) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = chromium.new_context(base_url=stocked.address, java_script_enabled=False)
    yield context.new_page()
    context.close()


def test_everything_works_without_javascript(plain: Page) -> None:
    sign_in(plain, "lena")
    plain.goto("/label/?queue=singles")
    before = left(plain)
    plain.get_by_role("button", name="Stranger").click()
    expect_left(plain, before - 1)
    plain.fill("#name", "Grace Plain")
    plain.get_by_role("button", name="New person").first.click()
    expect_left(plain, before - 2)
    plain.locator("#past").get_by_role("button").first.click()
    expect_left(plain, before - 1)


@pytest.fixture
def phone(chromium: Browser, stocked: Site) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=stocked.address, viewport={"width": 390, "height": 844}, has_touch=True
    )
    yield context.new_page()
    context.close()


def test_on_a_phone_the_face_leaves_room_and_the_verdicts_stay_under_the_thumb(phone: Page) -> None:
    sign_in(phone, "lena")
    phone.goto("/label/?queue=singles")
    hero = phone.locator(".hero").bounding_box()
    assert hero is not None
    assert hero["height"] <= 0.45 * 844
    # Whom a push to the right names is seen without scrolling.
    first, verdicts = phone.locator(".who").first.bounding_box(), phone.locator(".acts").bounding_box()
    assert first is not None
    assert verdicts is not None
    assert first["y"] + 24 <= verdicts["y"]
    for name in ("Skip", "Stranger", "Not a face"):
        box = phone.get_by_role("button", name=name).bounding_box()
        assert box is not None
        assert box["y"] > 844 / 2
        assert box["y"] + box["height"] <= 844
        assert box["height"] >= 40
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_name_asked_for_while_the_next_card_is_on_its_way_is_typed_and_decides_nothing(desk: Page) -> None:
    before = left(desk)
    desk.keyboard.press("s")
    desk.keyboard.press("/")
    expect(desk.locator("#name")).to_be_focused()
    desk.keyboard.type("indus")
    expect(desk.locator("#name")).to_have_value("indus")
    expect_left(desk, before - 1)


def test_one_key_names_a_whole_group_and_says_what_comes_next(desk: Page) -> None:
    desk.goto("/label/?queue=groups")
    before = left(desk)
    count = int(desk.locator("#card-title").inner_text().split()[0])
    desk.keyboard.press("/")
    desk.keyboard.type("Grace Hopper")
    desk.keyboard.press("Enter")
    expect(desk.locator(".question")).to_be_visible()
    desk.keyboard.press("n")
    expect(desk.locator("#said")).to_contain_text(f"Named Grace Hopper, {count} faces. Next: ")
    expect(desk.locator("#card-title")).to_be_focused()
    expect_left(desk, before - count)
    desk.keyboard.press("u")
    expect(desk.locator("#said")).to_contain_text("Undone: Grace Hopper")
    expect(desk.locator("#card-title")).to_have_text(f"{count} faces, one person?")
    expect_left(desk, before)


def test_chosen_faces_are_counted_and_escape_chooses_none(desk: Page) -> None:
    desk.goto("/label/?queue=groups")
    desk.keyboard.press("g")
    expect(desk.locator(".desk.wide")).to_be_visible()
    boxes = desk.locator(".pick input")
    everything = boxes.count()
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(desk.locator("[data-chosen]")).to_have_text("3")
    desk.keyboard.press("Control+a")
    expect(desk.locator("[data-chosen]")).to_have_text(str(everything))
    desk.keyboard.press("Escape")
    expect(desk.locator(".chosen-bar")).to_be_hidden()


def test_the_event_can_be_chosen_on_a_phone(phone: Page) -> None:
    sign_in(phone, "lena")
    phone.goto("/label/")
    expect(phone.get_by_label("Event", exact=True)).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
