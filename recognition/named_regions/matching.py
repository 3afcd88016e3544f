"""Which face a named region means: the regions and the faces of a photo are paired, each at most once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from recognition.geometry import Box
from recognition.models import Face, NamedRegion

# Programs draw faces from the chin to the hair or just the features: the same face shares this much.
_SAME_FACE = 0.3
# Below that each must at least lie over the other's middle.
_LEAST = 0.08
# Any pair that may be is worth more than a better overlap elsewhere.
_PAIR = 10.0


def match_regions(photo_pks: Collection[int]) -> int:
    """Give each region of these photos its face, or none; returns how many moved. Belongs into a transaction.

    The box of a region never changes and its photo's faces do: they are paired anew each time.
    """
    regions: defaultdict[int, list[NamedRegion]] = defaultdict(list)
    for region in NamedRegion.objects.filter(photo__in=photo_pks).order_by("pk"):
        regions[region.photo_id].append(region)
    faces: defaultdict[int, list[Face]] = defaultdict(list)
    columns = ("photo_id", "left", "top", "width", "height")
    for face in Face.objects.filter(photo__in=list(regions)).only(*columns).order_by("pk"):
        faces[face.photo_id].append(face)
    moved = []
    for photo, found in regions.items():
        here = faces[photo]
        pairs = pair_regions([box_of(region) for region in found], [face.box for face in here])
        for place, region in enumerate(found):
            face_pk = here[pairs[place]].pk if place in pairs else None
            if region.face_id != face_pk:
                region.face_id = face_pk
                moved.append(region)
    NamedRegion.objects.bulk_update(moved, ["face"], batch_size=500)
    return len(moved)


def pair_regions(regions: Sequence[Box], faces: Sequence[Box]) -> dict[int, int]:
    """From places of regions to places of faces, each at most once: as many pairs as may be, then the best overlap."""
    if not regions or not faces:
        return {}
    from scipy.optimize import linear_sum_assignment

    worth = np.array([[_worth(region, face) for face in faces] for region in regions])
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return {
        int(row): int(column) for row, column in zip(rows, columns, strict=True) if worth[row, column] > 0
    }


def box_of(region: NamedRegion) -> Box:
    return Box(region.left, region.top, region.left + region.width, region.top + region.height)


def _worth(region: Box, face: Box) -> float:
    overlap = region.iou(face)
    if overlap >= _SAME_FACE or (overlap >= _LEAST and _holds(region, face) and _holds(face, region)):
        return _PAIR + overlap
    return 0.0


def _holds(box: Box, other: Box) -> bool:
    """Whether the middle of the other lies in the box."""
    x, y = (other.left + other.right) / 2, (other.top + other.bottom) / 2
    return box.left <= x <= box.right and box.top <= y <= box.bottom
