"""How this installation looks at photos: whether at all, with which pose model, and how much pose and colors count."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from recognition.looks._mediapipe import PoseFinder, PoseUnavailable
from recognition.looks.descriptor import VERSION

_lock = threading.Lock()
_sums: dict[tuple[Path, int, int], str] = {}
_finders: dict[Path, PoseFinder] = {}


@dataclass(frozen=True, slots=True)
class Weights:
    """How much the squared distance of each part counts; together 1."""

    pose: float
    color: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LookPlan:
    """`model` is none where colors alone are compared."""

    descriptor_id: str
    model: Path | None
    weights: Weights

    @property
    def has_pose(self) -> bool:
        return self.model is not None


def is_look_search_on() -> bool:
    return bool(settings.FACEVAULT_LOOK_SEARCH)


def read_plan() -> LookPlan:
    """What the settings say. Loads no net. Raises PoseUnavailable where the model file cannot be read."""
    model: Path | None = settings.FACEVAULT_POSE_MODEL
    if model is None:
        return LookPlan(descriptor_id=f"{VERSION}-color", model=None, weights=Weights(0.0, 1.0))
    return LookPlan(descriptor_id=f"{VERSION}-{_sum_of(model)[:8]}", model=model, weights=read_weights())


def read_weights() -> Weights:
    pose, color = settings.FACEVAULT_POSE_WEIGHT, settings.FACEVAULT_COLOR_WEIGHT
    total = pose + color
    if total <= 0:
        return Weights(0.5, 0.5)
    return Weights(pose / total, color / total)


def get_pose_finder(plan: LookPlan) -> PoseFinder | None:
    """The net of the plan, loaded once per process: in workers and commands alone. Raises PoseUnavailable."""
    if plan.model is None:
        return None
    with _lock:
        finder = _finders.get(plan.model)
        if finder is None:
            finder = _finders[plan.model] = PoseFinder(plan.model)
        return finder


def _sum_of(model: Path) -> str:
    """The file's sha256, read once for as long as it stays the same."""
    try:
        status = model.stat()
        key = (model, status.st_mtime_ns, status.st_size)
        if key not in _sums:
            _sums[key] = hashlib.sha256(model.read_bytes()).hexdigest()
    except OSError as error:
        raise PoseUnavailable(
            f"The pose model {model.name} cannot be read ({error.strerror}). Set FACEVAULT_POSE_MODEL to the file, or leave it "
            "empty to search by color alone."
        ) from error
    return _sums[key]
