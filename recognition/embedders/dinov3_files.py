"""Where DINOv3's files are, which weights they are, and how their pixels are prepared. Imports neither torch nor transformers."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recognition.embedders.weights import WeightsMissing, WeightsRefused

PUBLISHED = "facebook/dinov3-vitb16-pretrain-lvd1689m"
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
PIXELS_FILE = "preprocessor_config.json"
# ImageNet's mean and deviation of each color (transformers.image_utils.IMAGENET_DEFAULT_*), which DINOv3 was trained with.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

_HUB_NAME = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")
_BLOCK = 1024 * 1024
_PATTERNS = [CONFIG_FILE, PIXELS_FILE, WEIGHTS_FILE]
_ELSEWHERE = (
    f"Or download {CONFIG_FILE}, {PIXELS_FILE} and {WEIGHTS_FILE} elsewhere, copy them into a folder, and point "
    "FACEVAULT_DINOV3 to that folder."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dinov3Files:
    """A checked folder of one model. `published` is told by its source: Meta publishes no checksum."""

    folder: Path
    published: bool
    dimension: int
    patch_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def sum_weights(self) -> str:
        """The sha256 of the weights, in hex."""
        digest = hashlib.sha256()
        with (self.folder / WEIGHTS_FILE).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        return digest.hexdigest()


def open_dinov3(*, source: str | None = None, cache: Path | None = None) -> Dinov3Files:
    """The model's files: those of a folder, or of a name on the hub, which is asked only for what the cache lacks.

    Arguments left out come from the FACEVAULT_* settings. Raises WeightsMissing or WeightsRefused.
    """
    from django.conf import settings

    source = source or getattr(settings, "FACEVAULT_DINOV3", None) or PUBLISHED
    cache = cache or Path(settings.FACEVAULT_DATA) / "models"
    _require_packages()
    folder = _find_folder(source)
    if folder is None:
        folder = _fetch(source, cache)
    _require_weights(folder)
    config = _read_json(folder / CONFIG_FILE)
    if config.get("model_type") != "dinov3_vit":
        raise WeightsRefused(
            f"{folder / CONFIG_FILE} describes a model of type {config.get('model_type')!r}, not 'dinov3_vit'. "
            f"Point FACEVAULT_DINOV3 to a DINOv3 ViT, such as {PUBLISHED}."
        )
    pixels = _read_json(folder / PIXELS_FILE) if (folder / PIXELS_FILE).is_file() else {}
    return Dinov3Files(
        folder=folder,
        published=source == PUBLISHED,
        dimension=_whole(config, "hidden_size", folder),
        patch_size=_whole(config, "patch_size", folder),
        mean=_colors(pixels.get("image_mean", IMAGENET_MEAN), "image_mean", folder),
        std=_colors(pixels.get("image_std", IMAGENET_STD), "image_std", folder),
    )


def _require_packages() -> None:
    for package in ("transformers", "safetensors", "huggingface_hub"):
        if importlib.util.find_spec(package) is None:
            raise WeightsMissing(
                f"DINOv3 needs the package {package}, which is not installed. "
                "Run `pip install -r requirements-dinov3.txt` in FaceVault's environment."
            )


def _find_folder(source: str) -> Path | None:
    """The folder that is meant; None for a name on the hub."""
    folder = Path(source).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_absolute() or source.startswith(".") or not _HUB_NAME.fullmatch(source):
        raise WeightsMissing(
            f"There is no folder {source}. Set FACEVAULT_DINOV3 to a folder with {CONFIG_FILE} and {WEIGHTS_FILE}, "
            f"or to a model's name on the hub, such as {PUBLISHED}."
        )
    return None


def _fetch(name: str, cache: Path) -> Path:
    """The folder of a model of the hub. What is in the cache stays as it is: newer weights would make other vectors."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        cached = Path(
            snapshot_download(name, cache_dir=cache, allow_patterns=_PATTERNS, local_files_only=True)
        )
        if (cached / WEIGHTS_FILE).is_file() and (cached / CONFIG_FILE).is_file():
            return cached
    except LocalEntryNotFoundError:
        pass
    try:
        return Path(snapshot_download(name, cache_dir=cache, allow_patterns=_PATTERNS))
    except Exception as error:
        raise WeightsMissing(
            f"{name} cannot be downloaded from the hub ({type(error).__name__}). Check that this machine reaches the hub. "
            "Meta's models are given only to accounts that accepted their terms: accept them, set HF_TOKEN to that "
            f"account's token, and try again. {_ELSEWHERE}"
        ) from error


def _require_weights(folder: Path) -> None:
    if (folder / WEIGHTS_FILE).is_file():
        return
    if (folder / f"{WEIGHTS_FILE}.index.json").is_file():
        found = "the weights in several parts; save them as one file (max_shard_size='10GB')"
    elif any(folder.glob("*.bin")) or any(folder.glob("*.pt*")):
        found = (
            "pickled weights, which could run code and are never loaded; get or save the model as safetensors"
        )
    else:
        found = "no weights"
    raise WeightsMissing(f"There is no {folder / WEIGHTS_FILE}: the folder holds {found}.")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WeightsMissing(f"There is no {path}. Copy it there from where the weights came.") from None
    except ValueError as error:
        raise WeightsRefused(f"{path} cannot be read: {error}. Copy it again.") from error
    if not isinstance(found, dict):
        raise WeightsRefused(f"{path} holds no settings of a model. Copy it again.")
    return found


def _whole(config: dict[str, Any], key: str, folder: Path) -> int:
    value = config.get(key)
    if not isinstance(value, int) or not 0 < value <= 65_536:
        raise WeightsRefused(f"{folder / CONFIG_FILE} says {key} is {value!r}. Copy it again.")
    return value


def _colors(value: Any, key: str, folder: Path) -> tuple[float, float, float]:
    numbers = [float(one) for one in value if isinstance(one, int | float)] if _is_list(value) else []
    if len(numbers) != 3 or (key == "image_std" and min(numbers) <= 0):
        raise WeightsRefused(f"{folder / PIXELS_FILE} says {key} is {value!r}: three numbers belong there.")
    return numbers[0], numbers[1], numbers[2]


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
