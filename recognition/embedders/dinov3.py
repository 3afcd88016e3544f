"""DINOv3: Meta's ViT-B/16, 768-D, through transformers: an optional extra that is used only where somebody names it.

It is a general net for images, not one for faces: it was never taught that two photos of one person belong together,
and it sees light, pose, hair and background as well as the face. How well it tells people apart, and where its lines
belong, has to be measured on an installation's own photos.

The vector is the class token behind the last layer norm (transformers calls it `pooler_output`): the token that DINOv3's
own k-NN and retrieval figures are made with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.detection import cut_crop
from recognition.embedders.base import EmbedderInfo, Thresholds, check_inputs
from recognition.embedders.dinov3_files import PUBLISHED, Dinov3Files, open_dinov3
from recognition.embedders.registry import EmbedderUnknown, embedders
from recognition.embedders.weights import WeightsRefused
from recognition.vectors import normalize

if TYPE_CHECKING:
    from recognition.detection import DetectedFace

NAME = "dinov3-vitb16"
DIMENSION = 768
# What the published preprocessor scales to. Positions are rotary, so any model of the family takes it.
INPUT_SIZE = 224
# Not measured: its weights are behind terms that everybody has to accept themselves. Faces are all alike to a general
# net, so its cosines are high for strangers too; from 0.97 it names hardly more than the same moment seen twice.
# Suggestions are only shown, and a person decides.
THRESHOLDS = Thresholds(automatic=0.97, margin=0.10, suggest=0.70, strict=0.98)

# The whole face and little else: clothes and background are things this net knows well.
_MARGIN = 0.10
_BATCH = 16


def dinov3_id(files: Dinov3Files) -> str:
    """The plain name for the published weights; else with the dimension, if it is another, and the weights' sum."""
    if files.published:
        return NAME
    kind = NAME if files.dimension == DIMENSION else f"dinov3-{files.dimension}d"
    return f"{kind}-{files.sum_weights()[:8]}"


def describe_dinov3(embedder_id: str) -> EmbedderInfo | None:
    """All from the id itself: a web process need not have the model's folder."""
    found = re.fullmatch(rf"{NAME}(?:-[0-9a-f]{{8}})?|dinov3-([1-9]\d{{0,4}})d-[0-9a-f]{{8}}", embedder_id)
    if found is None:
        return None
    return EmbedderInfo(
        embedder_id=embedder_id,
        name=NAME,
        dimension=int(found[1] or DIMENSION),
        input_size=INPUT_SIZE,
        shipped=THRESHOLDS,
    )


class Dinov3Embedder:
    """A loaded model, on the GPU if there is one. Raises WeightsRefused."""

    name = NAME
    input_size = INPUT_SIZE
    thresholds = THRESHOLDS

    def __init__(self, files: Dinov3Files) -> None:
        self.embedder_id = dinov3_id(files)
        self.dimension = files.dimension
        if files.published and files.dimension != DIMENSION:
            raise WeightsRefused(
                f"{PUBLISHED} should give {DIMENSION} numbers, {files.folder} gives {files.dimension}. Download it again."
            )
        if INPUT_SIZE % files.patch_size:
            raise WeightsRefused(
                f"{files.folder} cuts photos into patches of {files.patch_size} pixels, which do not fill {INPUT_SIZE}."
            )
        self._mean, self._std = files.mean, files.std
        self._net, self._device = _load_net(files)

    def cut_input(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """A square around the face, never stretched; Pillow's bilinear filter as in the published preprocessor."""
        longest = max(rgb.shape[:2])
        square = Image.fromarray(cut_crop(rgb, face.box, margin=_MARGIN, side=longest))
        return np.array(square.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BILINEAR), dtype=np.uint8)

    def embed(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        check_inputs(inputs, INPUT_SIZE)
        out = np.empty((len(inputs), self.dimension), dtype=np.float32)
        mean = torch.tensor(self._mean, device=self._device).view(1, 3, 1, 1)
        std = torch.tensor(self._std, device=self._device).view(1, 3, 1, 1)
        with torch.inference_mode():
            for start in range(0, len(inputs), _BATCH):
                batch = torch.from_numpy(np.ascontiguousarray(inputs[start : start + _BATCH]))
                pixels = batch.to(self._device).permute(0, 3, 1, 2).float() / 255.0
                tokens = self._net(pixel_values=(pixels - mean) / std).pooler_output
                out[start : start + _BATCH] = tokens.float().cpu().numpy()
        return normalize(out)


def find_dinov3_id() -> str:
    """The embedder_id of this installation's model; raises WeightsMissing or WeightsRefused."""
    return dinov3_id(open_dinov3())


@embedders.register(NAME, describe=describe_dinov3)
def create_dinov3(embedder_id: str) -> Dinov3Embedder:
    """The embedder of this installation's model, if it is the one the id names."""
    files = open_dinov3()
    if (found := dinov3_id(files)) != embedder_id:
        raise EmbedderUnknown(
            f"this installation's DINOv3 is {found}, not {embedder_id}: "
            "set FACEVAULT_DINOV3 to the folder or hub name of the model that made those embeddings"
        )
    return Dinov3Embedder(files)


def _load_net(files: Dinov3Files) -> tuple[Any, Any]:
    """The net in eval mode and its device."""
    from recognition._torchvision import load_torchvision

    # transformers imports torchvision wherever it is installed.
    load_torchvision()
    import torch
    from safetensors import SafetensorError
    from transformers import DINOv3ViTModel
    from transformers.utils import logging

    # A bar for a second of reading, in every worker's log.
    logging.disable_progress_bar()
    try:
        net, report = DINOv3ViTModel.from_pretrained(
            files.folder,
            local_files_only=True,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, SafetensorError) as error:
        raise WeightsRefused(f"{files.folder} cannot be loaded as DINOv3: {error}") from error
    # transformers fills what is missing with random numbers and only logs it.
    if missing := sorted(report["missing_keys"]):
        raise WeightsRefused(
            f"{files.folder} lacks {len(missing)} of the model's tensors, {missing[0]} for one. Copy it again."
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return net.eval().requires_grad_(requires_grad=False).to(device), device
