"""What another line would change, and the words for it."""

from __future__ import annotations

import numpy as np
import pytest

from recognition.embedders import Thresholds
from recognition.evaluation.what_if import Shift, Weighed, weigh_lines
from recognition.evaluation.words import known_words, out_of_hundred, shift_words, strangers_words

LINES = Thresholds(automatic=0.7, margin=0.1, suggest=0.5, strict=0.8)


def faces(*rows: tuple[float, float, bool, float], factor: float = 1.0) -> Weighed:
    score, lead, poor, right = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Weighed(
        score=np.array(score, dtype=np.float64),
        lead=np.array(lead, dtype=np.float64),
        poor=np.array(poor, dtype=np.bool_),
        right=np.array(right, dtype=np.float64),
        factor=factor,
    )


def at(rows: list[Shift], line: float) -> Shift:
    return next(row for row in rows if row.line == line)


def told(rows: list[Shift], line: float) -> tuple[int, float]:
    return at(rows, line).more, at(rows, line).wrong


def test_a_lower_line_names_who_is_above_it_and_far_enough_ahead() -> None:
    waiting = faces(
        (0.66, 0.3, False, 0.9),
        (0.64, 0.3, False, 0.8),
        (0.66, 0.05, False, 0.5),  # too close to the next person
        (0.66, 0.3, True, 0.7),  # too poor: needs the strict line
        (0.90, 0.3, False, 0.99),  # waits for another reason
    )
    rows = weigh_lines(waiting=waiting, named=faces(), lines=LINES)
    assert told(rows, 0.65) == pytest.approx((1, 0.1))
    assert told(rows, 0.64) == pytest.approx((2, 0.3))
    assert told(rows, 0.55) == pytest.approx((3, 0.6))
    assert at(rows, 0.7).more == 0


def test_a_higher_line_takes_the_names_that_would_not_have_been_given() -> None:
    named = faces((0.72, 0.3, False, 0.75), (0.75, 0.3, False, 0.9), (0.60, 0.3, False, 0.5))
    rows = weigh_lines(waiting=faces(), named=named, lines=LINES)
    assert told(rows, 0.74) == pytest.approx((-1, 0.2), abs=0.06)
    assert at(rows, 0.8).more == -2


def test_a_sample_stands_for_all() -> None:
    rows = weigh_lines(waiting=faces((0.66, 0.3, False, 0.5), factor=30.0), named=faces(), lines=LINES)
    assert at(rows, 0.6) == Shift(line=0.6, more=30, wrong=15)


def test_the_lines_asked_about_stay_between_0_and_1() -> None:
    lines = Thresholds(automatic=0.95, margin=0.1, suggest=0.5, strict=0.97)
    rows = weigh_lines(waiting=faces(), named=faces(), lines=lines)
    assert (rows[0].line, rows[-1].line) == (0.7, 1.0)


@pytest.mark.parametrize(
    ("more", "wrong", "words"),
    [
        (412, 3.2, "At 0.62: 412 more named by FaceVault, about 3 of them wrong."),
        (12, 0.4, "At 0.62: 12 more named by FaceVault, probably none of them wrong."),
        (1200, 0.0, "At 0.62: 1,200 more named by FaceVault, none of them wrong."),
        (-30, 2.0, "At 0.62: 30 fewer named by FaceVault, about 2 of them wrong."),
        (-30, 0.2, "At 0.62: 30 fewer named by FaceVault, probably none of them wrong."),
        (1, 0.2, "At 0.62: 1 more named by FaceVault, probably right."),
        (-1, 0.8, "At 0.62: 1 fewer named by FaceVault, probably wrong."),
        (0, 0.0, "At 0.62: no name more or less."),
    ],
)
def test_a_shift_is_said_in_faces(more: int, wrong: float, words: str) -> None:
    assert shift_words({"line": 0.62, "more": more, "wrong": wrong}, line=0.66) == words


def test_where_the_line_is_nothing_changes() -> None:
    told = {"line": 0.66, "more": 0, "wrong": 0.0}
    assert shift_words(told, line=0.6634) == "At 0.66, where the line is now: nothing changes."


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.001, "Of 1,000 strangers' faces about 1 gets a name."),
        (0.02, "Of 1,000 strangers' faces about 20 get a name."),
        (0.0003, "Of 10,000 strangers' faces about 3 get a name."),
        (1e-7, "Of 10,000 strangers' faces fewer than one gets a name."),
    ],
)
def test_strangers_are_said_out_of_a_round_number(share: float, words: str) -> None:
    decision = {"strangers": 500, "strangers_named": 0}
    assert strangers_words({"expected_fpir": share, "decision": decision}) == words


def test_without_a_fit_the_counted_strangers_are_said() -> None:
    decision = {"strangers": 500, "strangers_named": 5}
    words = strangers_words({"expected_fpir": None, "decision": decision})
    assert words == "Of 1,000 strangers' faces about 10 get a name."


def test_known_faces_are_said_out_of_a_hundred() -> None:
    decision = {"known": 1000, "right": 938, "suggested": 52, "missed": 10, "wrong": 0}
    assert known_words(decision) == (
        "Of 100 known faces 94 are named by FaceVault, 5 are suggested, 1 is missed. None got somebody else's name."
    )


def test_a_wrong_name_is_never_rounded_away() -> None:
    decision = {"known": 100_000, "right": 99_999, "suggested": 0, "missed": 0, "wrong": 1}
    assert "About 1 in 1,000 gets somebody else's name." in known_words(decision)


@pytest.mark.parametrize("parts", [(1, 1, 1), (667, 166, 167), (5, 0, 2), (99, 1, 100)])
def test_the_hundred_are_always_a_hundred(parts: tuple[int, int, int]) -> None:
    right, suggested, missed = parts
    told = {"known": sum(parts), "right": right, "suggested": suggested, "missed": missed, "wrong": 0}
    whole = out_of_hundred(told)
    assert sum(whole) == 100
    assert all(abs(said - 100 * part / sum(parts)) < 1 for said, part in zip(whole, parts, strict=True))
