"""Boxes, landmarks and head pose, in oriented photo pixels: x to the right, y down."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Where MTCNN puts the five landmarks of an upright frontal face, in units of the distance between the eyes,
# from the middle between the eyes. x and y are the medians over 480 research portraits of 48 people (LFW,
# ORL); z, towards the camera, is mean adult anthropometry: 63 mm between the pupils, the tip of the nose 27
# mm before them, the corners of the mouth 2 mm behind.
_FRONTAL_FACE = np.array(
    [
        [-0.5, 0.0, 0.0],
        [0.5, 0.0, 0.0],
        [0.0, 0.545, 0.43],
        [-0.434, 1.006, -0.03],
        [0.434, 1.006, -0.03],
    ]
)


class IntBox(NamedTuple):
    """Whole pixels; `right` and `bottom` are exclusive, as in slices."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; `right` and `bottom` are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    def scaled(self, factor: float) -> Box:
        """The same region of the photo resized by `factor`."""
        return Box(self.left * factor, self.top * factor, self.right * factor, self.bottom * factor)

    def clamped(self, width: float, height: float) -> Box:
        """The part inside a photo of that size; its area is 0 if there is none."""
        left, right = (min(max(x, 0.0), width) for x in (self.left, self.right))
        top, bottom = (min(max(y, 0.0), height) for y in (self.top, self.bottom))
        return Box(left, top, right, bottom)

    def padded(self, share: float) -> Box:
        """Grown on every side by a share of its own width and height."""
        dx, dy = self.width * share, self.height * share
        return Box(self.left - dx, self.top - dy, self.right + dx, self.bottom + dy)

    def squared(self) -> Box:
        """The smallest square around it, with the same centre."""
        half = max(self.width, self.height) / 2
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        return Box(x - half, y - half, x + half, y + half)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        common = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )
        shared = common.area if common.width > 0 and common.height > 0 else 0.0
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

    def as_ints(self) -> IntBox:
        """The nearest whole pixels."""
        return IntBox(round(self.left), round(self.top), round(self.right), round(self.bottom))


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees. Yaw > 0: turned to the picture's right; pitch > 0: looking up; roll > 0: turned clockwise."""

    yaw: float
    pitch: float
    roll: float


def estimate_pose(landmarks: NDArray[np.floating]) -> Pose:
    """Head pose by five landmarks (5, 2): left eye, right eye, nose, left mouth, right mouth, as seen.

    A scaled orthographic fit of a mean face (the linear step of POS: DeMenthon and Davis, "Model-based object
    pose in 25 lines of code", IJCV 1995): the 2x3 matrix that maps the centered model to the centered
    landmarks by least squares, made orthonormal, is the upper two rows of the rotation. Five points of one
    mean face carry about 5 to 10 degrees of error; landmarks that coincide give 0, 0, 0.
    """
    model = _FRONTAL_FACE - _FRONTAL_FACE.mean(axis=0)
    points = np.asarray(landmarks, dtype=np.float64)
    points = points - points.mean(axis=0)
    affine = points.T @ np.linalg.pinv(model.T)
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine) < 2:
        return Pose(0.0, 0.0, 0.0)
    u, _, vt = np.linalg.svd(affine, full_matrices=False)
    upper = u @ vt
    rows = np.vstack([upper, np.cross(upper[0], upper[1])])
    # The rotation read as roll after pitch after yaw.
    pitch = math.asin(float(np.clip(rows[2, 1], -1, 1)))
    yaw = math.atan2(-float(rows[2, 0]), float(rows[2, 2]))
    roll = math.atan2(-float(rows[0, 1]), float(rows[1, 1]))
    return Pose(math.degrees(yaw), math.degrees(pitch), math.degrees(roll))
