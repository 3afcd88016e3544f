"""Pairs of faces: all of them, or a fair sample; histogram and spread."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from recognition.evaluation.pairs import count_by_similarity, draw_pairs, spread_of
from tests.recognition.evaluation.people import scattered_people


def test_all_pairs_of_few_faces_are_those_of_a_double_loop() -> None:
    vectors, people = scattered_people(4, 3)
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(0))
    same: list[float] = []
    different: list[float] = []
    for a, b in combinations(range(len(people)), 2):
        (same if people[a] == people[b] else different).append(float(vectors[a] @ vectors[b]))
    assert sorted(pairs.same.tolist()) == pytest.approx(sorted(same), abs=1e-6)
    assert sorted(pairs.different.tolist()) == pytest.approx(sorted(different), abs=1e-6)
    assert (pairs.same_total, pairs.different_total, pairs.people) == (12, 54, 4)


def test_a_sample_holds_pairs_of_one_person_and_of_two_and_says_how_many_there_are() -> None:
    vectors, people = scattered_people(30, 20)
    people = people * 7 + 100  # numbers of a database
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(1), at_most=4000)
    everything = draw_pairs(vectors, people, rng=np.random.default_rng(1))
    assert len(pairs.same) == 4000
    assert 3500 < len(pairs.different) < 4000
    assert (pairs.same_total, pairs.different_total) == (30 * 190, 600 * 599 // 2 - 30 * 190)
    assert (pairs.first != pairs.second).all()
    assert pairs.same.max() < 0.9999, "no face is paired with itself"
    assert pairs.same.mean() == pytest.approx(everything.same.mean(), abs=0.01)
    assert pairs.different.mean() == pytest.approx(everything.different.mean(), abs=0.01)


def test_few_same_pairs_among_very_many_others_are_all_there() -> None:
    vectors, people = scattered_people(100, 2)
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(1), at_most=500)
    assert len(pairs.same) == 100
    assert sorted(pairs.same_of.tolist()) == list(range(100))


def test_one_person_alone_has_no_different_pairs() -> None:
    vectors, people = scattered_people(1, 40)
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(0), at_most=10)
    assert len(pairs.different) == 0
    assert spread_of(pairs.different, pairs.different_total) is None


def test_the_spread_is_that_of_the_sample() -> None:
    told = spread_of(np.array([0.1, 0.3, 0.8], dtype=np.float32), 7)
    assert told is not None
    assert (told.count, told.total) == (3, 7)
    assert (told.mean, told.least, told.most) == pytest.approx((0.4, 0.1, 0.8))
    assert told.sd == pytest.approx(np.std([0.1, 0.3, 0.8], ddof=1))


def test_the_histogram_counts_every_pair_once() -> None:
    vectors, people = scattered_people(10, 4)
    pairs = draw_pairs(vectors, people, rng=np.random.default_rng(0))
    told = count_by_similarity(pairs)
    assert sum(told.same) == pytest.approx(1)
    assert sum(told.different) == pytest.approx(1)
    place = int((float(pairs.same[0]) - told.start) / told.step)
    inside = (pairs.same >= told.start + place * told.step) & (
        pairs.same < told.start + (place + 1) * told.step
    )
    assert told.same[place] == pytest.approx(inside.mean())
