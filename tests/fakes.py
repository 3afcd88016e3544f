"""A detector and an embedder for drawn photos: a face is a square of one known color, a person is a color.

They stand where the real nets stand and answer in a millisecond; suites with the real ones are beside them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.detection import DetectedFace
from recognition.embedders import EmbedderChoice, EmbedderInfo, Thresholds, embedders
from recognition.geometry import Box

COLORS = {
    "red": (230, 20, 20),
    "green": (20, 230, 20),
    "blue": (20, 20, 230),
    "yellow": (230, 230, 20),
    "purple": (230, 20, 230),
    "cyan": (20, 230, 230),
}
EMBEDDER_ID = "drawn"
# To change to: another dimension, and other directions.
SECOND_ID = "drawn-second"
DIMENSION = 8
SECOND_DIMENSION = 12
SIDE = 60
CHOICE = EmbedderChoice(embedder_id=EMBEDDER_ID, reason="Tests draw their faces.")
THRESHOLDS = Thresholds(automatic=0.7, margin=0.1, suggest=0.4, strict=0.8)


def draw_photo(*faces: str, size: tuple[int, int] = (640, 360), shade: int = 128, salt: int = 0) -> bytes:
    """A PNG with one square per color name, side by side. `salt` makes other bytes of the same faces."""
    image = Image.new("RGB", size, (shade, shade, shade))
    pen = ImageDraw.Draw(image)
    for number, color in enumerate(faces):
        left = 20 + number * (SIDE + 20)
        pen.rectangle([left, 100, left + SIDE - 1, 100 + SIDE - 1], fill=COLORS[color])
    pen.point((salt % size[0], size[1] - 1), fill=(1, 2, 3))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class DrawnDetector:
    """Finds each known color's square."""

    detector_id = "drawn"

    def detect(self, rgb: NDArray[np.uint8]) -> list[DetectedFace]:
        found = []
        for color in COLORS.values():
            rows, columns = np.nonzero((rgb == np.array(color, dtype=np.uint8)).all(axis=2))
            if rows.size:
                box = Box(
                    float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
                )
                found.append(DetectedFace(box, _landmarks(box), 0.99))
        return found


class DrawnEmbedder:
    """The color of the middle pixel, spread over the dimensions; the same color gives the same vector."""

    embedder_id = EMBEDDER_ID
    name = EMBEDDER_ID
    dimension = DIMENSION
    input_size = 8
    thresholds = THRESHOLDS

    def cut_input(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        box = face.box.as_ints()
        color = rgb[(box.top + box.bottom) // 2, (box.left + box.right) // 2]
        return np.broadcast_to(color, (self.input_size, self.input_size, 3)).copy()

    def embed(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        return (
            np.stack([vector_of(tuple(int(c) for c in one[0, 0])) for one in inputs])
            if len(inputs)
            else np.empty((0, DIMENSION), dtype=np.float32)
        )


class SecondEmbedder(DrawnEmbedder):
    """The same colors in other dimensions, in another order. `confused` takes the first of these colors for the second."""

    embedder_id = SECOND_ID
    name = SECOND_ID
    dimension = SECOND_DIMENSION
    confused: tuple[str, str] | None = None

    def embed(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        vectors = np.zeros((len(inputs), SECOND_DIMENSION), dtype=np.float32)
        for row, first in zip(vectors, DrawnEmbedder.embed(self, inputs), strict=True):
            place = int(first.argmax())
            if self.confused and place == list(COLORS).index(self.confused[0]):
                place = list(COLORS).index(self.confused[1])
            row[SECOND_DIMENSION - 1 - place] = 1.0
        return vectors


def vector_of(color: str | Sequence[int]) -> NDArray[np.float32]:
    """The unit vector (8,) of a color name or of RGB; unknown colors are far from every known one."""
    rgb = COLORS[color] if isinstance(color, str) else tuple(color)
    vector = np.zeros(DIMENSION, dtype=np.float32)
    known = list(COLORS.values())
    vector[known.index(rgb) if rgb in known else DIMENSION - 1] = 1.0
    return vector


def install_fakes() -> None:
    """Put the drawn detector and embedder where the real ones stand, in this process."""
    from recognition import detection, ingest
    from recognition.embedders import registry

    if EMBEDDER_ID not in embedders.names():
        embedders.register(EMBEDDER_ID, describe=_describe)(lambda embedder_id: DrawnEmbedder())
        embedders.register(SECOND_ID, describe=_describe_second)(lambda embedder_id: SecondEmbedder())
    registry.reset_embedders()
    detector = DrawnDetector()
    for module in (detection, ingest):
        setattr(module, "get_detector", lambda: detector)  # noqa: B010 - a name that the module imported


def _describe(embedder_id: str) -> EmbedderInfo | None:
    if embedder_id != EMBEDDER_ID:
        return None
    return EmbedderInfo(
        embedder_id=EMBEDDER_ID,
        name=EMBEDDER_ID,
        dimension=DIMENSION,
        input_size=DrawnEmbedder.input_size,
        shipped=THRESHOLDS,
    )


def _describe_second(embedder_id: str) -> EmbedderInfo | None:
    if embedder_id != SECOND_ID:
        return None
    return EmbedderInfo(
        embedder_id=SECOND_ID,
        name=SECOND_ID,
        dimension=SECOND_DIMENSION,
        input_size=SecondEmbedder.input_size,
        shipped=THRESHOLDS,
    )


def _landmarks(box: Box) -> NDArray[np.float32]:
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], dtype=np.float32)
    return shares * np.array([box.width, box.height], dtype=np.float32) + np.array(
        [box.left, box.top], dtype=np.float32
    )
