"""Group the faces of one event by person: whisper on the graph of neighbors, part what cannot be one person, join what is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.centers import closeness_to_others, sum_clusters
from labeling.clusters.joining import join_clusters
from labeling.clusters.neighbors import Graph, cut_graph, link_faces
from labeling.clusters.whispers import whisper
from recognition.embedders.base import Thresholds

ALONE = -1
# A cluster with two faces of one photo is whispered again this often, each time with a higher line.
_STEPS = 3
_ORDINARY, _CROWD = 1_000, 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """On cosines. From `link` on two faces are neighbors. From `sure` on a face is like the center of the others of its
    cluster, which it leaves otherwise, and two clusters are one."""

    link: float
    sure: float


def lines_of(thresholds: Thresholds, *, faces: int) -> Lines:
    """The lines for grouping that many faces, tied to what the embedder's similarities mean.

    Many neighbors vote, so each may be less sure than a match that names a face alone: in an event of ordinary size a
    link lies halfway between the suggest and the automatic line. Among more faces more strangers look alike by chance,
    and the link rises to the automatic line.
    """
    crowd = min(1.0, max(0.0, np.log(max(1, faces) / _ORDINARY) / np.log(_CROWD / _ORDINARY)))
    share = (1 + crowd) / 2
    link = thresholds.suggest + (thresholds.automatic - thresholds.suggest) * share
    return Lines(link=float(link), sure=thresholds.automatic)


def group_faces(
    *,
    vectors: NDArray[np.float32],
    photos: NDArray[np.int64],
    lines: Lines,
    held: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """The cluster (n,) of each face, or ALONE; never two faces of one photo in one.

    vectors (n, d) of unit length, photos (n,). A face whose `held` is not ALONE stays in that cluster; the others join
    such a cluster, open one together, numbered from the largest held number on, or stay alone. Only the others are
    compared with everybody, so a few arrivals are placed at little cost.
    """
    held = np.full(len(vectors), ALONE, dtype=np.int64) if held is None else held
    free = np.flatnonzero(held == ALONE)
    if len(free) == 0:
        return held.copy()
    graph = link_faces(vectors=vectors, photos=photos, line=lines.link, rows=free)
    labels = whisper(graph, weights=graph.similarities, held=held)
    labels = _part_conflicts(graph, labels=labels, photos=photos, lines=lines, held=held)
    labels = _drop_conflicts(labels=labels, vectors=vectors, photos=photos, held=held)
    labels = _expel_far(labels=labels, vectors=vectors, held=held, line=lines.sure)
    labels = join_clusters(labels=labels, vectors=vectors, photos=photos, held=held, line=lines.sure)
    return _number_anew(labels, held)


def _part_conflicts(
    graph: Graph,
    *,
    labels: NDArray[np.int64],
    photos: NDArray[np.int64],
    lines: Lines,
    held: NDArray[np.int64],
) -> NDArray[np.int64]:
    """New clusters with two faces of one photo are probably two people: whispered again among themselves."""
    labels = labels.copy()
    for step in range(1, _STEPS + 1):
        line = lines.link + (lines.sure - lines.link) * step / _STEPS
        for number in _conflicting(labels, photos, held):
            nodes = np.flatnonzero(labels == number)
            part = cut_graph(graph, nodes=nodes, line=line)
            labels[nodes] = labels.max() + 1 + whisper(part, weights=part.similarities)
    return labels


def _conflicting(labels: NDArray[np.int64], photos: NDArray[np.int64], held: NDArray[np.int64]) -> list[int]:
    """Numbers of the clusters without held faces that have two faces of one photo."""
    both = np.stack([labels, photos], axis=1)
    found, counts = np.unique(both, axis=0, return_counts=True)
    doubled = set(found[counts > 1, 0].tolist())
    return sorted(doubled - set(held[held != ALONE].tolist()))


def _drop_conflicts(
    *,
    labels: NDArray[np.int64],
    vectors: NDArray[np.float32],
    photos: NDArray[np.int64],
    held: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Of two faces of one photo in one cluster the one nearer to the center stays, and a held one before any other."""
    _, places, sums = sum_clusters(labels, vectors)
    closeness = np.einsum("nd,nd->n", vectors, sums[places])
    order = np.lexsort((-closeness, held == ALONE, photos, labels))
    same = (labels[order][1:] == labels[order][:-1]) & (photos[order][1:] == photos[order][:-1])
    labels = labels.copy()
    losing = order[1:][same]
    losing = losing[held[losing] == ALONE]
    labels[losing] = labels.max() + 1 + np.arange(len(losing))
    return labels


def _expel_far(
    *, labels: NDArray[np.int64], vectors: NDArray[np.float32], held: NDArray[np.int64], line: float
) -> NDArray[np.int64]:
    """A face that one neighbor brought in leaves again if it is not like the center of the others."""
    _, places, sums = sum_clusters(labels, vectors)
    far = (closeness_to_others(vectors, places, sums) < line) & (held == ALONE)
    labels = labels.copy()
    labels[far] = labels.max() + 1 + np.arange(int(far.sum()))
    return labels


def _number_anew(labels: NDArray[np.int64], held: NDArray[np.int64]) -> NDArray[np.int64]:
    """ALONE for clusters of one, held numbers as they are, the others from the largest held number on, largest first."""
    found, places, counts = np.unique(labels, return_inverse=True, return_counts=True)
    numbers = np.full(len(found), ALONE, dtype=np.int64)
    old = np.isin(found, held[held != ALONE])
    numbers[old] = found[old]
    new = np.flatnonzero(~old & (counts > 1))
    new = new[np.argsort(-counts[new], kind="stable")]
    numbers[new] = max(ALONE, int(held.max())) + 1 + np.arange(len(new))
    answer: NDArray[np.int64] = numbers[places]
    return answer
