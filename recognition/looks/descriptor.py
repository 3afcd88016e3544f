"""What a picture looks like as 578 numbers: 66 of the pose, 512 of the colors. Pixels in, numbers out.

Stored unweighted: how much each part counts is a matter of the search. A picture and its mirror image are looked at for
a pose, and what both say is averaged: then a mirrored photo says the same, mirrored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recognition.geometry import Box
from recognition.images import shrink
from recognition.looks.colors import COLORS, LONG_SIDE, describe_colors
from recognition.looks.poses import (
    NOSE,
    POSE,
    Pose,
    agree,
    average_numbers,
    describe_pose,
    mirror_numbers,
    mirror_pose,
)

LOOK = POSE + COLORS
# Part of the descriptor_id: another way to make these numbers is another descriptor.
VERSION = "look1"
# The net itself looks at 256 pixels; a smaller body than this leaves in view is found in its own region.
_POSE_SIDE = 640
_BRIGHTEST, _MAX_GAIN = 245.0, 6.0

FindPoses = Callable[[NDArray[np.uint8]], Sequence[Pose]]


def describe_picture(
    rgb: NDArray[np.uint8], find_poses: FindPoses | None, *, face: Box | None = None
) -> NDArray[np.float32]:
    """The look (578,) of a picture (h, w, 3): of its largest body, or of that which is nearest to the face."""
    found = np.zeros(LOOK, dtype=np.float32)
    if find_poses is not None:
        found[:POSE] = _describe_body(rgb, find_poses, face)
    found[POSE:] = describe_colors(shrink(rgb, LONG_SIDE))
    return found


def mirror_look(look: NDArray[np.float32]) -> NDArray[np.float32]:
    """The look of the picture mirrored; any number of rows (..., 578). Colors know no left and right."""
    mirrored = look.copy()
    mirrored[..., :POSE] = mirror_numbers(look[..., :POSE])
    return mirrored


def has_pose(look: NDArray[np.float32]) -> bool:
    return bool(look[:POSE].any())


def person_region(face: Box, width: int, height: int) -> Box:
    """Where the person of a face is, in a picture of that size: three faces wide, seven high, from above the head."""
    middle = (face.left + face.right) / 2
    return Box(
        max(0.0, middle - 1.5 * face.width),
        max(0.0, face.top - 0.5 * face.height),
        min(float(width), middle + 1.5 * face.width),
        min(float(height), face.top + 6.5 * face.height),
    )


def _describe_body(rgb: NDArray[np.uint8], find_poses: FindPoses, face: Box | None) -> NDArray[np.float32]:
    small = _lighten(shrink(rgb, _POSE_SIDE))
    width = small.shape[1]
    scale = width / rgb.shape[1]
    mirrored = [mirror_pose(pose, width) for pose in find_poses(np.ascontiguousarray(small[:, ::-1]))]
    bodies = agree(list(find_poses(small)), mirrored)
    if face is not None:
        middle = np.array([(face.left + face.right) / 2, (face.top + face.bottom) / 2]) * scale
        reach = face.width * scale
        bodies = [pair for pair in bodies if np.linalg.norm(pair[0].joints[NOSE] - middle) <= reach]
    if not bodies:
        return np.zeros(POSE, dtype=np.float32)
    one, other = max(bodies, key=lambda pair: pair[0].size)
    size = (width, small.shape[0])
    return average_numbers(describe_pose(one, size), describe_pose(other, size))


def _lighten(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As bright as it can be without losing its lights: a darker copy of a picture shows the net the same."""
    brightest = max(float(np.percentile(rgb.max(axis=2), 99)), 1.0)
    gain = min(_BRIGHTEST / brightest, _MAX_GAIN)
    lighter: NDArray[np.uint8] = np.clip(np.rint(rgb.astype(np.float32) * gain), 0, 255).astype(np.uint8)
    return lighter
