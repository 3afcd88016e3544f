"""An embedder_id stands for all that is between a photo and its vectors: whoever changes that changes the id.

The fingerprint of an id is what becomes of one drawn face: the net's input, made small and grey, and the first numbers of
its vector, in units of their mean. Where the weights are not on every machine, the vector is that of a net that hands its
input through, so it stands for the scaling before and the normalization after.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognition.detection import DetectedFace
from recognition.embedders import Embedder, dinov3, dlib_resnet, facenet
from recognition.geometry import Box

FINGERPRINTS: dict[str, tuple[list[list[int]], list[float]]] = {
    "dlib-resnet-c1": (
        [
            [122, 172, 178, 180, 178, 154],
            [143, 146, 156, 155, 143, 164],
            [153, 177, 175, 175, 177, 168],
            [148, 180, 173, 174, 180, 166],
            [131, 178, 127, 133, 179, 158],
            [122, 151, 179, 178, 161, 156],
        ],
        [-0.467, 0.762, -1.094, -0.759, 0.806, 0.52, -2.254, 0.756],
    ),
    "facenet-vggface2": (
        [
            [144, 180, 180, 180, 180, 163],
            [171, 127, 165, 168, 126, 173],
            [180, 164, 179, 178, 163, 180],
            [180, 180, 172, 171, 180, 180],
            [164, 173, 133, 132, 171, 174],
            [130, 169, 172, 171, 174, 156],
        ],
        [-0.289, -0.289, -0.289, -0.275, -0.275, -0.275, -0.261, -0.261],
    ),
    "dinov3-vitb16": (
        [
            [113, 137, 178, 179, 157, 154],
            [114, 162, 159, 160, 165, 155],
            [120, 180, 164, 165, 178, 160],
            [119, 179, 175, 174, 180, 159],
            [117, 162, 146, 144, 172, 158],
            [118, 129, 160, 165, 153, 159],
        ],
        [-0.701, -0.68, -0.68, -0.68, -0.66, -0.66, -0.66, -0.639],
    ),
}
FACE = DetectedFace(
    Box(98, 76, 202, 206),
    np.array([[127, 118], [173, 118], [150, 152], [132, 179], [168, 179]], np.float32),
    1.0,
)


def draw_face() -> NDArray[np.uint8]:
    across, down = np.linspace(40, 200, 300)[None, :], np.linspace(0, 50, 260)[:, None]
    shades = [across + down, across * 0.6 + 60 + 0 * down, 220 - across * 0.5 - down]
    image = Image.fromarray(np.stack(shades, axis=2).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    pen.ellipse([95, 60, 205, 210], fill=(214, 170, 140))
    for x in (127, 173):
        pen.ellipse([x - 11, 112, x + 11, 124], fill=(250, 250, 250))
        pen.ellipse([x - 6, 112, x + 6, 124], fill=(40, 30, 25))
        pen.rectangle([x - 14, 100, x + 14, 104], fill=(60, 40, 30))
    pen.polygon([(150, 120), (141, 156), (159, 156)], fill=(190, 140, 110))
    pen.ellipse([128, 172, 172, 186], fill=(160, 60, 60))
    return np.array(image)


def dlib_embedder() -> Embedder:
    return dlib_resnet.DlibEmbedder()


def facenet_embedder() -> Embedder:
    embedder: Any = object.__new__(facenet.FaceNetEmbedder)
    embedder.embedder_id, embedder._device = facenet.NAME, "cpu"
    embedder._net = lambda pixels: pixels.flatten(1)[:, : facenet.DIMENSION]
    found: Embedder = embedder
    return found


def dinov3_embedder() -> Embedder:
    embedder: Any = object.__new__(dinov3.Dinov3Embedder)
    embedder.embedder_id, embedder._device, embedder.dimension = dinov3.NAME, "cpu", dinov3.DIMENSION
    # What the published preprocessor names.
    embedder._mean, embedder._std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    embedder._net = lambda pixel_values: types.SimpleNamespace(
        pooler_output=pixel_values.flatten(1)[:, : dinov3.DIMENSION]
    )
    found: Embedder = embedder
    return found


def take_fingerprint(embedder: Embedder) -> tuple[list[list[int]], list[float]]:
    given = embedder.cut_input(draw_face(), FACE)
    small = Image.fromarray(given).convert("L").resize((6, 6), Image.Resampling.BOX)
    vector = embedder.embed(given[None])[0]
    numbers = vector[:8] * np.sqrt(len(vector))
    return np.asarray(small).tolist(), [round(float(number), 3) for number in numbers]


def is_same(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Alike up to what another processor rounds."""
    return np.allclose(one[0], other[0], atol=3) and np.allclose(one[1], other[1], atol=0.05)


@pytest.mark.parametrize("create", [dlib_embedder, facenet_embedder, dinov3_embedder])
def test_an_embedder_id_is_tied_to_crop_alignment_and_normalization(create: Callable[[], Embedder]) -> None:
    embedder = create()
    known, found = FINGERPRINTS.get(embedder.embedder_id), take_fingerprint(embedder)
    assert known is not None and is_same(found, known), (  # noqa: PT018 - one sentence for both
        f"What {embedder.embedder_id} makes of a face is not what its stored vectors were made with: the crop, margin, "
        "alignment, mirror image, mean or normalization has changed. Vectors of before and after must not be compared: "
        "give the embedder a new embedder_id, measure its thresholds anew (bench/, docs/quality.md), and store this "
        f"fingerprint under the new id: {found}"
    )


@pytest.mark.parametrize("padding", [0.15, 0.35])
def test_another_margin_is_another_fingerprint(monkeypatch: pytest.MonkeyPatch, padding: float) -> None:
    monkeypatch.setattr(dlib_resnet, "_CHIP_PADDING", padding)
    embedder = dlib_resnet.DlibEmbedder()
    assert not is_same(take_fingerprint(embedder), FINGERPRINTS[embedder.embedder_id])


def test_vectors_without_the_mirror_image_are_another_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = dlib_resnet.DlibEmbedder()
    monkeypatch.setattr(embedder, "describe", embedder._net.describe)
    assert not is_same(take_fingerprint(embedder), FINGERPRINTS[embedder.embedder_id])
