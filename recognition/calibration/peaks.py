"""The best scores of strangers, which a tail is fitted to, and how many independent ones they amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import Comparisons

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Fewer independent scores leave the line to chance, more lie too far from the target.
_WANTED = 20
_DEEPEST_START = 0.25


@dataclass(frozen=True, slots=True)
class Peaks:
    """The best scores that pass the margin, descending, and how many independent ones they amount to."""

    scores: Floats
    independent: float
    probes: int
    all: Floats

    @property
    def start(self) -> float:
        return float(self.scores[-1])

    @property
    def share(self) -> float:
        return len(self.scores) / self.probes


def find_peaks(galleries: Sequence[Comparisons], *, margin: float, target: float) -> Peaks | None:
    passed = [gallery.lead >= margin for gallery in galleries]
    scores = np.concatenate(
        [gallery.score[chosen] for gallery, chosen in zip(galleries, passed, strict=True)]
    )
    probes = sum(len(gallery) for gallery in galleries)
    if not len(scores):
        return None
    pairs = np.concatenate(
        [
            np.column_stack([np.full(chosen.sum(), place), *pair_up(gallery.keep(chosen))])
            for place, (gallery, chosen) in enumerate(zip(galleries, passed, strict=True))
        ]
    )
    order = np.argsort(-scores, kind="stable")
    scores = scores[order]
    names = np.unique(pairs, axis=0, return_inverse=True)[1].ravel()[order]
    share = target
    while True:
        count = min(max(int(np.ceil(share * probes)), 2), len(scores))
        independent = count_independent(names[:count])
        if independent >= _WANTED or share >= _DEEPEST_START or count == len(scores):
            return Peaks(scores[:count], independent, probes, scores)
        share *= 1.15


def pair_up(comparisons: Comparisons) -> tuple[Integers, Integers]:
    """The two people of each row, the smaller number first: both ways of a look-alike count as one."""
    return (
        np.minimum(comparisons.person, comparisons.other),
        np.maximum(comparisons.person, comparisons.other),
    )


def count_independent(groups: Integers) -> float:
    """Kish's effective count: as many as there are groups if they are equal, fewer if one has most of the rows."""
    counts = np.unique(groups, return_counts=True)[1].astype(np.float64)
    return float(counts.sum() ** 2 / (counts**2).sum())
