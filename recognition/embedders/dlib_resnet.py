"""dlib's face ResNet, 128-D: the bundled embedder, which needs no download.

The net was trained for the Euclidean distance, and its vectors lie in one narrow cone: the cosine of the same
person is 0.97 and of different people 0.85. Subtracting a mean before normalizing opens the cone (0.84 and
0.13), so that the numbers on a page can be told apart, and separates people as well or better. The mean is
part of the embedder_id. scripts/fit_dlib_mean.py fitted it on 59 faces of about 28 people, none of whom is
among the 48 who judged it.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from recognition.embedders._dlib_net import DlibNet
from recognition.embedders.base import EmbedderInfo, Thresholds, check_inputs
from recognition.embedders.registry import embedders
from recognition.vectors import normalize

if TYPE_CHECKING:
    from recognition.detection import DetectedFace

NAME = "dlib-resnet"
EMBEDDER_ID = "dlib-resnet-c1"
DIMENSION = 128
INPUT_SIZE = 150
MEAN_FILE = Path(__file__).with_name("dlib_mean.npy")
# Fitted with the mean, on the same outside people: different ones are at 0.02 ± 0.15, and 4.5 deviations above
# is 0.70; a person is worth showing from 3 deviations. Judged on 960 faces of 48 other people in event photos
# (38 known by two references each, drawn 100 times): 96.2 % of the known faces are named, all of them right, and no
# stranger.
THRESHOLDS = Thresholds(automatic=0.70, margin=0.05, suggest=0.50, strict=0.76)

_CHIP_PADDING = 0.25  # what dlib's net was trained with
_BATCH = 16


def describe_dlib(embedder_id: str) -> EmbedderInfo | None:
    if embedder_id != EMBEDDER_ID:
        return None
    return EmbedderInfo(
        embedder_id=EMBEDDER_ID,
        name=NAME,
        dimension=DIMENSION,
        input_size=INPUT_SIZE,
        shipped=THRESHOLDS,
    )


class DlibEmbedder:
    """dlib's net and its 5-point shape predictor."""

    embedder_id = EMBEDDER_ID
    name = NAME
    dimension = DIMENSION
    input_size = INPUT_SIZE
    thresholds = THRESHOLDS

    def __init__(self) -> None:
        import dlib

        self._dlib: Any = dlib
        self._predictor = dlib.shape_predictor(str(find_model_file("shape_predictor_5_face_landmarks.dat")))
        self._net = DlibNet(find_model_file("dlib_face_recognition_resnet_model_v1.dat"))
        self._mean: NDArray[np.float32] = np.load(MEAN_FILE)

    def cut_input(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """A chip aligned by dlib's five points, which are sought inside the detected box."""
        box = face.box.as_ints()
        rectangle = self._dlib.rectangle(box.left, box.top, box.right - 1, box.bottom - 1)
        shape = self._predictor(rgb, rectangle)
        chip = self._dlib.get_face_chip(rgb, shape, size=INPUT_SIZE, padding=_CHIP_PADDING)
        return np.asarray(chip, dtype=np.uint8)

    def embed(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        return normalize(self.describe(inputs) - self._mean)

    def describe(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The net's own descriptors (n, 128) of chips (n, 150, 150, 3), neither centered nor normalized.

        Each is the mean of the chip's and its mirror image's: that makes a sixth of the misses at one false
        accept in a thousand good, for 6 ms a face.
        """
        check_inputs(inputs, INPUT_SIZE)
        out = np.empty((len(inputs), DIMENSION), dtype=np.float32)
        for start in range(0, len(inputs), _BATCH):
            chips = inputs[start : start + _BATCH]
            both = self._net.describe(np.concatenate([chips, chips[:, :, ::-1]]))
            out[start : start + _BATCH] = (both[: len(chips)] + both[len(chips) :]) / 2
        return out


@embedders.register(NAME, describe=describe_dlib)
def create_dlib(embedder_id: str) -> DlibEmbedder:
    return DlibEmbedder()


def find_model_file(name: str) -> Path:
    """A data file of face_recognition_models, which is never imported: it would need pkg_resources."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "face_recognition_models is not installed; run pip install -r requirements.txt"
        )
    path = Path(spec.submodule_search_locations[0]) / "models" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; reinstall face_recognition_models")
    return path
