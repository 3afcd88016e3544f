"""How usable the pixels of a face are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SHARPNESS_SIDE = 64
# Five grey levels, squared: as much as a crop of one color has by noise and JPEG.
_NOISE = 25.0
# From this many pixels on, a larger face makes no better reference.
_LARGE_ENOUGH = 160.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """What a face needs at least: pixels of its shorter side, the detector's probability, `measure_sharpness`."""

    size: float
    detector_score: float
    sharpness: float

    def takes(self, size: float, detector_score: float, sharpness: float) -> bool:
        return size >= self.size and detector_score >= self.detector_score and sharpness >= self.sharpness


# docs/quality.md has the measurements behind each number.
STORE = Tier(size=16, detector_score=0.90, sharpness=0)
QUEUE = Tier(size=24, detector_score=0.90, sharpness=0)
REFERENCE = Tier(size=40, detector_score=0.98, sharpness=20)
# The sharpness of a face that came without pixels: nothing says that it is good, so the machine never teaches by it.
NOT_MEASURED = 0.0


def face_priority(size: float, detector_score: float, yaw: float) -> float:
    """0..1, the order of the queue: size up to 160 pixels, times the detector's score, less for a face that looks away."""
    turned = min(abs(yaw), 90.0) / 90.0
    return round(min(size, _LARGE_ENOUGH) / _LARGE_ENOUGH * detector_score * (1.0 - 0.5 * turned), 4)


def is_poor(size: float, detector_score: float, sharpness: float) -> bool:
    """Whether the pixels are too few or too blurred for a reference: such a face is named and never teaches.

    `size` in pixels of the original, `sharpness` as `measure_sharpness` gives it.
    """
    return bool(find_fault(size, detector_score, sharpness))


def find_fault(size: float, detector_score: float, sharpness: float) -> str:
    """What a face is too much of for a reference, the worst first: "small", "blurred", "hidden"; empty if it is good."""
    if size < REFERENCE.size:
        return "small"
    if sharpness < REFERENCE.sharpness:
        return "blurred"
    return "hidden" if detector_score < REFERENCE.detector_score else ""


def measure_sharpness(rgb_crop: NDArray[np.uint8]) -> float:
    """How sharp a face crop (h, w, 3) is: its finest detail in thousandths of its contrast; higher is sharper.

    The variance of the second derivative over that of the grey levels themselves, in the direction where it is lower,
    of the crop made grey (Rec. 601) and resized to 64 x 64. The lower direction, because a hand that moves blurs along
    one line only; over the contrast, because a face in a dark hall is not blurred; at 64 pixels, because finer detail
    says little about who it is, and a small face comes out as blurred as it looks. Portraits give 80 to 350.
    """
    if rgb_crop.size == 0:
        return 0.0
    grey = Image.fromarray(rgb_crop).convert("L")
    side = (SHARPNESS_SIDE, SHARPNESS_SIDE)
    # Pillow's bilinear filter widens with the factor, so that shrinking averages instead of aliasing.
    g = np.asarray(grey.resize(side, Image.Resampling.BILINEAR), dtype=np.float32)
    down = g[:-2, 1:-1] + g[2:, 1:-1] - 2 * g[1:-1, 1:-1]
    across = g[1:-1, :-2] + g[1:-1, 2:] - 2 * g[1:-1, 1:-1]
    return float(2000 * min(down.var(), across.var()) / (g.var() + _NOISE))
