from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recognition.embedders import Thresholds
from recognition.matching import (
    PersonScore,
    Verdict,
    assign_people,
    describe_line,
    doubt_of,
    judge,
    words_for,
    words_of,
)

LINES = Thresholds(automatic=0.7, margin=0.1, suggest=0.4, strict=0.8)
ALICE, BOB, CAROL, DORA = 1, 2, 3, 4


def people(*scores: tuple[int, float]) -> list[PersonScore]:
    return [PersonScore(person_id, similarity, (person_id * 10,), 1) for person_id, similarity in scores]


def named(*faces: Sequence[PersonScore]) -> list[int | None]:
    return [match.person_id for match in assign_people(faces, LINES)]


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


def test_of_two_faces_of_one_person_the_clearly_better_keeps_the_name() -> None:
    worse, better, other = assign_people(
        [people((1, 0.8), (2, 0.2)), people((1, 0.9), (2, 0.1)), people((2, 0.8), (1, 0.3))], LINES
    )
    assert (worse.person_id, better.person_id, other.person_id) == (None, 1, 2)
    assert (worse.verdict, worse.best_person_id, worse.similarity) == (Verdict.SUGGEST, 1, 0.8)


def test_two_faces_that_are_about_as_like_one_person_are_left_to_people() -> None:
    assert named(people((ALICE, 0.85)), people((ALICE, 0.83))) == [None, None]


def test_a_close_call_is_settled_by_a_face_that_is_clearly_the_one_of_the_two() -> None:
    first, second = assign_people(
        [people((ALICE, 0.88), (BOB, 0.86)), people((ALICE, 0.87), (BOB, 0.6))], LINES
    )
    assert (first.person_id, second.person_id) == (BOB, ALICE)
    assert (first.similarity, first.references, first.best_person_id) == (0.86, (20,), BOB)


def test_two_faces_that_may_both_be_either_of_two_people_are_left_to_people() -> None:
    assert named(people((ALICE, 0.88), (BOB, 0.86)), people((ALICE, 0.87), (BOB, 0.84))) == [None, None]


def test_a_face_that_is_clearly_like_somebody_named_beside_it_gets_no_other_name() -> None:
    """A mirror, a poster, a second box: one of the two is wrong, and it is not the second best."""
    assert named(people((ALICE, 0.98)), people((ALICE, 0.87), (BOB, 0.75))) == [ALICE, None]


def test_a_face_that_is_not_named_itself_settles_no_close_call() -> None:
    faces = [people((ALICE, 0.78), (BOB, 0.76)), people((ALICE, 0.79))]
    assert [match.person_id for match in assign_people(faces, LINES)] == [BOB, ALICE]
    assert [match.person_id for match in assign_people(faces, LINES, poor=[False, True])] == [None, None]
    assert [match.person_id for match in assign_people(faces, LINES, closed=[False, True])] == [None, None]


def test_whom_people_named_on_the_photo_settles_a_close_call_and_whom_the_machine_named_does_not() -> None:
    face = people((ALICE, 0.78), (BOB, 0.76))
    assert [m.person_id for m in assign_people([face], LINES, beside={ALICE: True})] == [BOB]
    assert [m.person_id for m in assign_people([face], LINES, beside={ALICE: False})] == [None]
    assert [m.person_id for m in assign_people([people((ALICE, 0.9))], LINES, beside={ALICE: True})] == [None]


def test_a_poor_face_needs_the_strict_line() -> None:
    poor, sure, sharp = assign_people(
        [people((ALICE, 0.75)), people((BOB, 0.8)), people((CAROL, 0.75))], LINES, poor=[True, True, False]
    )
    assert (poor.person_id, poor.verdict, poor.line, poor.reasons) == (
        None,
        Verdict.SUGGEST,
        0.8,
        ("poor",),
    )
    assert (sure.person_id, sharp.person_id, sharp.line, sharp.reasons) == (BOB, CAROL, 0.7, ())


def test_whoever_is_not_on_the_roster_needs_the_strict_line() -> None:
    faces = [people((ALICE, 0.75)), people((BOB, 0.75)), people((CAROL, 0.85))]
    matches = assign_people(faces, LINES, on_roster=frozenset({ALICE}))
    assert [match.person_id for match in matches] == [ALICE, None, CAROL]
    assert [match.line for match in matches] == [0.7, 0.8, 0.8]
    assert matches[1].reasons == ("roster",)


def test_the_roster_makes_nobody_who_is_behind_the_best() -> None:
    face = people((ALICE, 0.78), (BOB, 0.74))
    (match,) = assign_people([face], LINES, on_roster=frozenset({BOB}))
    assert match.person_id is None


def test_an_empty_roster_is_a_roster() -> None:
    (match,) = assign_people([people((ALICE, 0.75))], LINES, on_roster=frozenset())
    assert match.person_id is None


def test_a_line_is_told_with_its_reasons() -> None:
    assert describe_line({"automatic": 0.7}) == ""
    assert describe_line({"line": 0.7, "reasons": []}) == "line 0.70"
    assert describe_line({"line": 0.764, "reasons": ["roster"]}) == "line 0.76 because not on the roster"
    both = describe_line({"line": 0.8, "reasons": ["roster", "poor"]})
    assert both == "line 0.80 because not on the roster and too small or blurred to be sure"


def test_a_doubt_is_told_only_where_it_alone_stops_the_name() -> None:
    assert doubt_of(0.75, "possible", LINES, ("roster",)) == "not on the roster"
    assert doubt_of(0.75, "close call", LINES, ("roster",)) == ""
    assert doubt_of(0.65, "possible", LINES, ("poor",)) == ""
    assert doubt_of(0.85, "strong", LINES, ("poor",)) == ""


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


def test_under_the_strict_line_a_strong_face_is_only_possible() -> None:
    assert words_for(0.75, 0.3, LINES, strict=True) == "possible"
    assert words_for(0.8, 0.3, LINES, strict=True) == "strong"
    assert words_for(0.8, 0.05, LINES, strict=True) == "close call"
    assert words_of(people((1, 0.75), (2, 0.2)), 0, LINES, strict=True) == "possible"


# The first photo that needs it imports scipy, which takes longer than Hypothesis would wait.
# Two decimals meet often: equal scores, and leads of exactly the margin.
values = st.integers(30, 100).map(lambda value: value / 100)
scores = st.dictionaries(st.integers(1, 4), values, max_size=4).map(
    lambda found: sorted(people(*found.items()), key=lambda score: (-score.similarity, score.person_id))
)
photos = st.lists(scores, max_size=6)


@settings(deadline=None)
@given(photos, st.lists(st.booleans(), min_size=6, max_size=6), st.frozensets(st.integers(1, 4)))
def test_no_person_is_named_twice_and_nobody_below_their_line(
    candidates: list[list[PersonScore]], poor: list[bool], roster: frozenset[int]
) -> None:
    matches = assign_people(candidates, LINES, poor=poor[: len(candidates)], on_roster=roster)
    found = [match.person_id for match in matches if match.person_id is not None]
    assert len(found) == len(set(found))
    for face, (match, own) in enumerate(zip(matches, candidates, strict=True)):
        assert (match.verdict is Verdict.AUTOMATIC) is (match.person_id is not None)
        if match.person_id is None:
            assert match.best_person_id == (own[0].person_id if own else None)
            continue
        similarity = next(score.similarity for score in own if score.person_id == match.person_id)
        strict = poor[face] or match.person_id not in roster
        assert match.similarity == similarity >= (LINES.strict if strict else LINES.automatic)
        assert own[0].similarity - similarity < LINES.margin


@settings(deadline=None)
@given(photos)
def test_whoever_is_as_close_is_named_on_another_face(candidates: list[list[PersonScore]]) -> None:
    matches = assign_people(candidates, LINES)
    for match, own in zip(matches, candidates, strict=True):
        if match.person_id is not None and match.similarity is not None:
            close = [score for score in own if match.similarity - score.similarity < LINES.margin - 1e-6]
            others = {score.person_id for score in close} - {match.person_id}
            assert others <= {other.person_id for other in matches if other is not match}


@settings(deadline=None)
@given(photos, st.randoms(use_true_random=False))
def test_the_order_of_the_faces_does_not_matter(candidates: list[list[PersonScore]], random: object) -> None:
    order = list(range(len(candidates)))
    random.shuffle(order)  # type: ignore[attr-defined]
    before = named(*candidates)
    assert named(*[candidates[at] for at in order]) == [before[at] for at in order]


@settings(deadline=None)
@given(photos)
def test_a_face_that_is_clear_by_itself_keeps_its_name(candidates: list[list[PersonScore]]) -> None:
    """So the names are at least those that a rule would give that looks at one face after the other."""
    matches = assign_people(candidates, LINES)
    for face, own in enumerate(candidates):
        best = own[0] if own else None
        if best is None or judge(own, LINES).verdict is not Verdict.AUTOMATIC:
            continue
        others = [
            score.similarity
            for at, other in enumerate(candidates)
            for score in other
            if at != face and score.person_id == best.person_id
        ]
        if best.similarity - max(others, default=-1.0) >= LINES.margin:
            assert matches[face].person_id == best.person_id


@settings(deadline=None)
@given(st.lists(scores, max_size=4))
def test_a_name_is_better_by_the_margin_than_any_other_way_to_name_the_photo(
    candidates: list[list[PersonScore]],
) -> None:
    """Against every way there is, one by one."""
    nobody = LINES.automatic - LINES.margin
    options: list[list[tuple[int | None, float]]] = [
        [(None, nobody)]
        + [
            (score.person_id, score.similarity)
            for score in own
            if own[0].similarity - score.similarity < LINES.margin - 1e-6 and score.similarity > nobody
        ]
        for own in candidates
    ]
    ways: list[tuple[list[int | None], float]] = []
    for way in product(*options):
        names = [person for person, _ in way if person is not None]
        if len(names) == len(set(names)):
            ways.append(([person for person, _ in way], sum(value for _, value in way)))
    found = named(*candidates)
    best = max(total for _, total in ways)
    for face, person in enumerate(found):
        if person is not None:
            others = max(total for way, total in ways if way[face] != person)
            assert best - others >= LINES.margin - 1e-5


@settings(deadline=None)
@given(photos, st.lists(values, min_size=1, max_size=3))
def test_a_face_of_other_people_changes_nothing(
    candidates: list[list[PersonScore]], similarities: list[float]
) -> None:
    stranger = people(*enumerate(sorted(similarities, reverse=True), 100))
    assert named(*candidates, stranger)[:-1] == named(*candidates)
