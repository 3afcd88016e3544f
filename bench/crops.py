"""Ways to cut a detected face for an embedder: by whose points, with how much around it, with or without the mirror image."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.detection import DetectedFace
from recognition.embedders import Embedder
from recognition.embedders._dlib_net import DlibNet
from recognition.embedders.dlib_resnet import DlibEmbedder, find_model_file
from recognition.geometry import Box
from recognition.vectors import normalize

Pixels = NDArray[np.uint8]
Vectors = NDArray[np.float32]
Cut = Callable[[Pixels, DetectedFace], Pixels]

_BATCH = 16
# Between the eyes is the origin and their distance the unit: MTCNN's five landmarks of an upright face (geometry.py), and
# where dlib's chip with a padding of 0.25 has the eyes.
_LANDMARKS = np.array([[-0.5, 0], [0.5, 0], [0, 0.545], [-0.434, 1.006], [0.434, 1.006]])
_CHIP_EYES, _CHIP_MIDDLE = 0.350, (0.494, 0.314)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way from a face to the net's input; `mirrored` takes the mean of the input and its mirror image."""

    name: str
    cut: Cut
    mirrored: bool


def list_ways(embedder: Embedder) -> list[Way]:
    """The way in use first."""
    if not isinstance(embedder, DlibEmbedder):
        # These nets have no mean and no mirror image of their own: only the crop is a choice.
        return [
            Way(name="in use", cut=embedder.cut_input, mirrored=False),
            *(_box_way(margin, embedder.input_size) for margin in (0.1, 0.2)),
            _landmark_way(1.0, embedder.input_size, mirrored=False),
        ]
    return [
        Way(name="in use: dlib's points, 0.25, mirrored", cut=embedder.cut_input, mirrored=True),
        Way(name="dlib's points, 0.25, not mirrored", cut=embedder.cut_input, mirrored=False),
        *(_chip_way(embedder, padding) for padding in (0.15, 0.35, 0.5)),
        _landmark_way(1.0, embedder.input_size, mirrored=True),
        *(_box_way(margin, embedder.input_size, mirrored=True) for margin in (0.0, 0.15, 0.3)),
    ]


def describe(embedder: Embedder, way: Way, inputs: Pixels, outside: Pixels) -> Vectors:
    if not isinstance(embedder, DlibEmbedder):
        return embedder.embed(inputs)
    mean = _describe_dlib(embedder, outside, mirrored=way.mirrored).mean(axis=0)
    return normalize(_describe_dlib(embedder, inputs, mirrored=way.mirrored) - mean)


def _describe_dlib(embedder: DlibEmbedder, inputs: Pixels, *, mirrored: bool) -> Vectors:
    if mirrored:
        return embedder.describe(inputs)
    parts = range(0, len(inputs), _BATCH)
    return np.concatenate([_plain_net().describe(inputs[start : start + _BATCH]) for start in parts])


@functools.cache
def _plain_net() -> DlibNet:
    return DlibNet(find_model_file("dlib_face_recognition_resnet_model_v1.dat"))


def _chip_way(embedder: DlibEmbedder, padding: float) -> Way:
    import dlib

    predictor = dlib.shape_predictor(str(find_model_file("shape_predictor_5_face_landmarks.dat")))

    def cut(rgb: Pixels, face: DetectedFace) -> Pixels:
        box = face.box.as_ints()
        shape = predictor(rgb, dlib.rectangle(box.left, box.top, box.right - 1, box.bottom - 1))
        return np.asarray(dlib.get_face_chip(rgb, shape, size=embedder.input_size, padding=padding))

    return Way(name=f"dlib's points, {padding:.2f}, mirrored", cut=cut, mirrored=True)


def _landmark_way(zoom: float, side: int, *, mirrored: bool) -> Way:
    """MTCNN's five landmarks onto a frontal face by the similarity transform with the least squared error."""
    target = _LANDMARKS * _CHIP_EYES * zoom * side + np.array(_CHIP_MIDDLE) * side

    def cut(rgb: Pixels, face: DetectedFace) -> Pixels:
        matrix = _similarity(target, face.landmarks.astype(np.float64))
        scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
        image = Image.fromarray(rgb)
        if scale > 1:
            # Averaged first: an affine transform only looks at the nearest pixels.
            image = image.resize(
                (round(image.width / scale), round(image.height / scale)), Image.Resampling.BOX
            )
            matrix = matrix / scale
        flat = tuple(float(x) for x in matrix.ravel())
        warped = image.transform((side, side), Image.Transform.AFFINE, flat, Image.Resampling.BICUBIC)
        return np.asarray(warped, dtype=np.uint8)

    return Way(name="MTCNN's landmarks" + (", mirrored" if mirrored else ""), cut=cut, mirrored=mirrored)


def _similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 2 x 3 matrix of rotation, scale and shift that maps source (n, 2) nearest to target (n, 2)."""
    x, y = source[:, 0], source[:, 1]
    one, zero = np.ones_like(x), np.zeros_like(x)
    rows = np.concatenate([np.stack([x, -y, one, zero], 1), np.stack([y, x, zero, one], 1)])
    a, b, dx, dy = np.linalg.lstsq(rows, np.concatenate([target[:, 0], target[:, 1]]), rcond=None)[0]
    return np.array([[a, -b, dx], [b, a, dy]])


def _box_way(margin: float, side: int, *, mirrored: bool = False) -> Way:
    def cut(rgb: Pixels, face: DetectedFace) -> Pixels:
        height, width = rgb.shape[:2]
        box: Box = face.box.padded(margin).clamped(width, height)
        region = (box.left, box.top, box.right, box.bottom)
        resized = Image.fromarray(rgb).resize((side, side), Image.Resampling.BILINEAR, box=region)
        return np.asarray(resized, dtype=np.uint8)

    name = f"the box and {margin:.0%}, not aligned" + (", mirrored" if mirrored else "")
    return Way(name=name, cut=cut, mirrored=mirrored)
