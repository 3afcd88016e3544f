"""Where FaceNet's weights are, and whether they are the right ones. Imports no torch."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

# The VGGFace2 weights of facenet-pytorch 2.5.3 (release v2.2.9 of that project).
WEIGHTS_NAME = "20180402-114759-vggface2.pt"
WEIGHTS_URL = f"https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/{WEIGHTS_NAME}"
WEIGHTS_SIZE = 111_898_327
WEIGHTS_SHA256 = "281cebca8662831adb987a874bdcb36e73f5b1c6dc5ee5878f305e985625d99b"

_BLOCK = 1024 * 1024
_HOW_TO_GET = (
    "Run `manage.py fetch_weights`, or copy the file there by hand, or point FACEVAULT_WEIGHTS at a copy."
)


class WeightsMissing(FileNotFoundError):
    """The weights are not on this machine. The message says where they should be and how to get them."""


class WeightsRefused(ValueError):
    """A file is not the weights that are expected. The message says what was expected and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsPlan:
    """Which weights this installation wants: file, sha256, size if it is known, and source."""

    path: Path
    sha256: str
    size: int | None
    url: str

    @property
    def is_custom(self) -> bool:
        return self.sha256 != WEIGHTS_SHA256


def plan_weights(
    *,
    data: Path | None = None,
    path: str | None = None,
    sha256: str | None = None,
    url: str | None = None,
) -> WeightsPlan:
    """What is wanted; arguments left out come from the FACEVAULT_* settings.

    Raises WeightsRefused if the sha256 asked for is not 64 hex digits.
    """
    from django.conf import settings

    path = path or getattr(settings, "FACEVAULT_WEIGHTS", None)
    sha256 = (sha256 or getattr(settings, "FACEVAULT_WEIGHTS_SHA256", None) or WEIGHTS_SHA256).strip().lower()
    url = url or getattr(settings, "FACEVAULT_WEIGHTS_URL", None) or WEIGHTS_URL
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise WeightsRefused(f"FACEVAULT_WEIGHTS_SHA256 must be 64 hex digits, got {sha256!r}")
    if path is None:
        path = str(Path(data or settings.FACEVAULT_DATA) / "models" / WEIGHTS_NAME)
    size = WEIGHTS_SIZE if sha256 == WEIGHTS_SHA256 else None
    return WeightsPlan(path=Path(path), sha256=sha256, size=size, url=url)


def find_problem(plan: WeightsPlan) -> str:
    """Why the weights cannot be there, by a glance at the disk; "" if they seem to be.

    No checksum, and no path: pages show this.
    """
    if not plan.path.is_file():
        return "they are not on this machine"
    size = plan.path.stat().st_size
    if plan.size is not None and size != plan.size:
        return f"their file has {size:,} bytes instead of {plan.size:,}"
    return ""


def open_weights(plan: WeightsPlan) -> BinaryIO:
    """The verified file, open at its start: what was checked is what is read.

    Raises WeightsMissing, or WeightsRefused for a wrong size or checksum.
    """
    if not plan.path.is_file():
        raise WeightsMissing(f"FaceNet's weights are missing: there is no {plan.path}. {_HOW_TO_GET}")
    file = plan.path.open("rb")
    try:
        check_weights(file, plan)
    except BaseException:
        file.close()
        raise
    return file


def check_weights(file: BinaryIO, plan: WeightsPlan) -> None:
    """Raise WeightsRefused unless size and sha256 are those of the plan; leaves the file at its start."""
    size = file.seek(0, 2)
    file.seek(0)
    if plan.size is not None and size != plan.size:
        raise WeightsRefused(
            f"{plan.path} is not the weights file: expected {plan.size:,} bytes, got {size:,}. "
            f"Delete it. {_HOW_TO_GET}"
        )
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    found = digest.hexdigest()
    file.seek(0)
    if found != plan.sha256:
        raise WeightsRefused(
            f"{plan.path} has the wrong checksum: expected sha256 {plan.sha256}, got {found}. Delete it. "
            f"{_HOW_TO_GET} If it is meant to be another file, set FACEVAULT_WEIGHTS_SHA256 to its sum."
        )
