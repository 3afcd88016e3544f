"""What a cluster's card shows of its faces."""

from __future__ import annotations

import numpy as np
import pytest

from labeling.clusters.faces import describe_cluster, pick_varied, propose_parts
from labeling.clusters.graph import ALONE
from tests.labeling.clusters.looks import THRESHOLDS, apart, between, make_people


def test_the_best_and_the_three_farthest_share_no_face() -> None:
    vectors = make_people((20, 0.8))

    shape = describe_cluster(vectors=vectors, quality=np.linspace(0, 1, 20), thresholds=THRESHOLDS)

    assert len(shape.best) == 8
    assert len(shape.farthest) == 3
    assert not set(shape.best) & set(shape.farthest)


def test_the_farthest_begin_with_the_farthest() -> None:
    vectors = make_people((20, 0.8), (2, 0.8))
    vectors[4] = between(vectors[0], vectors[20], to_one=0.6)
    vectors[9] = between(vectors[1], vectors[21], to_one=0.7)

    shape = describe_cluster(vectors=vectors[:20], quality=np.ones(20), thresholds=THRESHOLDS)

    assert shape.farthest[:2] == [4, 9]
    assert shape.closeness.argmin() == 4


def test_a_cluster_that_fits_on_the_card_has_no_farthest() -> None:
    shape = describe_cluster(vectors=make_people((8, 0.8)), quality=np.ones(8), thresholds=THRESHOLDS)

    assert sorted(shape.best) == list(range(8))
    assert shape.farthest == []


def test_the_best_is_the_face_of_the_highest_quality() -> None:
    quality = np.array([0.2, 0.9, 0.4])

    assert pick_varied(make_people((3, 0.8)), quality, count=1) == [1]


def test_a_burst_does_not_fill_the_card() -> None:
    vectors = make_people((4, 0.75))
    burst = np.vstack([np.repeat(vectors[:1], 10, axis=0), vectors[1:]])
    quality = np.array([0.9] * 10 + [0.5] * 3)

    assert set(pick_varied(burst, quality, count=4)) == {0, 10, 11, 12}


def test_copies_fill_the_card_where_there_is_nothing_else() -> None:
    same = np.repeat(make_people((1, 0.9)), 5, axis=0)

    assert sorted(pick_varied(same, np.zeros(5), count=8)) == [0, 1, 2, 3, 4]


def test_one_person_is_not_mixed() -> None:
    shape = describe_cluster(vectors=make_people((12, 0.75)), quality=np.ones(12), thresholds=THRESHOLDS)

    assert not shape.mixed


def test_a_single_face_is_not_mixed() -> None:
    shape = describe_cluster(vectors=make_people((1, 0.75)), quality=np.ones(1), thresholds=THRESHOLDS)

    assert not shape.mixed
    assert shape.best == [0]


@pytest.mark.parametrize(("ones", "others"), [(10, 10), (12, 3), (20, 1), (1, 1)])
def test_two_people_are_mixed(ones: int, others: int) -> None:
    vectors = make_people((ones, 0.8), (others, 0.8))

    shape = describe_cluster(vectors=vectors, quality=np.ones(ones + others), thresholds=THRESHOLDS)

    assert shape.mixed


def test_one_poorer_face_of_the_right_person_does_not_make_a_cluster_mixed() -> None:
    vectors = make_people((12, 0.85), (1, 0.85))
    vectors[11] = between(vectors[0], vectors[12], to_one=0.72)

    shape = describe_cluster(vectors=vectors[:12], quality=np.ones(12), thresholds=THRESHOLDS)

    assert shape.closeness[11] < THRESHOLDS.automatic
    assert not shape.mixed


def test_two_people_are_proposed_as_two_parts_and_a_stray_as_none() -> None:
    vectors = make_people((3, 0.8), (5, 0.8), (1, 0.8))

    parts = propose_parts(vectors=vectors, photos=apart(9), thresholds=THRESHOLDS)

    assert parts.tolist() == [1, 1, 1, 0, 0, 0, 0, 0, ALONE]
