"""Boxes of two looks at one photo: which of them are one face."""

from hypothesis import given
from hypothesis import strategies as st

from recognition.geometry import Box
from recognition.pairing import pair_boxes

HEAD = Box(100, 100, 200, 200)


def moved(box: Box, dx: float, dy: float) -> Box:
    return Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy)


def test_a_box_that_moved_a_little_is_the_same_face() -> None:
    assert pair_boxes([HEAD], [moved(HEAD, 20, 10)]) == {0: 0}


def test_a_box_beside_it_is_another_face() -> None:
    assert pair_boxes([HEAD], [moved(HEAD, 60, 0)]) == {}


def test_a_wider_box_around_the_same_head_is_the_same_face() -> None:
    assert pair_boxes([HEAD], [HEAD.padded(0.45)]) == {0: 0}


def test_a_small_face_inside_the_box_of_a_large_one_is_another_face() -> None:
    assert pair_boxes([HEAD], [Box(110, 110, 140, 140)]) == {}


def test_a_face_at_the_edge_of_a_wider_box_is_another_face() -> None:
    assert pair_boxes([Box(0, 0, 100, 100)], [Box(50, 50, 110, 110)]) == {}


def test_of_two_that_overlap_the_closer_one_is_taken() -> None:
    assert pair_boxes([HEAD], [moved(HEAD, 30, 0), moved(HEAD, 5, 0)]) == {0: 1}


def test_the_order_of_the_boxes_does_not_matter() -> None:
    heads = [HEAD, moved(HEAD, 150, 0), moved(HEAD, 300, 0)]
    assert pair_boxes(heads, heads[::-1]) == {0: 2, 1: 1, 2: 0}


sides = st.floats(20, 300)
places = st.floats(0, 2000)
boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), places, places, sides, sides)


@given(st.lists(boxes, max_size=8), st.lists(boxes, max_size=8))
def test_no_box_is_paired_twice(old: list[Box], new: list[Box]) -> None:
    pairs = pair_boxes(old, new)
    assert len(set(pairs.values())) == len(pairs)
    assert all(0 <= i < len(old) and 0 <= k < len(new) for i, k in pairs.items())


@given(st.lists(boxes, max_size=8, unique_by=lambda box: round(box.left)))
def test_the_same_boxes_are_paired_with_themselves(found: list[Box]) -> None:
    pairs = pair_boxes(found, found)
    assert all(found[i].iou(found[k]) > 0.999 for i, k in pairs.items())
    assert len(pairs) == len(found)
