from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.geometry import Box
from recognition.images import decode_photo, shrink
from recognition.looks._mediapipe import PoseFinder
from recognition.looks.colors import COLORS, describe_colors
from recognition.looks.descriptor import LOOK, describe_picture, has_pose, mirror_look, person_region
from recognition.looks.poses import JOINTS, POSE, Pose, average_numbers, describe_pose, mirror_pose
from tests.photos import PHOTOS, needs_photos
from tests.recognition.looks.sample import MODEL, mirrored_and_dimmed, needs_pose, sample_photos

# An upright body in a picture of 400 x 600, arms hanging; left and right as MediaPipe counts them.
_BODY = np.array(
    [[200, 80]]
    + [[205 + 5 * n, 70] for n in range(3)]
    + [[195 - 5 * n, 70] for n in range(3)]
    + [[225, 80], [175, 80], [208, 100], [192, 100], [260, 150], [140, 150], [270, 230], [130, 230]]
    + [[275, 300], [125, 300]] + [[278, 310], [122, 310]] * 3
    + [[235, 320], [165, 320], [238, 430], [162, 430], [240, 540], [160, 540]]
    + [[236, 555], [164, 555], [250, 560], [150, 560]],
    dtype=np.float64,
)  # fmt: skip
SIZE = (400, 600)


def body(*, scale: float = 1.0, x: float = 0.0, y: float = 0.0, seen: float = 1.0) -> Pose:
    return Pose(_BODY * scale + (x, y), np.full(JOINTS, seen))


def test_a_look_is_66_numbers_of_pose_and_512_of_color() -> None:
    look = describe_picture(np.full((40, 30, 3), 99, np.uint8), None)
    assert (POSE, COLORS, look.size) == (66, 512, 578)
    assert look.dtype == np.float32
    assert LOOK == 578
    assert not has_pose(look)


def test_colors_have_length_one() -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    assert np.linalg.norm(describe_colors(rgb)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_of_one_color_has_colors_too(level: int) -> None:
    colors = describe_colors(np.full((5, 7, 3), level, np.uint8))
    assert np.isfinite(colors).all()
    assert np.linalg.norm(colors) == pytest.approx(1, abs=1e-5)


def test_colors_do_not_know_a_mirror_image_from_its_picture() -> None:
    rgb = np.random.default_rng(2).integers(0, 256, (61, 93, 3), dtype=np.uint8)
    assert np.allclose(describe_colors(rgb), describe_colors(np.ascontiguousarray(rgb[:, ::-1])), atol=1e-6)


def test_a_darker_copy_has_nearly_the_same_colors_and_other_clothes_have_not() -> None:
    def dressed(color: tuple[int, int, int]) -> NDArray[np.uint8]:
        rgb = np.full((120, 80, 3), 205, np.uint8)
        rgb[30:110, 25:55] = color
        return rgb

    red = describe_colors(dressed((190, 30, 40)))
    darker = describe_colors(np.rint(dressed((190, 30, 40)) * 0.6).astype(np.uint8))
    green = describe_colors(dressed((40, 150, 60)))
    assert ((red - darker) ** 2).sum() < 0.01
    assert ((red - green) ** 2).sum() > 0.1


def test_a_pose_does_not_know_place_and_size() -> None:
    here = describe_pose(body(), SIZE)
    there = describe_pose(body(scale=0.5, x=120, y=200), SIZE)
    assert np.allclose(here, there, atol=1e-6)
    assert np.linalg.norm(here) == pytest.approx(1, abs=1e-5)


def test_a_raised_arm_is_another_pose() -> None:
    raised = body()
    raised.joints[[13, 15, 17, 19, 21], 1] -= 140
    assert np.linalg.norm(describe_pose(body(), SIZE) - describe_pose(raised, SIZE)) > 0.2


def test_a_mirrored_pose_is_that_of_the_mirrored_picture() -> None:
    raised = body()
    raised.joints[[13, 15], 1] -= 140
    mirrored = describe_pose(mirror_pose(raised, SIZE[0]), SIZE)
    look = np.zeros(LOOK, dtype=np.float32)
    look[:POSE] = describe_pose(raised, SIZE)
    assert np.allclose(mirror_look(look)[:POSE], mirrored, atol=1e-6)
    assert np.allclose(mirror_look(mirror_look(look)), look)


def test_joints_that_are_not_seen_say_nothing() -> None:
    legless = body()
    legless.seen[25:] = 0
    moved = Pose(legless.joints.copy(), legless.seen)
    moved.joints[25:] += 70
    assert np.allclose(describe_pose(legless, SIZE), describe_pose(moved, SIZE))


def test_joints_outside_of_the_picture_say_nothing() -> None:
    numbers = describe_pose(body(y=280), SIZE).reshape(JOINTS, 2)
    assert not numbers[27:].any()
    assert numbers[0].any()


def test_without_shoulders_in_view_there_is_no_pose() -> None:
    assert not describe_pose(body(y=600), SIZE).any()
    assert not describe_pose(None, SIZE).any()
    assert not describe_pose(body(seen=0.0), SIZE).any()


def test_two_looks_that_disagree_say_nothing() -> None:
    one, turned = describe_pose(body(), SIZE), -describe_pose(body(), SIZE)
    assert np.allclose(average_numbers(one, one), one)
    assert not average_numbers(one, turned).any()
    assert not average_numbers(one, np.zeros(POSE, dtype=np.float32)).any()


def test_the_pose_of_a_person_is_that_of_the_body_nearest_to_the_face() -> None:
    def find(rgb: NDArray[np.uint8]) -> Sequence[Pose]:
        small, large = body(scale=0.5, x=10, y=20), body(scale=0.9, x=180, y=20)
        large.joints[[13, 15, 17, 19, 21], 1] -= 130
        poses = [small, large]
        return poses if rgb[0, 0, 0] else [mirror_pose(pose, rgb.shape[1]) for pose in poses]

    rgb = np.full((600, 600, 3), 200, np.uint8)
    rgb[:, -1] = 0
    face = Box(95, 45, 125, 75)
    alone = describe_pose(body(scale=0.5, x=10, y=20), (600, 600))
    assert np.allclose(describe_picture(rgb, find, face=face)[:POSE], alone, atol=1e-5)
    # Of the whole picture it is the largest body's.
    assert not np.allclose(describe_picture(rgb, find)[:POSE], alone, atol=0.05)


def test_the_region_of_a_person_stays_within_the_photo() -> None:
    assert person_region(Box(100, 50, 160, 130), 400, 900) == Box(40, 10, 220, 570)
    assert person_region(Box(-5, -5, 60, 70), 90, 80) == Box(0, 0, 90, 80)


def measure_misses(
    find_poses: PoseFinder | None, *, weights: tuple[float, float], every: int = 1
) -> list[str]:
    """The sample photos of which a mirrored and dimmed copy finds another one before itself."""
    paths = sample_photos()[::every]
    find = find_poses.find if find_poses else None
    stored, asked = [], []
    for path in paths:
        rgb = shrink(decode_photo(path, portable=True), 1600)
        stored.append(describe_picture(rgb, find))
        asked.append(describe_picture(mirrored_and_dimmed(rgb), find))
    looks, queries = np.stack(stored), np.stack(asked)
    scale = np.concatenate([np.full(POSE, weights[0] ** 0.5), np.full(COLORS, weights[1] ** 0.5)])
    by_color = np.concatenate([np.zeros(POSE), np.ones(COLORS)])
    missed = []
    for place, path in enumerate(paths):
        both = np.stack([queries[place], mirror_look(queries[place])])
        counts = scale if has_pose(queries[place]) else by_color
        distances = ((looks * counts)[:, None] - (both * counts)[None]) ** 2
        nearest = distances.sum(axis=2).min(axis=1)
        if nearest.argmin() != place:
            missed.append(path.relative_to(PHOTOS).as_posix())
    return missed


@needs_photos
def test_every_sample_photo_mirrored_and_dimmed_finds_itself_first_by_color_alone() -> None:
    assert measure_misses(None, weights=(0.0, 1.0)) == []


@needs_photos
@needs_pose
def test_some_sample_photos_mirrored_and_dimmed_find_themselves_first_by_pose_and_color() -> None:
    assert measure_misses(PoseFinder(MODEL), weights=(0.4, 0.6), every=11) == []


@needs_photos
@needs_pose
@pytest.mark.slow
def test_every_sample_photo_mirrored_and_dimmed_finds_itself_first_by_pose_and_color() -> None:
    assert measure_misses(PoseFinder(MODEL), weights=(0.4, 0.6)) == []


@needs_photos
@needs_pose
def test_a_person_has_a_pose_and_a_drawing_of_squares_has_none() -> None:
    finder = PoseFinder(MODEL)
    person = decode_photo(PHOTOS / "two_people.jpg")
    assert has_pose(describe_picture(person, finder.find))
    squares = np.zeros((300, 300, 3), np.uint8)
    squares[50:120, 50:120] = 255
    assert not has_pose(describe_picture(squares, finder.find))
