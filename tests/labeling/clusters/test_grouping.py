"""Faces are grouped by person: purely, without two of one photo, and without moving what is held."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.clusters import THRESHOLDS as CROWD_THRESHOLDS
from bench.clusters import bcubed, make_crowd
from labeling.clusters.graph import ALONE, group_faces, lines_of
from tests.labeling.clusters.looks import THRESHOLDS, apart, between, make_people

LINES = lines_of(THRESHOLDS, faces=100)


def group(
    vectors: NDArray[np.float32], photos: NDArray[np.int64] | None = None, held: list[int] | None = None
) -> list[int]:
    labels = group_faces(
        vectors=vectors,
        photos=apart(len(vectors)) if photos is None else photos,
        lines=LINES,
        held=None if held is None else np.array(held),
    )
    return [int(label) for label in labels]


def test_each_person_is_a_cluster_the_largest_first_and_a_stranger_is_alone() -> None:
    assert group(make_people((2, 0.8), (4, 0.8), (1, 0.8))) == [1, 1, 0, 0, 0, 0, ALONE]


def test_nobody_makes_no_cluster() -> None:
    assert group(np.empty((0, 8), np.float32)) == []


def test_two_faces_of_one_photo_are_not_one_person_however_alike() -> None:
    labels = group(make_people((5, 0.9)), photos=np.array([1, 2, 3, 4, 1]))

    assert labels[1:4] == [0, 0, 0]
    assert sorted([labels[0], labels[4]]) == [ALONE, 0]


def test_of_two_faces_of_one_photo_the_one_nearer_to_the_center_stays() -> None:
    people = make_people((6, 0.85), (1, 0.85))
    vectors = people[:6]
    vectors[5] = between(people[0], people[6], to_one=0.8)

    assert group(vectors, photos=np.array([1, 2, 3, 4, 5, 5]))[4:] == [0, ALONE]


def test_two_look_alikes_who_share_photos_are_parted() -> None:
    vectors = make_people((6, 0.9), (6, 0.9))
    # The second person is so like the first that every face of the one is linked to some of the other.
    second = 0.75 * vectors[:6].mean(axis=0) + 0.7 * vectors[6:]
    vectors[6:] = second / np.linalg.norm(second, axis=1, keepdims=True)
    assert (vectors[:6] @ vectors[6:].T > LINES.link).all()

    labels = group(vectors, photos=np.array([1, 2, 3, 4, 5, 6] * 2))

    assert len(set(labels[:6])) == len(set(labels[6:])) == 1
    assert labels[0] != labels[6]


def test_a_face_that_one_neighbor_brings_in_leaves_when_it_is_unlike_the_others() -> None:
    vectors = make_people((5, 0.75), (1, 0.75))
    vectors[5] = between(vectors[0], vectors[5], to_one=0.66)
    assert vectors[5] @ vectors[0] > LINES.link

    assert group(vectors) == [0, 0, 0, 0, 0, ALONE]


def test_bursts_of_one_person_that_no_neighbor_links_are_joined_by_their_centers() -> None:
    centers = make_people((2, 0.8))
    rng = np.random.default_rng(2)
    bursts = np.repeat(centers, 25, axis=0) + rng.normal(0, 0.01, (50, centers.shape[1]))
    bursts = (bursts / np.linalg.norm(bursts, axis=1, keepdims=True)).astype(np.float32)

    assert set(group(bursts)) == {0}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hard_crowd_is_grouped_purely_and_never_two_of_one_photo(seed: int) -> None:
    crowd = make_crowd(1500, seed=seed)
    lines = lines_of(CROWD_THRESHOLDS, faces=1500)

    labels = group_faces(vectors=crowd.vectors, photos=crowd.photos, lines=lines)

    precision, recall = bcubed(labels, crowd.owners)
    assert precision >= 0.99
    assert recall >= 0.93
    inside = np.stack([labels, crowd.photos], axis=1)[labels != ALONE]
    assert len(np.unique(inside, axis=0)) == len(inside)


def test_the_same_faces_make_the_same_clusters() -> None:
    crowd = make_crowd(600, seed=4)

    assert group(crowd.vectors, crowd.photos) == group(crowd.vectors, crowd.photos)


def test_an_arrival_joins_the_cluster_it_looks_like() -> None:
    assert group(make_people((4, 0.8), (3, 0.8)), held=[7, 7, 7, ALONE, 2, 2, 2]) == [7, 7, 7, 7, 2, 2, 2]


def test_arrivals_that_look_like_no_cluster_open_one_together() -> None:
    assert group(make_people((3, 0.8), (2, 0.8)), held=[7, 7, 7, ALONE, ALONE]) == [7, 7, 7, 8, 8]


def test_an_arrival_opens_a_cluster_with_a_face_that_waited() -> None:
    before = group(make_people((3, 0.8), (2, 0.8))[:4])
    assert before == [0, 0, 0, ALONE]

    assert group(make_people((3, 0.8), (2, 0.8)), held=[*before, ALONE]) == [0, 0, 0, 1, 1]


def test_an_arrival_that_looks_like_nobody_waits() -> None:
    assert group(make_people((3, 0.8), (1, 0.8)), held=[7, 7, 7, ALONE])[3] == ALONE


def test_an_arrival_from_a_photo_that_the_cluster_has_does_not_join() -> None:
    labels = group(make_people((4, 0.9)), photos=np.array([1, 2, 3, 3]), held=[7, 7, 7, ALONE])

    assert labels == [7, 7, 7, ALONE]


def test_of_two_arrivals_of_one_photo_one_joins() -> None:
    labels = group(make_people((5, 0.9)), photos=np.array([1, 2, 3, 4, 4]), held=[7, 7, 7, ALONE, ALONE])

    assert sorted(labels[3:]) == [ALONE, 7]


def test_held_clusters_never_become_one_nor_lose_a_face() -> None:
    vectors = make_people((6, 0.9))
    held = [3, 3, 3, 4, 4, 9]

    assert group(vectors, photos=np.array([1, 1, 2, 3, 4, 5]), held=held) == held


def test_arriving_photo_by_photo_ends_as_pure_as_all_at_once() -> None:
    crowd = make_crowd(400, seed=6)
    labels = np.full(0, ALONE)
    for end in range(4, int(crowd.photos.max()) + 5, 4):
        here = np.flatnonzero(crowd.photos < end)
        held = np.full(len(crowd.photos), ALONE)
        held[: len(labels)] = labels
        labels = np.full(len(crowd.photos), ALONE)
        lines = lines_of(CROWD_THRESHOLDS, faces=len(here))
        labels[here] = group_faces(
            vectors=crowd.vectors[here], photos=crowd.photos[here], lines=lines, held=held[here]
        )

    precision, recall = bcubed(labels, crowd.owners)
    assert precision >= 0.99
    assert recall >= 0.93


def test_a_link_lies_halfway_between_the_lines_in_an_ordinary_event_and_at_the_automatic_one_in_a_crowd() -> (
    None
):
    assert [round(lines_of(THRESHOLDS, faces=faces).link, 2) for faces in (1, 1000, 5000, 10**6)] == [
        0.60,
        0.60,
        0.65,
        0.70,
    ]
