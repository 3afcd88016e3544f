"""How good a face is: what is measured of its pixels, and what a face is kept, asked about and a reference for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognition.models import Face
from recognition.quality import QUEUE, REFERENCE, STORE, find_fault, is_poor, measure_sharpness
from tests.photos import PHOTOS, needs_photos

GOOD = (REFERENCE.size, REFERENCE.detector_score, REFERENCE.sharpness)


def portrait() -> NDArray[np.uint8]:
    rgb: NDArray[np.uint8] = np.array(Image.open(PHOTOS / "orl" / "s10" / "1.pgm").convert("RGB"))
    return rgb[20:100, 8:84]


def moved(rgb: NDArray[np.uint8], pixels: int, *, axis: int) -> NDArray[np.uint8]:
    """As by a camera that moved along one axis during the exposure."""
    blurred: NDArray[np.uint8] = np.mean(
        [np.roll(rgb, step, axis=axis) for step in range(pixels)], axis=0
    ).astype(np.uint8)
    return blurred


@needs_photos
@pytest.mark.parametrize("radius", [2.0, 4.0])
def test_a_blurred_face_is_too_blurred_for_a_reference(radius: float) -> None:
    image = Image.fromarray(portrait())
    assert measure_sharpness(np.asarray(image)) > 2 * REFERENCE.sharpness
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)))
    assert measure_sharpness(blurred) < REFERENCE.sharpness


@needs_photos
@pytest.mark.parametrize("axis", [0, 1])
def test_a_face_that_moved_is_blurred_although_one_direction_stays_sharp(axis: int) -> None:
    assert measure_sharpness(moved(portrait(), 14, axis=axis)) < REFERENCE.sharpness


@needs_photos
def test_a_dark_face_is_not_called_blurred() -> None:
    dark = (portrait() * 0.3).astype(np.uint8)
    assert measure_sharpness(dark) > REFERENCE.sharpness


@needs_photos
def test_a_small_face_is_as_blurred_as_it_looks() -> None:
    values = [
        measure_sharpness(np.asarray(Image.fromarray(portrait()).resize((side, side), Image.Resampling.BOX)))
        for side in (76, 40, 20)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 2 * values[-1]


def test_one_color_is_not_sharp() -> None:
    assert measure_sharpness(np.full((50, 70, 3), 90, np.uint8)) == 0
    assert measure_sharpness(np.empty((0, 10, 3), np.uint8)) == 0


def test_the_noise_of_a_dark_wall_is_not_sharper_than_a_portrait() -> None:
    wall = np.random.default_rng(3).normal(20, 1.5, (80, 80, 1)).repeat(3, axis=2).astype(np.uint8)
    assert measure_sharpness(wall) < 1000


@given(st.integers(4, 400), st.integers(4, 400), st.integers(0, 255))
def test_sharpness_is_a_finite_number_for_any_size(height: int, width: int, grey: int) -> None:
    assume(height * width < 40_000)
    rgb = np.full((height, width, 3), grey, np.uint8)
    rgb[: height // 2] = 255 - grey
    assert 0 <= measure_sharpness(rgb) < 1e5


def test_whoever_may_be_a_reference_is_asked_about_and_whoever_is_asked_about_is_kept() -> None:
    for lower, upper in ((STORE, QUEUE), (QUEUE, REFERENCE)):
        assert lower.size <= upper.size
        assert lower.detector_score <= upper.detector_score
        assert lower.sharpness <= upper.sharpness


@pytest.mark.parametrize(
    ("measured", "fault"),
    [
        (GOOD, ""),
        ((REFERENCE.size - 0.1, 1.0, 500), "small"),
        ((REFERENCE.size - 0.1, 0.5, 0), "small"),
        ((300, 1.0, REFERENCE.sharpness - 0.1), "blurred"),
        ((300, REFERENCE.detector_score - 0.01, 500), "hidden"),
    ],
)
def test_a_page_says_what_a_face_is_too_much_of(measured: tuple[float, float, float], fault: str) -> None:
    assert find_fault(*measured) == fault
    assert is_poor(*measured) is bool(fault)
    assert REFERENCE.takes(*measured) is not bool(fault)


def test_a_face_says_of_itself_what_its_measures_say() -> None:
    face = Face(size=30, detector_score=1.0, sharpness=500)
    assert (face.fault, face.poor) == ("small", True)
    face.size = 300
    assert (face.fault, face.poor) == ("", False)
