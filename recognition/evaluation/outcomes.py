"""What the lines make of labeled faces: named right, suggested, missed or wrong, and strangers who get a name."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import Comparisons
from recognition.embedders.base import Thresholds

# A card shows so many people.
_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Per measured face, whose rows among all faces are `rows`. The next four are of known faces, those whose person has
    another reference. `named`: the machine would name the face if its own person were not known; `asked`: there is
    somebody else whose name it could get."""

    rows: NDArray[np.int64]
    right: NDArray[np.bool_]
    wrong: NDArray[np.bool_]
    suggested: NDArray[np.bool_]
    missed: NDArray[np.bool_]
    named: NDArray[np.bool_]
    asked: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Outcomes of some faces: `known` is the sum of the four; `strangers` are the same faces as if nobody knew them."""

    known: int
    right: int
    suggested: int
    missed: int
    wrong: int
    strangers: int
    strangers_named: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPlace:
    """Rank 1: of how many known faces the right person comes first, whatever the score."""

    faces: int
    right: int


def judge_faces(comparisons: Comparisons, lines: Thresholds) -> Outcomes:
    line = np.where(comparisons.poor, lines.strict, lines.automatic)
    right = comparisons.named_right(line, lines.margin)
    wrong = comparisons.named_wrong(line, lines.margin)
    open_ = comparisons.known & ~right & ~wrong
    shown = (comparisons.own >= lines.suggest) & (comparisons.rank <= _SHOWN)
    return Outcomes(
        rows=comparisons.rows,
        right=right,
        wrong=wrong,
        suggested=open_ & shown,
        missed=open_ & ~shown,
        named=comparisons.named(line, lines.margin),
        asked=np.isfinite(comparisons.score),
    )


def tally(outcomes: Outcomes, *, strangers: Outcomes, among: NDArray[np.bool_] | None = None) -> Tally:
    """Of all measured faces, or of those `among` all faces (n,). `strangers` may be of fewer faces: a doubtful label is a
    known face that the machine has to get right, but no stranger."""

    def count(flags: NDArray[np.bool_], rows: NDArray[np.int64]) -> int:
        return int((flags if among is None else flags & among[rows]).sum())

    right, suggested = count(outcomes.right, outcomes.rows), count(outcomes.suggested, outcomes.rows)
    missed, wrong = count(outcomes.missed, outcomes.rows), count(outcomes.wrong, outcomes.rows)
    return Tally(
        known=right + suggested + missed + wrong,
        right=right,
        suggested=suggested,
        missed=missed,
        wrong=wrong,
        strangers=count(strangers.asked, strangers.rows),
        strangers_named=count(strangers.named, strangers.rows),
    )


def count_first_places(comparisons: Comparisons) -> FirstPlace:
    return FirstPlace(faces=int(comparisons.known.sum()), right=int((comparisons.rank == 1).sum()))
