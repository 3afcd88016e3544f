"""The open-set protocol: fit, enrolled and strangers are three disjoint parts of the people."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.calibration.splits import OpenSet, open_set_splits
from recognition.embedders.base import Thresholds
from tests.recognition.calibration.crowds import make_crowd

LINES = Thresholds(automatic=0.6, margin=0.02, suggest=0.5, strict=0.7)


def split(people: int, *, splits: int = 25, faces: int = 8, seed: int = 1) -> OpenSet | None:
    crowd = make_crowd(people, rng=np.random.default_rng(7), faces=faces)
    return open_set_splits(
        vectors=crowd.vectors,
        people=crowd.people,
        thresholds=LINES,
        splits=splits,
        target=0.02,
        references=4,
        seed=seed,
    )


def test_strangers_get_names_as_rarely_as_asked() -> None:
    found = split(60)
    assert found is not None
    assert 0.5 * 0.02 < found.fpir < 1.5 * 0.02
    assert found.tpir > 0.9
    assert found.fpir_interval[0] <= found.fpir <= found.fpir_interval[1]


def test_fixed_lines_are_judged_on_the_same_faces() -> None:
    found = split(30, splits=8)
    assert found is not None
    assert 0 <= found.fixed_fpir < 0.02
    assert 0.5 < found.fixed_tpir <= 1
    assert found.enrolled == 10
    assert found.probes == 8 * 10 * 8


def test_a_seed_gives_the_same_figures_again() -> None:
    assert split(18, splits=3) == split(18, splits=3)
    assert split(18, splits=3) != split(18, splits=3, seed=2)


@pytest.mark.parametrize(("people", "faces"), [(0, 8), (5, 8), (30, 4)])
def test_too_few_people_or_faces_give_no_figures(people: int, faces: int) -> None:
    assert split(people, faces=faces) is None
