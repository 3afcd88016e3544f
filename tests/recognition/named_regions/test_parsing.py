"""What is taken from a packet, however its program spells RDF, and what is refused of a hostile one."""

from __future__ import annotations

import pytest

from recognition.exports.xmp import PacketRefused, Region, merge_regions
from recognition.named_regions.parsing import MAX_REGIONS, parse_regions
from tests.recognition.named_regions.packets import as_attributes, as_elements, as_people_tag, wrap


def test_elements_and_attributes_say_the_same() -> None:
    [one] = parse_regions(wrap(as_elements("Alice Smith")))
    [other] = parse_regions(wrap(as_attributes("Alice Smith")))
    assert one.name == other.name == "Alice Smith"
    assert (one.left, one.top, one.width, one.height) == pytest.approx((0.2, 0.2, 0.2, 0.4))
    assert one.applied == pytest.approx((200, 100))
    assert (other.left, other.top) == pytest.approx((0.06, 0.2))


def test_our_own_export_is_read() -> None:
    region = Region(name="Zoë & <Ørsted>", x=0.5, y=0.5, width=0.1, height=0.2)
    [found] = parse_regions(merge_regions(None, [region], width=40, height=20))
    assert (found.name, found.applied) == ("Zoë & <Ørsted>", (40, 20))
    assert (found.left, found.top) == pytest.approx((0.45, 0.4))


def test_people_tags_give_the_corner() -> None:
    [found] = parse_regions(wrap(as_people_tag("Bob")))
    assert (found.name, found.left, found.top, found.width) == ("Bob", 0.2, 0.2, 0.2)


@pytest.mark.parametrize("kind", ["Pet", "Focus", "BarCode"])
def test_what_is_no_face_is_left_out(kind: str) -> None:
    assert parse_regions(wrap(as_elements("Rex", kind=kind))) == []


def test_a_region_without_a_type_is_a_face() -> None:
    assert len(parse_regions(wrap(as_attributes("Alice", kind="")))) == 1


@pytest.mark.parametrize("bad", ["nan", "inf", "-3", "7", "", "one half", "1e400"])
def test_a_place_outside_of_the_picture_is_left_out(bad: str) -> None:
    assert parse_regions(wrap(as_elements("Alice", x=bad))) == []


def test_pixels_are_no_shares() -> None:
    assert parse_regions(wrap(as_attributes("Alice", unit="pixel"))) == []


def test_a_name_is_cleaned_and_cut() -> None:
    [found] = parse_regions(wrap(as_elements("  Al\u202eice&#10;Smith " + "x" * 500)))
    assert found.name.startswith("Al ice Smith x")
    assert len(found.name) == 120


def test_nobody_is_called_nothing() -> None:
    assert parse_regions(wrap(as_elements("&#9; "))) == []


def test_no_more_regions_than_anybody_draws_are_taken() -> None:
    names = [f"Person {number}" for number in range(5)]
    assert len(parse_regions(wrap(as_attributes(*names) * (MAX_REGIONS // 4)))) == MAX_REGIONS


def test_a_document_type_is_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]>' + wrap(as_elements("&a;"))
    with pytest.raises(PacketRefused):
        parse_regions(bomb)


@pytest.mark.parametrize(
    "packet",
    [b"", b"<x", b"\xff\xfe", wrap("<a>" * 200 + "</a>" * 200), b"<a>" + b" " * (4 * 1024 * 1024) + b"</a>"],
    ids=["empty", "cut", "no text", "deep", "large"],
)
def test_damage_is_refused(packet: bytes) -> None:
    with pytest.raises(PacketRefused):
        parse_regions(packet)


def test_a_packet_of_endless_parts_is_refused() -> None:
    with pytest.raises(PacketRefused):
        parse_regions(wrap("<mwg-rs:Regions>" + "<a/>" * 60_000 + "</mwg-rs:Regions>"))
