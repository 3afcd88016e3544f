"""How a person holds and shows the face on one photo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recognition.geometry import Pose


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One sight of a person: head pose in degrees, `smile` and `light` (from the left -1, from the right 1) in -1..1."""

    pose: Pose
    smile: float
    light: float
    open_eyes: float


def make_view(rng: np.random.Generator) -> View:
    return View(
        pose=Pose(
            float(np.clip(rng.normal(0, 7), -15, 15)),
            float(np.clip(rng.normal(0, 4), -8, 8)),
            float(np.clip(rng.normal(0, 4), -9, 9)),
        ),
        smile=float(rng.uniform(-0.1, 1)),
        light=float(rng.uniform(-1, 1)),
        open_eyes=float(rng.uniform(0.75, 1.05)),
    )
