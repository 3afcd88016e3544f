"""What is computed of one person's faces: how far each is from the others, and which may be somebody else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from labeling.people.splitting import split_in_two
from recognition.embedders import Thresholds
from recognition.people.audit import closeness_to_person, describe_closeness
from tests.factories import vector_near
from tests.labeling.conftest import ALICE, BOB

LINES = Thresholds(automatic=0.7, margin=0.1, suggest=0.4, strict=0.8)


def faces_of(vector: NDArray[np.float32], count: int, similarity: float = 0.8) -> NDArray[np.float32]:
    return np.stack([vector_near(vector, similarity, seed=seed) for seed in range(count)])


class TestCloseness:
    def test_a_reference_does_not_speak_for_itself(self) -> None:
        vectors = np.stack([ALICE, ALICE, BOB])
        cosines = closeness_to_person(vectors, np.array([True, True, True]))
        assert cosines[2] == pytest.approx(float(ALICE @ BOB), abs=1e-5)

    def test_others_are_compared_with_the_references_alone(self) -> None:
        vectors = np.stack([ALICE, BOB, BOB])
        cosines = closeness_to_person(vectors, np.array([True, False, False]))
        assert cosines[1] == pytest.approx(float(ALICE @ BOB), abs=1e-5)

    def test_the_only_reference_is_compared_with_the_other_faces(self) -> None:
        vectors = np.stack([ALICE, BOB, BOB])
        cosines = closeness_to_person(vectors, np.array([True, False, False]))
        assert cosines[0] == pytest.approx(float(ALICE @ BOB), abs=1e-5)

    def test_a_face_that_is_alone_is_not_compared(self) -> None:
        cosines = closeness_to_person(ALICE[np.newaxis], np.array([True]))
        assert np.isnan(cosines[0])
        assert describe_closeness(float(cosines[0]), LINES).word == "not compared"

    @pytest.mark.parametrize(
        ("cosine", "word"), [(0.39, "unlike"), (0.4, "less like"), (0.69, "less like"), (0.7, "alike")]
    )
    def test_the_embedders_lines_give_the_words(self, cosine: float, word: str) -> None:
        assert describe_closeness(cosine, LINES).word == word


class TestSplit:
    @pytest.mark.parametrize("strangers", [1, 2, 5, 40])
    def test_a_few_faces_of_a_stranger_are_found_among_many(self, strangers: int) -> None:
        vectors = np.concatenate([faces_of(ALICE, 60), faces_of(BOB, strangers)])
        assert split_in_two(vectors).tolist() == [False] * 60 + [True] * strangers

    def test_the_smaller_part_is_the_one_set_apart(self) -> None:
        vectors = np.concatenate([faces_of(ALICE, 3), faces_of(BOB, 9)])
        assert split_in_two(vectors).tolist() == [True] * 3 + [False] * 9

    def test_neither_part_is_ever_empty(self) -> None:
        for vectors in (np.stack([ALICE, ALICE]), np.stack([ALICE] * 5), np.stack([ALICE, BOB])):
            assert 0 < split_in_two(vectors).sum() < len(vectors)
