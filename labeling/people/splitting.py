"""Two people under one name: the proposal which of the faces are somebody else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from recognition.models import Sighting
from recognition.people.audit import read_person_vectors

_ROUNDS = 30
# Seeds for the smaller part: the faces that are farthest from all others.
_SEEDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Primary keys of sightings. `apart` may be somebody else, `stays` the person, both with the doubtful ones first.

    `clear`: the two parts are so unlike that they are hardly one person.
    """

    stays: list[int]
    apart: list[int]
    clear: bool


def propose_split(sightings: QuerySet[Sighting]) -> Proposal | None:
    """None where there is nothing to split: fewer than two faces that can be compared."""
    found = read_person_vectors(sightings)
    if found is None or len(found.sightings) < 2:
        return None
    apart = split_in_two(found.vectors)
    mine, theirs = found.vectors[~apart].mean(axis=0), found.vectors[apart].mean(axis=0)
    # Positive: more like the other part. The doubtful ones come first on either side.
    lean = found.vectors @ (theirs - mine)
    order = np.argsort(lean, kind="stable")
    return Proposal(
        stays=[int(found.sightings[at]) for at in order[::-1] if not apart[at]],
        apart=[int(found.sightings[at]) for at in order if apart[at]],
        clear=bool(mine @ theirs < found.thresholds.suggest),
    )


def split_in_two(vectors: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which of these unit vectors (n, d), two at least, are in the smaller of two parts; neither part is empty.

    Two means on the sphere, begun once from each of the faces farthest from all others: a few faces of a stranger among
    hundreds are no more than that.
    """
    center = vectors.mean(axis=0)
    best, best_fit = np.zeros(len(vectors), dtype=np.bool_), -np.inf
    for seed in np.argsort(vectors @ center, kind="stable")[:_SEEDS]:
        apart = _settle(vectors, center, vectors[seed])
        if not apart.any() or apart.all():
            apart = np.arange(len(vectors)) == seed
        fit = sum(float(np.linalg.norm(vectors[part].sum(axis=0))) for part in (apart, ~apart))
        if fit > best_fit:
            best, best_fit = apart, fit
    return best if 2 * best.sum() <= len(best) else ~best


def _settle(
    vectors: NDArray[np.float32], center: NDArray[np.float32], seed: NDArray[np.float32]
) -> NDArray[np.bool_]:
    one, another = _unit(center), _unit(seed)
    apart = np.zeros(len(vectors), dtype=np.bool_)
    for _ in range(_ROUNDS):
        now = vectors @ another > vectors @ one
        if not now.any() or now.all() or (now == apart).all():
            return now
        apart = now
        one, another = _unit(vectors[~apart].sum(axis=0)), _unit(vectors[apart].sum(axis=0))
    return apart


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    length = float(np.linalg.norm(vector))
    unit: NDArray[np.float32] = vector / length if length > 1e-9 else vector
    return unit
