"""How many more decisions until so much is decided: what a labeler asks of a queue, from how large its cards are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

TARGETS = (80, 95, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`decisions` more until `target` percent of the faces are decided."""

    target: int
    decisions: int


def forecast(*, total: int, decided: int, sizes: Mapping[int, int]) -> Forecast | None:
    """The next target that is not reached yet; none where every face is decided.

    `sizes` tells how many cards would settle so many faces, as {faces: cards}; what they leave over takes a decision a
    face. The cards are taken largest first, as the queue does, and every one is expected to be right: a forecast, no
    promise.
    """
    for target in TARGETS:
        missing = -(-total * target // 100) - decided
        if missing > 0:
            return Forecast(target=target, decisions=count_decisions(missing, sizes))
    return None


def count_decisions(faces: int, sizes: Mapping[int, int]) -> int:
    """So many cards, largest first, settle at least so many faces."""
    decisions = 0
    for size in sorted(sizes, reverse=True):
        if faces <= 0:
            break
        taken = min(sizes[size], -(-faces // size))
        decisions += taken
        faces -= taken * size
    return decisions + max(faces, 0)
