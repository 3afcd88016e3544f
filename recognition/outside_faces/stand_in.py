"""The picture that stands where a photo should: a grey canvas with the crops that came, and silhouettes for the rest.

The same faces give the same bytes, so that an import that is run again finds the photo that it has made before.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, PngImagePlugin

from recognition.geometry import Box

# Sizes that were given stay exact up to here; a larger photo is drawn smaller, and the layout says by how much.
CANVAS_SIDE = 4000
# A face without a box and without pixels gets a cell of this size.
CELL = 160
_GAP = 16
# Right of and below the last face, so that its box does not end with the picture.
_MARGIN = 40
_MIN_SIDE = 64
# The gate for pictures takes no narrower ones.
_MAX_ASPECT = 4
CANVAS_GREY = (214, 217, 222)
_SHADOW_GREY = (168, 173, 181)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A canvas and where each face is on it, in the order given; `scale` is below 1 where the canvas is a smaller copy."""

    width: int
    height: int
    scale: float
    boxes: list[Box]


def plan_layout(boxes: Sequence[Box | None], sizes: Sequence[tuple[int, int] | None]) -> Layout:
    """Faces with a box stay where they are; the others stand in a grid below, each as large as its crop (width, height)."""
    placed = [box.clamped(float("inf"), float("inf")) if box is not None else None for box in boxes]
    right = max((box.right for box in placed if box is not None), default=0.0)
    bottom = max((box.bottom for box in placed if box is not None), default=0.0)
    homeless = [number for number, box in enumerate(placed) if box is None]
    cells = {number: sizes[number] or (CELL, CELL) for number in homeless}
    if homeless:
        wide = max(width for width, _ in cells.values()) + _GAP
        high = max(height for _, height in cells.values()) + _GAP
        columns = max(1, round((len(homeless) * high / wide) ** 0.5))
        below = bottom + _GAP
        for place, number in enumerate(homeless):
            left, top = _GAP + (place % columns) * wide, below + (place // columns) * high
            placed[number] = Box(left, top, left + cells[number][0], top + cells[number][1])
        right = max(right, float(_GAP + columns * wide))
        bottom = below + -(-len(homeless) // columns) * high
    longer = max(right, bottom)
    scale = min(1.0, CANVAS_SIDE / longer) if longer else 1.0
    width, height = (
        max(_MIN_SIDE, min(CANVAS_SIDE, int(np.ceil(side * scale)) + _MARGIN)) for side in (right, bottom)
    )
    return Layout(
        width=max(width, height // _MAX_ASPECT),
        height=max(height, width // _MAX_ASPECT),
        scale=scale,
        boxes=[box.scaled(scale) for box in placed if box is not None],
    )


def draw_stand_in(
    width: int, height: int, faces: Sequence[tuple[Box, NDArray[np.uint8] | None]]
) -> NDArray[np.uint8]:
    """Pixels (height, width, 3): each crop at its box, unchanged where it has the box's size; a silhouette without one."""
    canvas = Image.new("RGB", (width, height), CANVAS_GREY)
    for box, crop in faces:
        at = box.as_ints()
        size = (max(1, at.right - at.left), max(1, at.bottom - at.top))
        if crop is None:
            _draw_silhouette(ImageDraw.Draw(canvas), box)
            continue
        picture = Image.fromarray(crop)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        canvas.paste(picture, (at.left, at.top))
    return np.array(canvas)


def draw_crop(pixels: NDArray[np.uint8] | None, *, side: int) -> NDArray[np.uint8]:
    """What a page shows of the face: its crop on a grey square of at most `side` pixels, or a silhouette."""
    if pixels is None:
        return draw_stand_in(CELL, CELL, [(Box(24, 24, CELL - 24, CELL), None)])
    height, width = pixels.shape[:2]
    longer = max(width, height)
    canvas = Image.new("RGB", (longer, longer), CANVAS_GREY)
    canvas.paste(Image.fromarray(pixels), ((longer - width) // 2, (longer - height) // 2))
    if longer > side:
        canvas = canvas.resize((side, side), Image.Resampling.BOX)
    return np.array(canvas)


def encode_stand_in(rgb: NDArray[np.uint8], *, mark: str) -> bytes:
    """A PNG, which keeps every pixel. `mark` tells photos apart that look the same, such as two of one silhouette."""
    note = PngImagePlugin.PngInfo()
    note.add_text("Comment", mark)
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", pnginfo=note, compress_level=1)
    return buffer.getvalue()


def _draw_silhouette(pen: ImageDraw.ImageDraw, box: Box) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return box.left + x * box.width, box.top + y * box.height

    pen.ellipse([at(0.22, 0.06), at(0.78, 0.70)], fill=_SHADOW_GREY)
    pen.polygon([at(0.40, 0.62), at(0.60, 0.62), at(0.66, 0.78), at(0.34, 0.78)], fill=_SHADOW_GREY)
    pen.pieslice([at(0.06, 0.72), at(0.94, 1.28)], 180, 360, fill=_SHADOW_GREY)
