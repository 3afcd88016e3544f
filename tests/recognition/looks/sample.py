"""Looks for tests: rows of random colors, and pictures of people in colored clothes."""

from __future__ import annotations

import itertools
from ctypes.util import find_library
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from numpy.typing import NDArray

from recognition.looks.colors import COLORS
from recognition.looks.descriptor import LOOK
from recognition.looks.plan import read_plan
from recognition.looks.poses import POSE
from recognition.models import Face, LookProbe, Photo, PhotoLook
from recognition.vectors import encode_vector
from tests.photos import PHOTOS

MODEL = PHOTOS.parent / "models" / "pose_landmarker_full.task"
# Far from the seeds that tests choose themselves.
_numbers = itertools.count(1_000_000)


def _cannot() -> str:
    if not MODEL.is_file():
        return f"no pose model at {MODEL}"
    if find_spec("mediapipe") is None:
        return "MediaPipe is not installed"
    missing = [name for name in ("EGL", "GLESv2") if find_library(name) is None]
    return f"MediaPipe needs {' and '.join(missing)}, which this machine lacks" if missing else ""


_why_not = _cannot()
needs_pose = pytest.mark.skipif(bool(_why_not), reason=_why_not or "poses can be found")


def random_looks(n: int, *, seed: int = 0, poses: bool = False) -> NDArray[np.float32]:
    """Looks (n, 578) of a real shape: colors of length 1; poses of half of them, of length up to 1."""
    random = np.random.default_rng(seed)
    looks = np.zeros((n, LOOK), dtype=np.float32)
    colors = np.sqrt(random.dirichlet(np.full(COLORS, 0.05), n))
    looks[:, POSE:] = colors
    if poses:
        bodies = random.standard_normal((n, POSE))
        bodies *= (random.random((n, 1)) * (random.random((n, 1)) < 0.5)) / np.linalg.norm(
            bodies, axis=1, keepdims=True
        )
        looks[:, :POSE] = bodies
    return looks


def make_look(
    photo: Photo, look: NDArray[np.float32] | None = None, *, face: Face | None = None
) -> PhotoLook:
    vector = random_looks(1, seed=next(_numbers))[0] if look is None else look
    return PhotoLook.objects.create(
        photo=photo,
        face=face,
        descriptor_id=read_plan().descriptor_id,
        has_pose=bool(vector[:POSE].any()),
        vector=encode_vector(vector),
    )


def make_look_probe(
    *, user: User, look: NDArray[np.float32] | None = None, expires_at: datetime | None = None
) -> LookProbe:
    """A search that a worker has finished."""
    vector = random_looks(1, seed=next(_numbers))[0] if look is None else look
    return LookProbe.objects.create(
        user=user,
        byte_size=10,
        width=64,
        height=48,
        expires_at=expires_at or timezone.now() + timedelta(minutes=30),
        state="done",
        descriptor_id=read_plan().descriptor_id,
        looks=[{"box": [0, 0, 64, 48], "has_pose": False}],
        vectors=encode_vector(vector),
    )


def mirrored_and_dimmed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """As somebody finds it on a poster in the dark."""
    darker: NDArray[np.uint8] = np.rint(rgb[:, ::-1] * 0.6).astype(np.uint8)
    return darker


def sample_photos() -> list[Path]:
    kinds = {".jpg", ".jpeg", ".png", ".pgm"}
    return sorted(path for path in PHOTOS.rglob("*") if path.suffix.lower() in kinds)
