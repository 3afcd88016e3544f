"""What another line would do to the queue: how many more or fewer names, and about how many of them wrong."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.embedders.base import Thresholds

STEP = 0.01
_REACH = 25  # steps below and above the line in force


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """Faces with what is known of their best person. `right` is the probability that it is them; `factor` says of how
    many faces each of these stands, where they are a sample."""

    score: NDArray[np.float64]
    lead: NDArray[np.float64]
    poor: NDArray[np.bool_]
    right: NDArray[np.float64]
    factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """At `line` so many names more (or, below 0, fewer) than now, and the wrong ones among these, expected and rounded."""

    line: float
    more: int
    wrong: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    line: float
    open: int
    measured: int
    rows: list[Shift]


def weigh_lines(*, waiting: Weighed, named: Weighed, lines: Thresholds) -> list[Shift]:
    """For each line around the one in force: `waiting` faces that it would name, or faces that the machine `named` and it
    would not have. What waits above the line in force waits for another reason, and no line changes that."""
    now = round(lines.automatic / STEP)
    return [
        _shift(step * STEP, waiting, named, lines)
        for step in range(max(0, now - _REACH), min(round(1 / STEP), now + _REACH) + 1)
    ]


def _shift(line: float, waiting: Weighed, named: Weighed, lines: Thresholds) -> Shift:
    line = round(line, 2)
    if line < lines.automatic:
        gained = _passes(waiting, line, lines) & ~_passes(waiting, lines.automatic, lines)
        return Shift(line=line, more=_count(waiting, gained), wrong=_wrong(waiting, gained))
    lost = ~_passes(named, line, lines) & _passes(named, lines.automatic, lines)
    return Shift(line=line, more=-_count(named, lost), wrong=_wrong(named, lost))


def _passes(faces: Weighed, line: float, lines: Thresholds) -> NDArray[np.bool_]:
    """The strict line keeps its distance to the moved one."""
    strict = min(1.0, line + lines.strict - lines.automatic)
    passes: NDArray[np.bool_] = (faces.score >= np.where(faces.poor, strict, line)) & (
        faces.lead >= lines.margin
    )
    return passes


def _count(faces: Weighed, chosen: NDArray[np.bool_]) -> int:
    return round(int(chosen.sum()) * faces.factor)


def _wrong(faces: Weighed, chosen: NDArray[np.bool_]) -> float:
    expected = math.fsum((1 - faces.right[chosen]).tolist()) * faces.factor
    return round(expected, 1 if expected < 10 else 0)
