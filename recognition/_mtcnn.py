"""MTCNN's cascade around facenet-pytorch's three nets: the published algorithm, two to three times as fast.

Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional networks" (2016),
with the thresholds and roundings of facenet_pytorch.models.utils.detect_face. What differs: pixels stay
bytes and are averaged by Pillow, and a candidate that lies outside the photo is dropped, where the original
loses count of its candidates and fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition._torchvision import suppress_overlaps

_Floats = NDArray[np.float64]

_STAGE_THRESHOLDS = (0.6, 0.7, 0.7)
_PYRAMID_FACTOR = 0.709
_WINDOW = 12  # pixels that PNet sees
_STRIDE = 2
# RNet and ONet: 512 candidates of 48 x 48 take 60 MB in float32.
_BATCH = 512


class RawFaces(NamedTuple):
    """Boxes (n, 4) as left, top, right, bottom; scores (n,); landmarks (n, 5, 2); in pixels."""

    boxes: _Floats
    scores: _Floats
    landmarks: _Floats


class Cascade:
    """The three nets with their packaged weights, on the GPU if there is one."""

    def __init__(self) -> None:
        import torch
        from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._propose, self._refine, self._output = (
            net().eval().to(self._device).requires_grad_(requires_grad=False) for net in (PNet, RNet, ONet)
        )

    def find(self, rgb: NDArray[np.uint8], min_face_size: int) -> RawFaces:
        """All faces of pixels (h, w, 3), best first; may be called from several threads."""
        image = Image.fromarray(rgb)
        boxes = _as_squares(self._find_candidates(image, min_face_size))
        boxes = self._refine_candidates(image, boxes)
        return self._find_landmarks(image, boxes)

    def _find_candidates(self, image: Image.Image, min_face_size: int) -> _Floats:
        """Stage one: PNet over the whole pyramid; boxes (n, 4)."""
        found = [np.empty((0, 9))]
        for scale, level in _pyramid(image, min_face_size):
            shift, probability = self._run(self._propose, np.array(level)[None])
            rows, columns = np.nonzero(probability[0, 1] >= _STAGE_THRESHOLDS[0])
            corner = np.stack([columns, rows], axis=1) * _STRIDE + 1
            boxes = np.hstack([np.floor(corner / scale), np.floor((corner + _WINDOW - 1) / scale)])
            scores = probability[0, 1, rows, columns]
            keep = suppress_overlaps(boxes, scores, 0.5)
            found.append(np.hstack([boxes, scores[:, None], shift[0, :, rows, columns]])[keep])
        candidates = np.concatenate(found)
        candidates = candidates[suppress_overlaps(candidates, candidates[:, 4], 0.7)]
        boxes, shift = candidates[:, :4], candidates[:, 5:]
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        return boxes + shift * sides

    def _refine_candidates(self, image: Image.Image, boxes: _Floats) -> _Floats:
        """Stage two: RNet on each candidate; square boxes (n, 4)."""
        boxes, crops = _cut(image, boxes, 24)
        if not len(boxes):
            return boxes
        shift, probability = self._run(self._refine, crops)
        passed = probability[:, 1] > _STAGE_THRESHOLDS[1]
        boxes, shift, scores = boxes[passed], shift[passed], probability[passed, 1]
        keep = suppress_overlaps(boxes, scores, 0.7)
        return _as_squares(_shifted(boxes[keep], shift[keep]))

    def _find_landmarks(self, image: Image.Image, boxes: _Floats) -> RawFaces:
        """Stage three: ONet on each candidate."""
        boxes, crops = _cut(image, boxes, 48)
        if not len(boxes):
            return RawFaces(boxes, np.empty(0), np.empty((0, 5, 2)))
        shift, points, probability = self._run(self._output, crops)
        passed = probability[:, 1] > _STAGE_THRESHOLDS[2]
        boxes, shift, points, scores = boxes[passed], shift[passed], points[passed], probability[passed, 1]
        # Five x, then five y, as shares of the box.
        shares = points.reshape(-1, 2, 5).transpose(0, 2, 1)
        landmarks = shares * _sides(boxes)[:, None] + boxes[:, None, :2] - 1
        boxes = _shifted(boxes, shift)
        keep = _suppress_nested(boxes, scores, 0.7)
        return RawFaces(boxes[keep], scores[keep], landmarks[keep])

    def _run(self, net: Any, pixels: NDArray[np.uint8]) -> list[_Floats]:
        """A net's outputs for pixels (n, h, w, 3), in the net's own order."""
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(pixels), _BATCH):
                batch = torch.from_numpy(pixels[start : start + _BATCH]).to(self._device)
                scaled = (batch.permute(0, 3, 1, 2).float() - 127.5) / 128
                parts.append([output.cpu().numpy().astype(np.float64) for output in net(scaled)])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


def _pyramid(image: Image.Image, min_face_size: int) -> Iterator[tuple[float, Image.Image]]:
    """Scales and images, each 0.709 of the one before, until the shorter side is below PNet's window."""
    scale = _WINDOW / min_face_size
    levels = [image]
    while min(image.size) * scale >= _WINDOW:
        size = (int(image.width * scale + 1), int(image.height * scale + 1))
        # From two levels up: a quarter of the pixels to read, and hardly softer than from the photo itself.
        levels.append(levels[max(0, len(levels) - 2)].resize(size, Image.Resampling.BOX))
        yield scale, levels[-1]
        scale *= _PYRAMID_FACTOR


def _cut(image: Image.Image, boxes: _Floats, side: int) -> tuple[_Floats, NDArray[np.uint8]]:
    """The boxes that overlap the photo, and their pixels (n, side, side, 3)."""
    whole = np.trunc(boxes).astype(int)
    left, top = np.maximum(whole[:, 0], 1) - 1, np.maximum(whole[:, 1], 1) - 1
    right, bottom = np.minimum(whole[:, 2], image.width), np.minimum(whole[:, 3], image.height)
    inside = np.flatnonzero((right > left) & (bottom > top))
    crops = np.empty((len(inside), side, side, 3), dtype=np.uint8)
    for place, k in enumerate(inside):
        region = (int(left[k]), int(top[k]), int(right[k]), int(bottom[k]))
        crops[place] = np.asarray(image.resize((side, side), Image.Resampling.BOX, box=region))
    return boxes[inside], crops


def _sides(boxes: _Floats) -> _Floats:
    """Widths and heights (n, 2), counted inclusively as the nets were trained."""
    return boxes[:, 2:] - boxes[:, :2] + 1


def _shifted(boxes: _Floats, shift: _Floats) -> _Floats:
    """Boxes moved by a net's regression, in shares of their sides."""
    return boxes + shift * np.tile(_sides(boxes), 2)


def _as_squares(boxes: _Floats) -> _Floats:
    """The smallest squares around the boxes, with the same centres."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longest = sides.max(axis=1, keepdims=True)
    corner = boxes[:, :2] + sides / 2 - longest / 2
    return np.hstack([corner, corner + longest])


def _suppress_nested(boxes: _Floats, scores: _Floats, limit: float) -> NDArray[np.int64]:
    """Indices kept, by falling score: no box shares more than `limit` of the smaller one with a better box."""
    areas = _sides(boxes).prod(axis=1)
    order = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(int(best))
        overlap = (
            np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2]) + 1
        )
        shared = np.clip(overlap, 0, None).prod(axis=1)
        order = rest[shared <= limit * np.minimum(areas[best], areas[rest])]
    return np.array(keep, dtype=np.int64)
