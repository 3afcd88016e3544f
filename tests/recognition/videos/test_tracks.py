"""Faces followed from frame to frame: one appearance is one, whoever crosses, hides, looks aside or is cut away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from recognition.geometry import Box
from recognition.videos.appearances import Appearance, Likeness, SeenFace, SeenFrame, is_worth_an_entry
from recognition.videos.tracks import follow_faces
from tests.factories import unit_vectors, vector_near

STEP = 200
LIKENESS = Likeness(same=0.76, alike=0.5, other=0.15)
ANN, BEN = unit_vectors(2, 64, seed=3)


def seen(
    who: NDArray[np.float32],
    x: float,
    y: float = 100,
    *,
    side: float = 80,
    score: float = 0.99,
    sharpness: float = 50,
    like: float = 0.9,
    seed: int = 0,
) -> SeenFace:
    box = Box(x, y, x + side, y + side)
    shares = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]], dtype=np.float32)
    landmarks = (shares * side + np.array([x, y])).astype(np.float32)
    vector = vector_near(who, like, seed + 100)
    return SeenFace(box=box, landmarks=landmarks, score=score, sharpness=sharpness, vector=vector)


def film(*frames: Sequence[SeenFace]) -> list[SeenFrame]:
    return [
        SeenFrame(number=5 * place, at_ms=STEP * place, faces=faces) for place, faces in enumerate(frames)
    ]


def spans(found: Sequence[Appearance]) -> list[tuple[int, int, int]]:
    return [(one.first_ms, one.last_ms, one.frames) for one in found]


def test_a_face_that_walks_is_one_appearance() -> None:
    found = follow_faces(film(*([seen(ANN, 100 + 30 * at, seed=at)] for at in range(8))), LIKENESS)
    assert spans(found) == [(0, 1400, 8)]


def test_two_people_who_cross_stay_two() -> None:
    frames = film(
        *([seen(ANN, 100 + 40 * at, seed=at), seen(BEN, 500 - 40 * at, 110, seed=at)] for at in range(11))
    )
    found = follow_faces(frames, LIKENESS)
    assert spans(found) == [(0, 2000, 11), (0, 2000, 11)]
    assert [float(one.best.vector @ who) > 0.8 for one, who in zip(found, (ANN, BEN), strict=True)] == [
        True,
        True,
    ]


def test_whoever_is_hidden_for_a_moment_goes_on() -> None:
    frames = film(*([] if at in {3, 4} else [seen(ANN, 100 + 20 * at)] for at in range(8)))
    assert spans(follow_faces(frames, LIKENESS)) == [(0, 1400, 6)]


def test_somebody_else_in_the_same_place_is_another_appearance() -> None:
    """A camera that cuts to another speaker at the same desk."""
    frames = film(*([seen(ANN if at < 4 else BEN, 100, seed=at)] for at in range(8)))
    assert spans(follow_faces(frames, LIKENESS)) == [(0, 600, 4), (800, 1400, 4)]


def test_whoever_is_cut_away_and_back_is_one_appearance() -> None:
    """Surely the same face a few seconds later, elsewhere in the picture."""
    shot = [[seen(ANN, 100, seed=at)] for at in range(4)]
    other = [[seen(BEN, 700, seed=at)] for at in range(15)]
    back = [[seen(ANN, 600, seed=at)] for at in range(4)]
    assert spans(follow_faces(film(*shot, *other, *back), LIKENESS)) == [(0, 4400, 8), (800, 3600, 15)]


def test_who_comes_back_after_a_long_time_appears_twice() -> None:
    absent: list[list[SeenFace]] = [[]] * 60
    frames = film(*[[seen(ANN, 100)]] * 3, *absent, *[[seen(ANN, 100)]] * 3)
    assert len(follow_faces(frames, LIKENESS)) == 2


def test_two_faces_of_one_frame_are_never_joined() -> None:
    """Twins, or a mirror: as alike as can be."""
    frames = film(*([seen(ANN, 100, like=1.0), seen(ANN, 500, like=1.0)] for _ in range(5)))
    assert spans(follow_faces(frames, LIKENESS)) == [(0, 800, 5), (0, 800, 5)]


def test_whoever_looks_aside_in_one_place_is_joined_by_a_weaker_likeness() -> None:
    aside: list[list[SeenFace]] = [[]] * 8
    turned = vector_near(ANN, 0.7, seed=9)
    there = film(*[[seen(ANN, 100, like=1.0)]] * 3, *aside, *[[seen(turned, 110, like=1.0)]] * 3)
    assert spans(follow_faces(there, LIKENESS)) == [(0, 2600, 6)]
    elsewhere = film(*[[seen(ANN, 100, like=1.0)]] * 3, *aside, *[[seen(turned, 800, like=1.0)]] * 3)
    assert len(follow_faces(elsewhere, LIKENESS)) == 2


def test_whoever_runs_is_followed_by_their_face() -> None:
    frames = film(*([seen(ANN, 100 + 190 * at, seed=at, like=0.95)] for at in range(6)))
    assert spans(follow_faces(frames, LIKENESS)) == [(0, 1000, 6)]


def test_the_best_crop_is_the_large_and_sharp_one() -> None:
    sides = [40, 60, 120, 90]
    faces = [seen(ANN, 100, side=side, sharpness=60) for side in sides]
    faces[3] = seen(ANN, 100, side=125, sharpness=2)
    [found] = follow_faces(film(*([face] for face in faces)), LIKENESS)
    assert (found.number, found.at_ms) == (10, 400)


@pytest.mark.parametrize(
    ("face", "worth"),
    [
        (seen(ANN, 100, side=80, score=0.999, sharpness=50), True),
        (seen(ANN, 100, side=30, score=0.93, sharpness=50), False),
        (seen(ANN, 100, side=80, score=0.95, sharpness=50), False),
    ],
)
def test_what_is_seen_once_is_worth_an_entry_only_if_it_is_a_good_face(
    face: SeenFace, *, worth: bool
) -> None:
    [found] = follow_faces(film([face]), LIKENESS)
    assert is_worth_an_entry(found) is worth


def test_a_poor_face_in_two_frames_is_worth_an_entry() -> None:
    poor = seen(ANN, 100, side=30, score=0.93, sharpness=5)
    [found] = follow_faces(film([poor], [poor]), LIKENESS)
    assert is_worth_an_entry(found)


def test_a_crop_with_somebody_right_beside_is_not_the_best_one() -> None:
    near, away = seen(BEN, 170, side=80, seed=1), seen(BEN, 600, side=80, seed=1)
    frames = film(
        [seen(ANN, 100, side=90), near], [seen(ANN, 100, side=84), away], [seen(ANN, 100, side=90), near]
    )
    found = follow_faces(frames, LIKENESS)
    assert found[0].at_ms == STEP
