"""How usable the pixels of a face are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHARPNESS_SIDE = 160
# Starting values, well below what peers ask of a reference (80 pixels, 0.98, 50): a wrongly refused reference leaves
# somebody unrecognized, and small faces of group photos are all there is of many people.
POOR_SIZE = 36.0
POOR_DETECTOR_SCORE = 0.90
POOR_SHARPNESS = 8.0
# From this many pixels on, a larger face makes no better reference.
_LARGE_ENOUGH = 160.0


def face_priority(size: float, detector_score: float, yaw: float) -> float:
    """0..1, the order of the queue: size up to 160 pixels, times the detector's score, less for a face that looks away."""
    turned = min(abs(yaw), 90.0) / 90.0
    return round(min(size, _LARGE_ENOUGH) / _LARGE_ENOUGH * detector_score * (1.0 - 0.5 * turned), 4)


def is_poor(size: float, detector_score: float, sharpness: float) -> bool:
    """Whether the pixels are too few or too blurred for a reference: such a face is named and never teaches.

    `size` in pixels of the original, `sharpness` as `measure_sharpness` gives it.
    """
    return size < POOR_SIZE or detector_score < POOR_DETECTOR_SCORE or sharpness < POOR_SHARPNESS


def measure_sharpness(rgb_crop: NDArray[np.uint8]) -> float:
    """Variance of the Laplacian of a face crop (h, w, 3), in squared grey levels; higher is sharper.

    The measure depends on the number of pixels, so the crop is first made grey (Rec. 601) and resized to
    160 x 160: an enlarged small face comes out as blurred as it looks. The kernel is the 4-neighbor one,
    the borders are left out. Sharp press photos give several hundred, below about 50 a person has trouble
    too.
    """
    if rgb_crop.size == 0:
        return 0.0
    grey = Image.fromarray(rgb_crop).convert("L")
    side = (SHARPNESS_SIDE, SHARPNESS_SIDE)
    # Pillow's bilinear filter widens with the factor, so that shrinking averages instead of aliasing.
    g = np.asarray(grey.resize(side, Image.Resampling.BILINEAR), dtype=np.float32)
    laplacian = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    return float(laplacian.var())
