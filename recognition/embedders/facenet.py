"""FaceNet: InceptionResnetV1 of facenet-pytorch, 512-D, with VGGFace2 weights that are verified before use."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.embedders.base import EmbedderInfo, Thresholds, check_inputs
from recognition.embedders.registry import EmbedderUnknown, embedders
from recognition.embedders.weights import WeightsPlan, WeightsRefused, open_weights, plan_weights
from recognition.vectors import normalize

if TYPE_CHECKING:
    from recognition.detection import DetectedFace

NAME = "facenet-vggface2"
DIMENSION = 512
INPUT_SIZE = 160
# Starting values until an installation calibrates its own.
THRESHOLDS = Thresholds(automatic=0.70, margin=0.10, suggest=0.45, strict=0.78)

# 32 inputs keep the peak below 1 GB; larger batches are not faster on a CPU.
_BATCH = 32


def facenet_id(plan: WeightsPlan) -> str:
    """The embedder_id of those weights: the plain name, or with the first 8 hex digits of another file's sum."""
    return f"{NAME}-{plan.sha256[:8]}" if plan.is_custom else NAME


def describe_facenet(embedder_id: str) -> EmbedderInfo | None:
    if not re.fullmatch(rf"{NAME}(-[0-9a-f]{{8}})?", embedder_id):
        return None
    return EmbedderInfo(
        embedder_id=embedder_id,
        name=NAME,
        dimension=DIMENSION,
        input_size=INPUT_SIZE,
        shipped=THRESHOLDS,
    )


class FaceNetEmbedder:
    """Loaded weights, on the GPU if there is one. Raises WeightsMissing or WeightsRefused."""

    name = NAME
    dimension = DIMENSION
    input_size = INPUT_SIZE
    thresholds = THRESHOLDS

    def __init__(self, plan: WeightsPlan) -> None:
        self.embedder_id = facenet_id(plan)
        self._net, self._device = _load_net(plan)

    def cut_input(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """The box without margin, stretched to the square: what facenet-pytorch's extract_face does.

        Pillow's bilinear filter widens with the factor, so that shrinking averages all pixels of the box.
        """
        height, width = rgb.shape[:2]
        # extract_face cuts whole pixels off; a box in a photo's last column still keeps one.
        left, top = min(int(face.box.left), width - 1), min(int(face.box.top), height - 1)
        right = max(left + 1, min(int(face.box.right), width))
        bottom = max(top + 1, min(int(face.box.bottom), height))
        crop = Image.fromarray(np.ascontiguousarray(rgb[top:bottom, left:right]))
        return np.array(crop.resize((INPUT_SIZE, INPUT_SIZE), Image.Resampling.BILINEAR), dtype=np.uint8)

    def embed(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        import torch

        check_inputs(inputs, INPUT_SIZE)
        out = np.empty((len(inputs), DIMENSION), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(inputs), _BATCH):
                batch = torch.from_numpy(np.ascontiguousarray(inputs[start : start + _BATCH]))
                pixels = batch.to(self._device).permute(0, 3, 1, 2).float()
                # The fixed standardisation that the weights were trained with.
                out[start : start + _BATCH] = self._net((pixels - 127.5) / 128.0).float().cpu().numpy()
        return normalize(out)


@embedders.register(NAME, describe=describe_facenet)
def create_facenet(embedder_id: str) -> FaceNetEmbedder:
    """The embedder of this installation's weights, if they are the ones the id names."""
    plan = plan_weights()
    if facenet_id(plan) != embedder_id:
        raise EmbedderUnknown(
            f"this installation's weights are {facenet_id(plan)}, not {embedder_id}: "
            "set FACEVAULT_WEIGHTS and FACEVAULT_WEIGHTS_SHA256 to the weights that made those embeddings"
        )
    return FaceNetEmbedder(plan)


def _load_net(plan: WeightsPlan) -> tuple[Any, Any]:
    """The net in eval mode and its device."""
    with open_weights(plan) as file:
        from recognition._torchvision import load_torchvision

        load_torchvision()
        import pickle

        import torch
        from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise WeightsRefused(f"{plan.path} is not a file of tensors: {error}") from error
    if not isinstance(state, dict):
        raise WeightsRefused(f"{plan.path} holds {type(state).__name__}, not the tensors of a net by name")
    # The published file carries the classifier of its training; facenet-pytorch loads and never uses it.
    state = {key: value for key, value in state.items() if not key.startswith("logits.")}
    # pretrained=None: with a name, the constructor would download into the user's home.
    net = InceptionResnetV1(pretrained=None, classify=False)
    try:
        net.load_state_dict(state, strict=True)
    except (RuntimeError, TypeError) as error:
        raise WeightsRefused(f"{plan.path} does not fit InceptionResnetV1: {error}") from error
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return net.eval().requires_grad_(requires_grad=False).to(device), device
