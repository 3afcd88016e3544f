"""FPIR and TPIR in random galleries of fewer people."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.calibration.comparisons import compare
from recognition.embedders import Thresholds
from recognition.evaluation.gallery_sizes import Labeled, OfSize, choose_sizes, measure_sizes
from tests.recognition.evaluation.people import scattered_people

LINES = Thresholds(automatic=0.5, margin=0.0, suggest=0.3, strict=0.5)


def measure(
    vectors: NDArray[np.float32], people: NDArray[np.int64], lines: Thresholds = LINES, *, fitted: float = 2.0
) -> list[OfSize]:
    good = np.zeros(len(people), dtype=np.bool_)
    faces = Labeled(vectors, people, ~good, good)
    everybody = compare(
        vectors=vectors, people=people, references=~good, poor=good, rng=np.random.default_rng(0)
    )
    return measure_sizes(
        faces,
        everybody,
        lines=lines,
        lines_for=lambda enrolled: (fitted, fitted),
        rng=np.random.default_rng(0),
        tell=lambda share: None,
    )


def test_sizes_rise_by_one_two_and_five() -> None:
    assert choose_sizes(9) == []
    assert choose_sizes(10) == []
    assert choose_sizes(60) == [10, 20, 50]
    assert choose_sizes(501) == [10, 20, 50, 100, 200, 500]


def test_people_far_apart_are_all_named_and_no_stranger_is() -> None:
    vectors, people = scattered_people(40, 3, dimension=256, noise=0.2)
    rows = measure(vectors, people)
    assert [row.enrolled for row in rows] == [10, 20, 40]
    assert all((row.fixed.fpir, row.fixed.tpir) == (0, 1) for row in rows)


def test_more_strangers_are_named_the_more_people_are_enrolled() -> None:
    """Each person met is a chance to be taken for them: 1 - (1 - p)^N for scores that are independent."""
    vectors, people = scattered_people(200, 3, dimension=24, noise=0.3, seed=4)
    rows = measure(vectors, people)
    shares = [row.fixed.fpir for row in rows if row.fixed.fpir is not None]
    assert shares == sorted(shares)
    one = 1 - (1 - shares[0]) ** (1 / 10)
    assert shares[1] == pytest.approx(1 - (1 - one) ** 20, rel=0.25)


def test_the_last_size_asks_every_face_without_its_person() -> None:
    vectors, people = scattered_people(12, 3, dimension=8, noise=0.5, seed=1)
    similarities = vectors @ vectors.T
    others = np.where(people[:, None] == people[None, :], -1, similarities).max(axis=1)
    last = measure(vectors, people)[-1]
    assert (last.enrolled, last.strangers, last.draws) == (12, 36, 1)
    assert last.fixed.fpir == pytest.approx(float((others >= 0.5).mean()))


def test_the_line_for_a_size_is_measured_beside_the_line_in_force() -> None:
    vectors, people = scattered_people(30, 3, dimension=8, noise=0.5)
    for row in measure(vectors, people, fitted=2.0):
        assert row.fitted is not None
        assert (row.fitted.line, row.fitted.fpir, row.fitted.tpir) == (2.0, 0, 0)
        assert row.fixed.line == 0.5
        assert row.fixed.tpir is not None
        assert row.fixed.tpir > 0


def test_a_stranger_is_never_somebody_who_is_enrolled() -> None:
    """Faces that are all alike: only the margin of nobody keeps them apart, and each draw counts the others alone."""
    vectors, people = scattered_people(20, 2, dimension=64, noise=0.1)
    rows = measure(vectors, people)
    assert rows[0].enrolled == 10
    assert rows[0].strangers == rows[0].draws * 10 * 2
    assert rows[0].known == rows[0].draws * 10 * 2
