"""From regions of the stored picture to boxes on the oriented photo, in its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recognition.exports.copies import STORED
from recognition.geometry import Box
from recognition.named_regions.parsing import ReadRegion
from recognition.text import fold

# Turning by a quarter the other way round undoes it; every other orientation undoes itself.
_BACK = {6: 8, 8: 6}
# Two programs round the same box differently.
_SAME_BOX = 0.5
# A picture that was only scaled keeps its shape up to rounding.
_SAME_SHAPE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRegion:
    name: str
    box: Box


def place_regions(
    found: Sequence[ReadRegion], *, orientation: int, width: int, height: int
) -> list[PlacedRegion]:
    """The regions on the oriented photo of `width` x `height` pixels; one that two notations tell is there once.

    One that was drawn on a picture of another shape is left out: it was cut since, and the place is somebody else's.
    """
    placed: list[PlacedRegion] = []
    for region in found:
        box = _place(region, orientation=orientation, width=width, height=height)
        if box is None or min(box.width, box.height) < 1:
            continue
        if not any(
            fold(other.name) == fold(region.name) and other.box.iou(box) > _SAME_BOX for other in placed
        ):
            placed.append(PlacedRegion(name=region.name, box=box))
    return placed


def _place(region: ReadRegion, *, orientation: int, width: int, height: int) -> Box | None:
    turned = orientation >= 5
    if region.applied is not None:
        stored = (height, width) if turned else (width, height)
        if not _same_shape(region.applied, stored):
            # Some programs draw on the picture as it is seen, and say so by its sides.
            if not (turned and _same_shape(region.applied, (width, height))):
                return None
            orientation = 1
    corners = (
        (region.left, region.top),
        (region.left + region.width, region.top + region.height),
    )
    (x1, y1), (x2, y2) = (STORED[_BACK.get(orientation, orientation)](x, y) for x, y in corners)
    box = Box(min(x1, x2) * width, min(y1, y2) * height, max(x1, x2) * width, max(y1, y2) * height)
    inside = box.clamped(width, height)
    return Box(*(round(side, 2) for side in (inside.left, inside.top, inside.right, inside.bottom)))


def _same_shape(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] * other[1] - other[0] * one[1]) <= _SAME_SHAPE * one[0] * other[1]
