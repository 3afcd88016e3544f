"""The graph of neighbors, against a brute force."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from labeling.clusters import neighbors
from labeling.clusters.neighbors import Graph, cut_graph, link_faces
from tests.labeling.clusters.looks import apart, make_people


def pairs_of(graph: Graph) -> set[tuple[int, int]]:
    origins = np.repeat(np.arange(graph.size), np.diff(graph.starts))
    return set(zip(origins.tolist(), graph.others.tolist(), strict=True))


def random_faces(count: int) -> NDArray[np.float32]:
    vectors = np.random.default_rng(3).standard_normal((count, 6))
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize("block", [1, 1000, 1 << 24])
def test_links_are_those_of_a_brute_force_in_blocks_of_any_size(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbors, "_BLOCK", block)
    vectors = random_faces(120)
    photos = np.arange(120) // 7
    near = vectors @ vectors.T
    expected: set[tuple[int, int]] = set()
    for face in range(120):
        allowed = [
            other for other in range(120) if photos[other] != photos[face] and near[face, other] >= 0.6
        ]
        for other in sorted(allowed, key=lambda other: -near[face, other])[:5]:
            expected |= {(face, other), (other, face)}

    graph = link_faces(vectors=vectors, photos=photos, line=0.6, count=5)

    assert pairs_of(graph) == expected


def test_faces_of_one_photo_are_never_linked() -> None:
    vectors = make_people((3, 0.95))

    graph = link_faces(vectors=vectors, photos=np.array([1, 1, 2]), line=0.5)

    assert pairs_of(graph) == {(0, 2), (2, 0), (1, 2), (2, 1)}


def test_only_the_wanted_rows_are_compared() -> None:
    vectors = make_people((4, 0.9))

    graph = link_faces(vectors=vectors, photos=apart(4), line=0.5, rows=np.array([3]))

    assert pairs_of(graph) == {(3, 0), (3, 1), (3, 2), (0, 3), (1, 3), (2, 3)}


def test_nobody_has_no_links() -> None:
    graph = link_faces(vectors=np.empty((0, 8), np.float32), photos=apart(0), line=0.5)

    assert graph.size == 0
    assert pairs_of(graph) == set()


def test_a_cut_keeps_the_links_among_its_faces_from_the_line_on() -> None:
    vectors = make_people((3, 0.9), (2, 0.6))
    graph = link_faces(vectors=vectors, photos=apart(5), line=0.5)

    assert pairs_of(cut_graph(graph, nodes=np.array([1, 2, 3, 4]), line=0.8)) == {(0, 1), (1, 0)}
