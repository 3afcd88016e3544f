"""What a cluster's card shows of its faces: the best, the farthest, whether they agree, and how they would be split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.centers import closeness_to_others, sum_clusters
from labeling.clusters.graph import Lines, group_faces
from recognition.embedders.base import Thresholds

BEST = 8
FARTHEST = 3


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ClusterShape:
    """Places of faces in the arrays that were given. `best` and `farthest` share none; `farthest` begins with the
    farthest. `closeness` (n,) is each face's cosine to the center of the others."""

    closeness: NDArray[np.float64]
    best: list[int]
    farthest: list[int]
    mixed: bool


def describe_cluster(
    *, vectors: NDArray[np.float32], quality: NDArray[np.float64], thresholds: Thresholds
) -> ClusterShape:
    """vectors (n, d) of unit length, quality (n,) from 0 to 1; n at least 1."""
    closeness, mixed = judge_cluster(vectors=vectors, thresholds=thresholds)
    ranked = np.argsort(closeness, kind="stable")
    # In a small cluster the card shows every face; none is set apart from only one or two others.
    farthest = ranked[:FARTHEST] if len(vectors) > BEST else ranked[:0]
    rest = np.setdiff1d(np.arange(len(vectors)), farthest)
    return ClusterShape(
        closeness=closeness,
        best=[int(rest[place]) for place in pick_varied(vectors[rest], quality[rest], count=BEST)],
        farthest=farthest.tolist(),
        mixed=mixed,
    )


def judge_cluster(
    *, vectors: NDArray[np.float32], thresholds: Thresholds
) -> tuple[NDArray[np.float64], bool]:
    """Each face's cosine (n,) to the center of the others, and whether the cluster may be of several people.

    It may if the three farthest are, on average, less like the others than the automatic line, or one of them is not
    even worth suggesting. Two people half and half are told by the first, a single stranger by the second.
    """
    _, places, sums = sum_clusters(np.zeros(len(vectors), dtype=np.int64), vectors)
    closeness = closeness_to_others(vectors, places, sums)
    farthest = np.sort(closeness)[:FARTHEST]
    mixed = farthest.mean() < thresholds.automatic or farthest[0] < thresholds.suggest
    return closeness, bool(mixed)


def pick_varied(vectors: NDArray[np.float32], quality: NDArray[np.float64], *, count: int) -> list[int]:
    """Places of up to `count` faces, the best first; each next one is good and unlike those before it.

    A burst is eight times the same picture: it says nothing about whether the others are the same person.
    """
    chosen: list[int] = []
    novelty = np.ones(len(vectors))
    open_places = np.ones(len(vectors), dtype=bool)
    for _ in range(min(count, len(vectors))):
        # A copy of a chosen face is still better than an empty place.
        worth = np.where(open_places, (quality + 1e-6) * (novelty + 1e-3), -1.0)
        place = int(worth.argmax())
        chosen.append(place)
        open_places[place] = False
        novelty = np.minimum(novelty, np.clip(1.0 - vectors @ vectors[place], 0.0, 1.0))
    return chosen


def propose_parts(
    *, vectors: NDArray[np.float32], photos: NDArray[np.int64], thresholds: Thresholds
) -> NDArray[np.int64]:
    """The part (n,) of each face, 0 the largest, or graph.ALONE: the cluster grouped again, each link as sure as a match."""
    strict = Lines(link=thresholds.automatic, sure=thresholds.automatic)
    return group_faces(vectors=vectors, photos=photos, lines=strict)
