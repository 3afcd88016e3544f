"""MediaPipe's pose landmarker, an optional extra: the only importer of it, in workers and commands alone."""

from __future__ import annotations

import atexit
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.looks.poses import JOINTS, Pose

MAX_POSES = 4


class PoseUnavailable(RuntimeError):
    """Poses are asked for and cannot be found; the message says what to do."""


class PoseFinder:
    """The net of one model file. Safe to use from several threads; one picture at a time."""

    def __init__(self, model: Path) -> None:
        self._landmarker, self._to_image = _load(model)
        self._lock = threading.Lock()
        # Closing takes threads, and at the interpreter's end there are none: the system takes everything back anyway.
        atexit.register(setattr, self._landmarker, "_handle", None)

    def find(self, rgb: NDArray[np.uint8]) -> list[Pose]:
        """The bodies of a picture (h, w, 3), MAX_POSES at most, joints in its pixels."""
        height, width = rgb.shape[:2]
        with self._lock:
            found = self._landmarker.detect(self._to_image(np.ascontiguousarray(rgb)))
        return [
            Pose(
                np.array([[joint.x * width, joint.y * height] for joint in body], dtype=np.float64),
                np.array([joint.visibility or 0.0 for joint in body], dtype=np.float64),
            )
            for body in found.pose_landmarks
            if len(body) == JOINTS
        ]


def _load(model: Path) -> tuple[Any, Any]:
    try:
        import mediapipe
        from mediapipe.tasks.python import vision
        from mediapipe.tasks.python.core.base_options import BaseOptions
    except (ImportError, OSError) as error:
        raise PoseUnavailable(
            f"MediaPipe cannot be used ({error}). Run pip install -r requirements-pose.txt, or leave "
            "FACEVAULT_POSE_MODEL empty to search by color alone."
        ) from error
    try:
        landmarker = vision.PoseLandmarker.create_from_options(
            vision.PoseLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(model)), num_poses=MAX_POSES
            )
        )
    except (OSError, RuntimeError, ValueError) as error:
        raise PoseUnavailable(
            f"The pose model {model.name} cannot be used ({error}). Set FACEVAULT_POSE_MODEL to a .task file of MediaPipe's "
            "pose landmarker."
        ) from error

    def to_image(rgb: NDArray[np.uint8]) -> Any:
        return mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=rgb)

    return landmarker, to_image
