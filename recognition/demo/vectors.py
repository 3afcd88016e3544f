"""Synthetic embeddings of a real shape: how close faces are follows from the embedder's own lines."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognition.demo.plan import Plan, Role
from recognition.embedders import Thresholds
from recognition.vectors import normalize

# Of a person's references: those that turned out unlike the others. A stranger's faces are all of one day.
_MIDDLING = 0.15
# Of the doubtful faces: those that look like somebody else as well.
_ALIKE = 0.4
# In which faces differ most.
_FEW_DIRECTIONS = 40
_STEPS = np.linspace(0, 0.999, 240)


def make_vectors(
    plan: Plan, *, dimension: int, thresholds: Thresholds, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Unit vectors (n, dimension), one per face of the plan.

    A machine's face lies above the automatic line to the nearest reference of its person, a doubtful one between
    the suggest line and the automatic one. Different people are near 0, with some spread, but for
    the doubtful faces that look like somebody else as well, nearly as much.
    """
    groups = plan.people + plan.clusters
    identities = _identities(max(groups, int(plan.identities.max(initial=-1)) + 1), dimension, rng)
    centers = identities[:groups]
    single = plan.roles == Role.SINGLE
    vectors = _directions(len(plan.identities), dimension, rng)
    vectors[single] = identities[plan.identities[single]]
    order = np.argsort(plan.identities, kind="stable")
    ends = np.searchsorted(plan.identities[order], np.arange(groups + 1))
    for group in range(groups):
        faces = order[ends[group] : ends[group + 1]]
        roles = plan.roles[faces]
        anchoring = (roles == Role.REFERENCE) if group < plan.people else np.arange(len(faces)) < 3
        center, noise = centers[group], vectors[faces]
        alike = (roles == Role.DOUBTFUL) & (rng.random(len(faces)) < _ALIKE)
        if alike.any() and plan.people > 3:
            # By twos: even numbers are drawn as women, odd ones as men.
            others = (group + 2 * rng.integers(1, plan.people // 2, int(alike.sum()))) % plan.people
            noise[alike] += rng.uniform(0.6, 1.0, (int(alike.sum()), 1)) * centers[others]
        noise = _unit(noise - (noise @ center)[:, np.newaxis] * center)
        middling = _MIDDLING if group < plan.people else 0.0
        closeness = _anchor_closeness(int(anchoring.sum()), thresholds, rng, middling=middling)
        anchors = _near(center, noise[anchoring], closeness)
        vectors[faces[anchoring]] = anchors
        rest = ~anchoring
        if rest.any():
            wanted = _wanted(roles[rest], thresholds, rng)
            vectors[faces[rest]] = _near(center, noise[rest], _solve(center, noise[rest], anchors, wanted))
    return normalize(vectors)


def _anchor_closeness(
    count: int, thresholds: Thresholds, rng: np.random.Generator, *, middling: float
) -> NDArray[np.float64]:
    """Cosines (count,) of references to their person's center: two of them meet at the product of theirs."""
    clear = rng.uniform(thresholds.automatic + 0.08, 0.96, count)
    unlike = rng.random(count) < middling
    unlike[:1] = False
    clear[unlike] = rng.uniform(thresholds.suggest, thresholds.automatic, int(unlike.sum()))
    closeness: NDArray[np.float64] = np.sqrt(clear)
    return closeness


def _wanted(
    roles: NDArray[np.int64], thresholds: Thresholds, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Similarities (n,) to the nearest anchor."""
    automatic, suggest = thresholds.automatic, thresholds.suggest
    clear = automatic + 0.02 + (0.9 - automatic) * rng.beta(1.8, 2.2, len(roles))
    between = rng.uniform(suggest + 0.02, automatic - 0.02, len(roles))
    return np.where(roles == Role.DOUBTFUL, between, clear)


def _solve(
    center: NDArray[np.float64],
    noise: NDArray[np.float64],
    anchors: NDArray[np.float64],
    wanted: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How close (n,) each face must be to the center so that its nearest anchor is `wanted` away from it."""
    along, aside = anchors @ center, noise @ anchors.T
    sines = np.sqrt(1 - _STEPS**2)
    nearest = (_STEPS[:, None, None] * along + sines[:, None, None] * aside).max(axis=2)
    found: NDArray[np.float64] = _STEPS[np.abs(nearest - wanted).argmin(axis=0)]
    return found


def _near(
    center: NDArray[np.float64], noise: NDArray[np.float64], closeness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Unit vectors (n, d) whose cosine to the center is `closeness`; `noise` (n, d) is at right angles to it."""
    cosine = closeness[:, np.newaxis]
    near: NDArray[np.float64] = cosine * center + np.sqrt(1 - cosine**2) * noise
    return near


def _identities(count: int, dimension: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Centers (count, dimension) that differ in few directions mostly: so some people look rather alike."""
    few = min(_FEW_DIRECTIONS, dimension)
    spread = _unit(rng.standard_normal((count, few))) @ _directions(few, dimension, rng)
    return _unit(0.75 * _unit(spread) + 0.65 * _directions(count, dimension, rng))


def _directions(count: int, dimension: int, rng: np.random.Generator) -> NDArray[np.float64]:
    return _unit(rng.standard_normal((count, dimension)))


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = rows / np.linalg.norm(rows, axis=-1, keepdims=True)
    return unit
