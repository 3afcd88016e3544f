"""Where the errors are: the same tally by size, by sharpness and by event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.evaluation.outcomes import Outcomes, Tally, tally
from recognition.quality import QUEUE, REFERENCE

SIZE_EDGES = (QUEUE.size, REFERENCE.size, 60.0, 80.0, 120.0, 200.0)
SHARPNESS_EDGES = (REFERENCE.sharpness, 50.0, 100.0, 150.0, 250.0)
_EVENTS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Faces from `low` to below `high`; None where it is open."""

    low: float | None
    high: float | None
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class OfEvent:
    event: int
    tally: Tally


def split_by(
    values: NDArray[np.float64], edges: tuple[float, ...], outcomes: Outcomes, *, strangers: Outcomes
) -> list[Range]:
    """A tally for each range of `values` (n,), one of each face, that holds measured faces; lowest first."""
    ordered = sorted(set(edges))
    ranges = []
    for low, high in zip([None, *ordered], [*ordered, None], strict=True):
        inside = (values >= (-np.inf if low is None else low)) & (values < (np.inf if high is None else high))
        if inside[outcomes.rows].any():
            counts = tally(outcomes, strangers=strangers, among=inside)
            ranges.append(Range(low=low, high=high, tally=counts))
    return ranges


def split_by_event(
    events: NDArray[np.int64], outcomes: Outcomes, *, strangers: Outcomes, at_most: int = _EVENTS
) -> list[OfEvent]:
    """A tally for each event of `events` (n,), one of each face; those with the most measured faces first."""
    ids, counts = np.unique(events[outcomes.rows], return_counts=True)
    largest = ids[np.lexsort((ids, -counts))][:at_most]
    return [
        OfEvent(event=event, tally=tally(outcomes, strangers=strangers, among=events == event))
        for event in largest.tolist()
    ]
