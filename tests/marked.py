"""A photo that shows which way up it is, and as a camera that was turned stores it."""

from __future__ import annotations

import numpy as np
from PIL import Image

_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def marked(width: int = 64, height: int = 48) -> Image.Image:
    """Grey, with a red top left quarter and a blue top right one."""
    pixels = np.full((height, width, 3), 128, np.uint8)
    pixels[: height // 2, : width // 2] = (250, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 0, 250)
    return Image.fromarray(pixels)


def turned(upright: Image.Image, orientation: int) -> Image.Image:
    """The pixels that this EXIF orientation turns upright."""
    return upright if orientation == 1 else upright.transpose(_STORED[orientation])
