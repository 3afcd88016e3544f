"""Find the faces of a photo with facenet-pytorch's MTCNN, and cut crops for people to look at.

The only importer of torch, torchvision and facenet_pytorch besides the embedders, and only inside functions.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition._mtcnn import Cascade
from recognition._torchvision import load_torchvision
from recognition.geometry import Box
from recognition.images import shrink
from recognition.quality import STORE

# Long side in pixels at which faces are looked for, and MTCNN's smallest window there. MTCNN finds
# boxes down to half that window: in a 24 MP photo these two find faces from 40 px wide.
WORKING_SIDE = 1600
MIN_FACE_SIZE = 20


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face in oriented full-size pixels; landmarks (5, 2): left eye, right eye, nose, left mouth, right
    mouth.

    Left and right as seen in the picture. `score` is the detector's own probability, 0..1.
    """

    box: Box
    landmarks: NDArray[np.float32]
    score: float


class FaceDetector:
    """MTCNN at a bounded size. `detect` may be called from several threads."""

    def __init__(
        self,
        *,
        working_side: int = WORKING_SIDE,
        min_face_size: int = MIN_FACE_SIZE,
        min_score: float = STORE.detector_score,
        smallest: float = STORE.size,
    ) -> None:
        load_torchvision()
        # What found the faces of a photo: whatever finds others has another id.
        self.detector_id = f"mtcnn-{working_side}-{min_face_size}-{min_score:g}-{smallest:g}"
        self._cascade = Cascade()
        self._working_side = working_side
        self._min_face_size = min_face_size
        self._min_score = min_score
        self._smallest = smallest

    def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
        """The faces of oriented pixels (h, w, 3), largest first; boxes are clamped to the photo."""
        height, width = rgb.shape[:2]
        small = shrink(rgb, self._working_side)
        found = self._cascade.find(small, self._min_face_size)
        # The two sides are rounded apart, so each axis has its own factor.
        factor = np.array([width / small.shape[1], height / small.shape[0]])
        faces = []
        for corners, score, five in zip(found.boxes, found.scores, found.landmarks, strict=True):
            if score < self._min_score:
                continue
            left, top, right, bottom = (corners.reshape(2, 2) * factor).ravel().tolist()
            box = Box(left, top, right, bottom).clamped(width, height)
            if min(box.width, box.height) >= self._smallest:
                faces.append(DetectedFace(box, (five * factor).astype(np.float32), float(score)))
        return sorted(faces, key=lambda face: (-face.box.area, face.box.top, face.box.left))


_lock = threading.Lock()
_detector: FaceDetector | None = None


def get_detector() -> FaceDetector:
    """The process's detector, loaded on first use (about 3 s, torch included)."""
    global _detector
    if _detector is None:
        with _lock:
            if _detector is None:
                _detector = FaceDetector()
    return _detector


def reset_detector() -> None:
    """Forget the process's detector, for tests."""
    global _detector
    with _lock:
        _detector = None


def cut_crop(rgb: NDArray[np.uint8], box: Box, *, margin: float = 0.35, side: int = 256) -> NDArray[np.uint8]:
    """A square of the full-size pixels (h, w, 3) around a face, at most `side` pixels, for people to look at.

    `margin` is a share of the box on every side. At the photo's edge the square moves inwards, and it
    shrinks to the photo's shorter side if it must; pixels are never made up.
    """
    height, width = rgb.shape[:2]
    square = box.padded(margin).squared()
    length = max(1, min(round(square.width), width, height))
    left = min(max(round((square.left + square.right - length) / 2), 0), width - length)
    top = min(max(round((square.top + square.bottom - length) / 2), 0), height - length)
    return np.ascontiguousarray(shrink(rgb[top : top + length, left : left + length], side))
