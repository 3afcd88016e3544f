"""The colors of a picture as 512 numbers: which, and roughly where, whatever the light and whichever way it is mirrored.

Pure: pixels in, numbers out. Four bands from top to bottom times the middle and the two sides, taken together, make
eight cells; each has 64 bins, 16 of grays and 48 of 12 hues in 4 shades. Lightness is relative to the picture's own
mean, so a darker copy has the same colors. Every pixel is shared among neighboring bins: what falls between two bins
must not jump from one to the other for a rounding error.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BANDS, SIDES = 4, 2
GRAYS, HUES, SHADES = 16, 12, 4
BINS = GRAYS + HUES * SHADES
COLORS = BANDS * SIDES * BINS
# Enough to tell colors apart; what is larger is averaged down first.
LONG_SIDE = 160
# From which saturation on a pixel begins to have a color, and has nothing else.
_GRAY_BELOW, _COLOR_FROM = 0.12, 0.40
# Of the mean lightness: how much a dark pixel's hue is doubted, since it is little more than noise.
_DARK = 0.25


def describe_colors(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The square roots of the shares (512,), of length 1 together: their distance is Hellinger's, 0 to 2 squared."""
    pixels = rgb.reshape(-1, 3).astype(np.float64)
    cells = _cells(*rgb.shape[:2])
    largest = pixels.max(axis=1)
    chroma = largest - pixels.min(axis=1)
    mean = max(float(pixels.mean()), 1.0)
    brightness = pixels.mean(axis=1)
    lightness = brightness / (brightness + mean)
    saturation = chroma / (largest + _DARK * mean)
    colored = np.clip((saturation - _GRAY_BELOW) / (_COLOR_FROM - _GRAY_BELOW), 0, 1)
    shares = np.zeros((BANDS * SIDES, BINS))
    for gray, part in _neighbors(lightness, GRAYS):
        _add(shares, cells, gray, part * (1 - colored))
    shade_parts = _neighbors(lightness, SHADES)
    for hue, hue_part in _around(_hue(pixels, largest, chroma)):
        for shade, shade_part in shade_parts:
            _add(shares, cells, GRAYS + hue * SHADES + shade, hue_part * shade_part * colored)
    # Each cell counts the same, however many pixels its neighbors lent it.
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-9) * len(shares)
    found: NDArray[np.float32] = np.sqrt(shares).ravel().astype(np.float32)
    return found


_Parts = list[tuple[NDArray[np.int64], NDArray[np.float64]]]


def _cells(height: int, width: int) -> _Parts:
    """Per pixel the cells that share it, and how much of it each has."""
    rows = _neighbors((np.arange(height) + 0.5) / height, BANDS)
    # 0 in the middle, 1 at either side.
    aside = np.abs((np.arange(width) + 0.5) / width - 0.5) * 2
    columns = _neighbors(aside, SIDES)
    return [
        ((band[:, None] * SIDES + side[None, :]).ravel(), (tall[:, None] * wide[None, :]).ravel())
        for band, tall in rows
        for side, wide in columns
    ]


def _neighbors(values: NDArray[np.float64], bins: int) -> _Parts:
    """The two bins nearest to each value of 0..1, with shares that add up to 1."""
    place = np.clip(values * bins - 0.5, 0, bins - 1)
    lower = np.minimum(place.astype(np.int64), bins - 2)
    upper_part = place - lower
    return [(lower, 1 - upper_part), (lower + 1, upper_part)]


def _around(hues: NDArray[np.float64]) -> _Parts:
    """The same for hues, 0..1, of which the last neighbors the first."""
    place = hues * HUES
    lower = np.floor(place).astype(np.int64)
    upper_part = place - lower
    return [(lower % HUES, 1 - upper_part), ((lower + 1) % HUES, upper_part)]


def _hue(
    pixels: NDArray[np.float64], largest: NDArray[np.float64], chroma: NDArray[np.float64]
) -> NDArray[np.float64]:
    red, green, blue = pixels.T
    span = np.maximum(chroma, 1e-9)
    sixths = np.select(
        [largest == red, largest == green],
        [(green - blue) / span, 2 + (blue - red) / span],
        4 + (red - green) / span,
    )
    hue: NDArray[np.float64] = (sixths / 6) % 1.0
    return hue


def _add(
    shares: NDArray[np.float64], cells: _Parts, bins: NDArray[np.int64], weights: NDArray[np.float64]
) -> None:
    for cell, part in cells:
        shares += np.bincount(cell * BINS + bins, weights=part * weights, minlength=shares.size).reshape(
            shares.shape
        )
