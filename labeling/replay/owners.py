"""Whose face a detected box is, by the truth: its center lies in their portrait, and no other box fits that portrait better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labeling.replay.truth import Portrait
from recognition.geometry import Box


def find_owners(boxes: Mapping[int, Box], portraits: Sequence[Portrait]) -> dict[int, str]:
    """The identity of each box of one photo, by the box's key. A box outside of the truth is left out.

    Each portrait owns one box at most, each box has one owner: the best overlap first.
    """
    pairs = sorted(
        (
            (box.iou(portrait.box), key, place)
            for key, box in boxes.items()
            for place, portrait in enumerate(portraits)
            if _holds_center(portrait.box, box)
        ),
        key=lambda pair: (-pair[0], pair[1], pair[2]),
    )
    owners: dict[int, str] = {}
    taken: set[int] = set()
    for _, key, place in pairs:
        if key not in owners and place not in taken:
            owners[key] = portraits[place].identity
            taken.add(place)
    return owners


def _holds_center(portrait: Box, face: Box) -> bool:
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    return portrait.left <= x < portrait.right and portrait.top <= y < portrait.bottom
