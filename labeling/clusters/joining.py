"""Join clusters whose centers say that they are one person: neighbors alone leave bursts and poses apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.centers import sum_clusters
from labeling.clusters.neighbors import link_faces

_ROUNDS = 5


def join_clusters(
    *,
    labels: NDArray[np.int64],
    vectors: NDArray[np.float32],
    photos: NDArray[np.int64],
    held: NDArray[np.int64],
    line: float,
) -> NDArray[np.int64]:
    """The labels (n,) after joining, the most alike first, while two centers are alike from `line` on.

    Never two clusters that share a photo, and never two that both hold a face (`held` not -1); of a joined pair the
    held number stays.
    """
    found, places, sums = sum_clusters(labels, vectors)
    kept = np.isin(found, held[held >= 0])
    order = np.argsort(places, kind="stable")
    seen = [set(part.tolist()) for part in np.split(photos[order], np.cumsum(np.bincount(places))[:-1])]
    into = np.arange(len(found))
    for _ in range(_ROUNDS):
        if not _join_once(sums=sums, seen=seen, kept=kept, into=into, line=line):
            break
    while (into[into] != into).any():
        into = into[into]
    joined: NDArray[np.int64] = found[into[places]]
    return joined


def _join_once(
    *,
    sums: NDArray[np.float64],
    seen: list[set[int]],
    kept: NDArray[np.bool_],
    into: NDArray[np.int64],
    line: float,
) -> bool:
    """One round over pairs of like centers; changes all its arguments. Whether anything was joined."""
    here = np.flatnonzero(into == np.arange(len(into)))
    centers = (sums[here] / np.linalg.norm(sums[here], axis=1, keepdims=True)).astype(np.float32)
    graph = link_faces(vectors=centers, photos=np.arange(len(here)), line=line)
    ones = np.repeat(here, np.diff(graph.starts))
    others = here[graph.others]
    once = ones < others
    ones, others, alike = ones[once], others[once], graph.similarities[once]
    joined = False
    for pair in np.lexsort((others, ones, -alike)).tolist():
        one, other = int(ones[pair]), int(others[pair])
        if into[one] != one or into[other] != other:
            continue
        if kept[other]:
            one, other = other, one
        if (kept[one] and kept[other]) or not seen[one].isdisjoint(seen[other]):
            continue
        # A center that has moved by a join of this round is no longer the one that was compared.
        near = sums[one] @ sums[other]
        if near < line * np.linalg.norm(sums[one]) * np.linalg.norm(sums[other]):
            continue
        sums[one] += sums[other]
        seen[one] |= seen[other]
        into[other] = one
        joined = True
    return joined
