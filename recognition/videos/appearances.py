"""What is seen of faces in the frames of a video, and what is made of it: appearances. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.geometry import Box, estimate_pose
from recognition.quality import REFERENCE, face_priority

# From so sharp on a sharper crop is no better.
_SHARP_ENOUGH = 80.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenFace:
    """A face in one frame, in the frame's pixels; landmarks (5, 2), `vector` a unit vector (dimension,)."""

    box: Box
    landmarks: NDArray[np.float32]
    score: float
    sharpness: float
    vector: NDArray[np.float32]

    @property
    def size(self) -> float:
        return min(self.box.width, self.box.height)

    @property
    def worth(self) -> float:
        """How good a crop it makes: large, sharp, sure and turned to the camera."""
        priority = face_priority(self.size, self.score, estimate_pose(self.landmarks).yaw)
        return priority * (0.4 + 0.6 * min(self.sharpness, _SHARP_ENOUGH) / _SHARP_ENOUGH)

    @property
    def is_good(self) -> bool:
        return REFERENCE.takes(self.size, self.score, self.sharpness)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenFrame:
    """A frame that was looked at: its number among the recording's, its milliseconds from the beginning."""

    number: int
    at_ms: int
    faces: Sequence[SeenFace]


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Lines on the similarity of two faces, those of the embedder: from `same` on surely one, below `other` surely two.

    From `alike` on they are one if nothing speaks against it.
    """

    same: float
    alike: float
    other: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Appearance:
    """One face from its first to its last frame. `frames` counts those that show it, `best` is its best crop, of frame `number`."""

    best: SeenFace
    number: int
    at_ms: int
    first_ms: int
    last_ms: int
    frames: int

    def overlaps(self, other: Appearance) -> bool:
        """Whether both are there at one time: then they are two people."""
        return self.first_ms <= other.last_ms and other.first_ms <= self.last_ms


def is_worth_an_entry(appearance: Appearance) -> bool:
    """Whether somebody should be asked about it: what is seen in a single frame must be a good face, not a pattern in a wall."""
    return appearance.frames > 1 or appearance.best.is_good
