import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from recognition.geometry import _FRONTAL_FACE, Box, IntBox, estimate_pose

coordinates = st.floats(-1e4, 1e4)
boxes = st.tuples(coordinates, coordinates, st.floats(0.5, 1e4), st.floats(0.5, 1e4)).map(
    lambda t: Box(t[0], t[1], t[0] + t[2], t[1] + t[3])
)


def test_a_box_knows_its_sizes() -> None:
    box = Box(10.0, 20.0, 40.0, 80.0)
    assert (box.width, box.height, box.area) == (30.0, 60.0, 1800.0)
    assert box.scaled(2) == Box(20.0, 40.0, 80.0, 160.0)
    assert box.padded(0.5) == Box(-5.0, -10.0, 55.0, 110.0)
    assert box.squared() == Box(-5.0, 20.0, 55.0, 80.0)
    assert Box(1.4, 1.6, 9.5, 11.2).as_ints() == IntBox(1, 2, 10, 11)


def test_a_box_outside_the_photo_is_clamped_to_nothing() -> None:
    assert Box(-50, -50, 20, 30).clamped(100, 100) == Box(0, 0, 20, 30)
    assert Box(120, 10, 150, 40).clamped(100, 100).area == 0


def test_overlap_is_measured_by_union() -> None:
    box = Box(0, 0, 10, 10)
    assert box.iou(box) == 1
    assert box.iou(Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert box.iou(Box(10, 0, 20, 10)) == 0
    assert box.iou(Box(20, 20, 30, 30)) == 0
    assert Box(0, 0, 0, 0).iou(Box(0, 0, 0, 0)) == 0


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_none_and_all(one: Box, other: Box) -> None:
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0 <= one.iou(other) <= 1 + 1e-9


@given(boxes, st.floats(1, 1e4), st.floats(1, 1e4))
def test_a_clamped_box_is_inside(box: Box, width: float, height: float) -> None:
    inside = box.clamped(width, height)
    assert 0 <= inside.left <= inside.right <= width
    assert 0 <= inside.top <= inside.bottom <= height
    assert inside.clamped(width, height) == inside


def turned(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """The mean face's landmarks turned by degrees, seen from far away, 40 px between the eyes at (200, 150)."""
    y, p, r = (math.radians(a) for a in (yaw, pitch, roll))
    about_y = np.array([[math.cos(y), 0, math.sin(y)], [0, 1, 0], [-math.sin(y), 0, math.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]])
    about_z = np.array([[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]])
    rotation = about_z @ about_x @ about_y
    points: NDArray[np.float64] = (_FRONTAL_FACE @ rotation.T)[:, :2] * 40 + (200, 150)
    return points


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(-170, 170))
def test_pose_is_recovered_from_a_turned_mean_face(yaw: float, pitch: float, roll: float) -> None:
    pose = estimate_pose(turned(yaw, pitch, roll))
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=1e-4)


def test_pose_has_the_signs_it_promises() -> None:
    frontal = turned(0, 0, 0)
    nose_right, nose_up, right_eye_low = frontal.copy(), frontal.copy(), frontal.copy()
    nose_right[2, 0] += 6
    nose_up[2, 1] -= 6
    right_eye_low[1, 1] += 6
    assert estimate_pose(nose_right).yaw > 5
    assert estimate_pose(nose_up).pitch > 5
    assert estimate_pose(right_eye_low).roll > 2


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(0.2, 50))
def test_pose_does_not_depend_on_place_or_size(x: float, y: float, factor: float) -> None:
    points = turned(20, -10, 5)
    pose, moved = estimate_pose(points), estimate_pose(points * factor + (x, y))
    assert (moved.yaw, moved.pitch, moved.roll) == pytest.approx((pose.yaw, pose.pitch, pose.roll), abs=1e-4)


def test_landmarks_without_extent_have_no_pose() -> None:
    pose = estimate_pose(np.zeros((5, 2), np.float32))
    assert (pose.yaw, pose.pitch, pose.roll) == (0, 0, 0)
    line = estimate_pose(np.array([[x, 0.0] for x in range(5)]))
    assert (line.yaw, line.pitch, line.roll) == (0, 0, 0)
