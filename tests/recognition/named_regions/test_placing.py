"""A region lands on the face it was drawn around, whichever way the camera was held."""

from __future__ import annotations

import io

import numpy as np
import pytest

from recognition.exports.copies import write_names
from recognition.images import decode_photo
from recognition.models import Face, Person, Photo, Sighting
from recognition.named_regions.packets import read_packets
from recognition.named_regions.parsing import ReadRegion, parse_regions
from recognition.named_regions.placing import place_regions
from tests.recognition.exports.making import encode, paint


def read(name: str = "Alice", applied: tuple[float, float] | None = None, left: float = 0.1) -> ReadRegion:
    return ReadRegion(name=name, left=left, top=0.2, width=0.2, height=0.4, applied=applied)


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_our_export_writes_comes_back_to_the_same_face(photo_format: str, orientation: int) -> None:
    data = encode(paint(200, 100, (120, 20, 60, 40)), photo_format, orientation=orientation)
    oriented = decode_photo(io.BytesIO(data))
    red = (oriented[..., 0] > 200) & (oriented[..., 1] < 60) & (oriented[..., 2] < 60)
    rows, columns = np.nonzero(red.any(axis=1))[0], np.nonzero(red.any(axis=0))[0]
    height, width = oriented.shape[:2]
    face = Face(
        left=float(columns[0]),
        top=float(rows[0]),
        width=float(np.ptp(columns) + 1),
        height=float(np.ptp(rows) + 1),
    )
    photo = Photo(format=photo_format, width=width, height=height, byte_size=len(data))
    copy = b"".join(write_names(io.BytesIO(data), photo, [Sighting(face=face, person=Person(name="Zoë"))]))
    [packet] = read_packets(io.BytesIO(copy), photo_format)
    [placed] = place_regions(parse_regions(packet), orientation=orientation, width=width, height=height)
    assert placed.name == "Zoë"
    box = placed.box
    assert (box.left, box.top, box.width, box.height) == pytest.approx(
        (face.left, face.top, face.width, face.height), abs=0.02
    )


def test_a_region_of_a_picture_that_was_cut_since_is_left_out() -> None:
    assert place_regions([read(applied=(100, 100))], orientation=1, width=200, height=100) == []


def test_a_picture_that_was_only_made_smaller_keeps_its_regions() -> None:
    [placed] = place_regions([read(applied=(4032, 2016))], orientation=1, width=200, height=100)
    assert (placed.box.left, placed.box.top, placed.box.width, placed.box.height) == (20, 20, 40, 40)


def test_a_region_drawn_on_the_turned_picture_is_not_turned_again() -> None:
    [placed] = place_regions([read(applied=(100, 200))], orientation=6, width=100, height=200)
    assert (placed.box.left, placed.box.top) == (10, 40)


def test_two_notations_of_one_face_are_one_region() -> None:
    found = [read(), read("ALICE", left=0.11), read("Bob", left=0.11)]
    placed = place_regions(found, orientation=1, width=200, height=100)
    assert [region.name for region in placed] == ["Alice", "Bob"]


def test_a_region_ends_with_the_picture() -> None:
    [placed] = place_regions([read(left=0.9)], orientation=1, width=200, height=100)
    assert (placed.box.left, placed.box.right) == (180, 200)
