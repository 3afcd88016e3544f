"""Which boxes of two looks at one photo are of the same face."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recognition.geometry import Box

# Two detections of one face share more than this, two faces of one photo less.
SAME_FACE = 0.4
# A detector that draws tighter or wider boxes: one box lies in the other, about its middle, and is no quarter of it.
_CONTAINED = 0.8
_LARGEST_RATIO = 4.0
_OFF_CENTER = 0.3


def pair_boxes(old: Sequence[Box], new: Sequence[Box]) -> dict[int, int]:
    """From places in `old` to places in `new`, each at most once; the closest pairs first.

    What overlaps is paired before what is merely contained.
    """
    pairs: dict[int, int] = {}
    for score in (_overlap, _containment):
        _add_best(pairs, old, new, score)
    return pairs


def _add_best(
    pairs: dict[int, int], old: Sequence[Box], new: Sequence[Box], score: Callable[[Box, Box], float]
) -> None:
    taken = set(pairs.values())
    scored = [
        (value, i, k)
        for i, one in enumerate(old)
        if i not in pairs
        for k, other in enumerate(new)
        if k not in taken and (value := score(one, other)) > 0
    ]
    for _, i, k in sorted(scored, key=lambda item: (-item[0], item[1], item[2])):
        if i not in pairs and k not in taken:
            pairs[i] = k
            taken.add(k)


def _overlap(one: Box, other: Box) -> float:
    iou = one.iou(other)
    return iou if iou >= SAME_FACE else 0.0


def _containment(one: Box, other: Box) -> float:
    """How much of the smaller lies in the larger; 0 where they are hardly the same face."""
    small, large = sorted((one, other), key=lambda box: box.area)
    if small.area <= 0 or large.area > _LARGEST_RATIO * small.area:
        return 0.0
    dx = abs((small.left + small.right) - (large.left + large.right)) / 2
    dy = abs((small.top + small.bottom) - (large.top + large.bottom)) / 2
    if max(dx / large.width, dy / large.height) > _OFF_CENTER:
        return 0.0
    iou = small.iou(large)
    contained = iou * (small.area + large.area) / (1 + iou) / small.area
    return contained if contained >= _CONTAINED else 0.0
