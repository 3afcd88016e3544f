"""Chinese whispers on graphs that were drawn by hand."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.neighbors import build_graph
from labeling.clusters.whispers import whisper

TWO_FRIENDSHIPS = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]


def hear(
    size: int, links: list[tuple[int, int]], *, held: list[int] | None = None, weight: float = 1.0
) -> NDArray[np.int64]:
    graph = build_graph(
        size=size,
        sources=np.array([one for one, _ in links], dtype=np.int64),
        targets=np.array([other for _, other in links], dtype=np.int64),
        similarities=np.full(len(links), weight, dtype=np.float32),
    )
    return whisper(graph, weights=graph.similarities, held=None if held is None else np.array(held))


def test_two_friendships_with_one_link_between_them_stay_two() -> None:
    labels = hear(6, [*TWO_FRIENDSHIPS, (2, 3)])

    assert len(set(labels[:3])) == len(set(labels[3:])) == 1
    assert labels[0] != labels[3]


def test_who_has_no_links_stays_alone() -> None:
    labels = hear(7, TWO_FRIENDSHIPS)

    assert (labels[:6] != labels[6]).all()


def test_the_same_graph_gives_the_same_numbers() -> None:
    rng = np.random.default_rng(5)
    links = [(int(one), int(other)) for one, other in rng.integers(0, 200, (600, 2)) if one != other]

    assert hear(200, links).tolist() == hear(200, links).tolist()


def test_a_held_face_keeps_its_number_whatever_its_neighbors_say() -> None:
    labels = hear(4, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], held=[8, 5, 5, 5])

    assert labels.tolist() == [8, 5, 5, 5]


def test_a_free_face_takes_the_held_number_that_most_of_its_neighbors_have() -> None:
    labels = hear(4, [(0, 1), (0, 2), (0, 3)], held=[-1, 5, 7, 7])

    assert labels.tolist() == [7, 5, 7, 7]


def test_free_faces_that_hear_of_no_held_one_are_numbered_behind_them() -> None:
    labels = hear(3, [(0, 1)], held=[-1, -1, 5])

    assert labels[0] == labels[1] > 5
