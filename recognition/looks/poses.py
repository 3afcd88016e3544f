"""The pose of a body as 66 numbers: 33 joints, where each is from the shoulders, whatever the size and place.

Pure. The joints are those of MediaPipe's pose landmarker, in its order. A joint that is not seen is at the middle and
says nothing; a body of which little is seen says little. No pose at all is 66 zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

JOINTS = 33
POSE = 2 * JOINTS
NOSE, LEFT_SHOULDER, RIGHT_SHOULDER = 0, 11, 12
_FIRST_OF_BODY = 11
# The same joint of the other side, by MediaPipe's order.
_OTHER_SIDE = np.array(
    [0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9]
    + [joint + 1 if joint % 2 else joint - 1 for joint in range(11, JOINTS)],
    dtype=np.int64,
)
# How surely a joint must be seen to say something, and to say all of it.
_UNSEEN, _SEEN = 0.2, 0.7
# Of the picture's shorter side: over so much a joint goes from within to without.
_EDGE = 0.1
# From this squared distance on two looks at the same body say nothing together.
_DISAGREE = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One body: `joints` (33, 2) in pixels of the picture, `seen` (33,) how surely each is in view, 0..1."""

    joints: NDArray[np.float64]
    seen: NDArray[np.float64]

    @property
    def shoulders(self) -> NDArray[np.float64]:
        """Their middle (x, y)."""
        middle: NDArray[np.float64] = self.joints[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean(axis=0)
        return middle

    @property
    def size(self) -> float:
        """Of the joints in view, from corner to corner, in pixels."""
        visible = self.joints[self.seen > _UNSEEN]
        if len(visible) < 2:
            return 0.0
        return float(np.linalg.norm(visible.max(axis=0) - visible.min(axis=0)))


def mirror_pose(pose: Pose, width: int) -> Pose:
    """The same body in the picture mirrored: its left side is its right one there."""
    joints = pose.joints[_OTHER_SIDE].copy()
    joints[:, 0] = width - joints[:, 0]
    return Pose(joints, pose.seen[_OTHER_SIDE])


def describe_pose(pose: Pose | None, size: tuple[int, int]) -> NDArray[np.float32]:
    """66 numbers, x and y in turns, of length 1 for a body that is wholly in a picture of this size (width, height) and in
    view, less where less of it is, and none where the shoulders are not."""
    if pose is None:
        return np.zeros(POSE, dtype=np.float32)
    weights = _weigh(pose, size)
    offsets = (pose.joints - pose.shoulders) * weights[:, None]
    length = float(np.linalg.norm(offsets))
    if not np.isfinite(length) or length < 1e-6:
        return np.zeros(POSE, dtype=np.float32)
    # Of a head alone the net knows eleven joints, and guesses the others anew each time.
    sure = float(np.sqrt(weights[_FIRST_OF_BODY:].mean()) * weights[[LEFT_SHOULDER, RIGHT_SHOULDER]].mean())
    found: NDArray[np.float32] = (sure * offsets / length).ravel().astype(np.float32)
    return found


def average_numbers(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """What two looks at the same body say together: the less they agree, the less; nothing if one of them saw none."""
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if min(lengths) < 1e-6:
        return np.zeros(POSE, dtype=np.float32)
    apart = float(((one / lengths[0] - other / lengths[1]) ** 2).sum())
    both: NDArray[np.float32] = ((one + other) / 2 * max(0.0, 1 - apart / _DISAGREE)).astype(np.float32)
    return both


def _weigh(pose: Pose, size: tuple[int, int]) -> NDArray[np.float64]:
    """How much each joint says, 0..1: the net also guesses those that lie outside of the picture."""
    width, height = size
    x, y = pose.joints.T
    inside = np.minimum(np.minimum(x, width - x), np.minimum(y, height - y)) / (_EDGE * min(width, height))
    in_view = (pose.seen - _UNSEEN) / (_SEEN - _UNSEEN)
    weights: NDArray[np.float64] = np.clip(in_view, 0, 1) * np.clip(0.5 + inside, 0, 1)
    return weights


def mirror_numbers(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Those 66 numbers of the picture mirrored; any number of rows (..., 66)."""
    joints = numbers.reshape(*numbers.shape[:-1], JOINTS, 2)[..., _OTHER_SIDE, :]
    mirrored: NDArray[np.float32] = (joints * np.array([-1, 1], dtype=np.float32)).reshape(numbers.shape)
    return mirrored


def agree(first: Sequence[Pose], second: Sequence[Pose]) -> list[tuple[Pose, Pose | None]]:
    """Bodies that two looks at the same picture found, each once: with its likeness of the other look, or none."""
    left = list(second)
    pairs: list[tuple[Pose, Pose | None]] = []
    for pose in sorted(first, key=lambda one: -one.size):
        reach = 0.25 * max(pose.size, 1.0)
        near = [
            (float(np.linalg.norm(other.shoulders - pose.shoulders)), place)
            for place, other in enumerate(left)
        ]
        distance, place = min(near, default=(np.inf, -1))
        pairs.append((pose, left.pop(place)) if distance <= reach else (pose, None))
    return pairs + [(pose, None) for pose in left]
