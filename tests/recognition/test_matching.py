import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognition.embedders import Thresholds
from recognition.matching import PersonScore, Verdict, assign_people, judge, words_for

LINES = Thresholds(automatic=0.7, margin=0.1, suggest=0.4, strict=0.8)


def people(*scores: tuple[int, float]) -> list[PersonScore]:
    return [PersonScore(person_id, similarity, (person_id * 10,), 1) for person_id, similarity in scores]


@pytest.mark.parametrize(
    ("scores", "verdict", "margin"),
    [
        ([], Verdict.UNKNOWN, None),
        ([(1, 0.7)], Verdict.AUTOMATIC, None),
        ([(1, 0.9), (2, 0.75)], Verdict.AUTOMATIC, 0.15),
        ([(1, 0.9), (2, 0.85)], Verdict.SUGGEST, 0.05),
        ([(1, 0.69), (2, 0.1)], Verdict.SUGGEST, 0.59),
        ([(1, 0.4)], Verdict.SUGGEST, None),
        ([(1, 0.39)], Verdict.UNKNOWN, None),
        ([(1, -0.2), (2, -0.3)], Verdict.UNKNOWN, 0.1),
    ],
)
def test_a_face_is_judged_by_its_best_person_and_the_lead(
    scores: list[tuple[int, float]], verdict: Verdict, margin: float | None
) -> None:
    judgement = judge(people(*scores), LINES)
    assert judgement.verdict is verdict
    assert judgement.margin == (None if margin is None else pytest.approx(margin))


def test_a_match_under_the_line_names_nobody_but_keeps_the_score() -> None:
    (match,) = assign_people([people((1, 0.5), (2, 0.3))], LINES)
    assert match.person_id is None
    assert (match.best_person_id, match.similarity, match.references) == (1, 0.5, (10,))
    assert match.margin == pytest.approx(0.2)
    assert match.thresholds == LINES


def test_an_empty_gallery_gives_a_match_without_a_score() -> None:
    (match,) = assign_people([[]], LINES)
    assert (match.verdict, match.person_id, match.best_person_id, match.similarity) == (
        Verdict.UNKNOWN,
        None,
        None,
        None,
    )


def test_of_two_faces_of_one_person_the_better_keeps_the_name() -> None:
    worse, better, other = assign_people(
        [people((1, 0.8), (2, 0.2)), people((1, 0.9), (2, 0.1)), people((2, 0.8), (1, 0.3))], LINES
    )
    assert (worse.person_id, better.person_id, other.person_id) == (None, 1, 2)
    assert (worse.verdict, worse.best_person_id, worse.similarity) == (Verdict.SUGGEST, 1, 0.8)


def test_equal_faces_of_one_person_go_to_the_first() -> None:
    first, second = assign_people([people((1, 0.8))] * 2, LINES)
    assert (first.person_id, second.person_id) == (1, None)


@pytest.mark.parametrize(
    ("similarity", "margin", "words"),
    [
        (0.8, 0.3, "strong"),
        (0.8, None, "strong"),
        (0.7, 0.1, "strong"),
        (0.8, 0.05, "close call"),
        (0.5, 0.05, "close call"),
        (0.5, 0.3, "possible"),
        (0.4, None, "possible"),
        (0.39, 0.01, "unlikely"),
        (-0.1, None, "unlikely"),
    ],
)
def test_words_for_a_score(similarity: float, margin: float | None, words: str) -> None:
    assert words_for(similarity, margin, LINES) == words


scores = st.dictionaries(st.integers(1, 4), st.floats(-1, 1), max_size=4).map(
    lambda found: sorted(people(*found.items()), key=lambda score: (-score.similarity, score.person_id))
)


@given(st.lists(scores, max_size=6))
def test_no_person_is_named_twice_and_nobody_below_the_line(candidates: list[list[PersonScore]]) -> None:
    matches = assign_people(candidates, LINES)
    named = [match.person_id for match in matches if match.person_id is not None]
    assert len(named) == len(set(named))
    for match, face in zip(matches, candidates, strict=True):
        assert match.best_person_id == (face[0].person_id if face else None)
        if match.person_id is not None:
            assert match.person_id == match.best_person_id
            assert match.verdict is Verdict.AUTOMATIC is judge(face, LINES).verdict
        elif judge(face, LINES).verdict is Verdict.AUTOMATIC:
            # Somebody better has the name.
            rivals = [m.similarity for m in matches if m.person_id == match.best_person_id]
            assert max(r for r in rivals if r is not None) >= (match.similarity or 0)
