"""Labels that would spoil a calibration: two rows of one person, and faces under a wrong name.

Both make a stranger's probe meet its own face: one such pair in a thousand people pushes a line of 0.1 % up to where nobody is
named any more. What tells them from look-alikes is the person's own faces: a look-alike's faces are nearer to each other than to
the other person (siblings: by 0.2 and more), the two halves of one person are as near across as within. Two people whom staff
said are different are never doubted: twins belong into the line.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import NOBODY, PROBES, Comparisons, Flags, Integers, compare

# Below so many faces with a second one of their own person, nothing is known about how alike a person's faces are.
_KNOWN_NEEDED = 20
# A face is nothing like a person up to so many deviations above the mean of different people.
_STRANGE = 2.5
# Halves of one person are as near across as within, up to this part of the deviation of own scores.
_TOLERANCE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulPair:
    """Two people who may be one; `score` is the mean over `faces` faces of the one nearest to the other."""

    people: tuple[int, int]
    score: float
    faces: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulFace:
    """The face in `row` looks like `other`, and not like the person whose name it has."""

    row: int
    person: int
    other: int
    score: float
    own: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    pairs: tuple[DoubtfulPair, ...] = ()
    faces: tuple[DoubtfulFace, ...] = ()


def compare_trusted(
    *,
    vectors: NDArray[np.float32],
    people: Integers,
    references: Flags,
    poor: Flags,
    told_apart: Collection[tuple[int, int]] = (),
    probes: Integers | None = None,
    at_most: int = PROBES,
    rng: np.random.Generator,
) -> tuple[Comparisons, Doubts]:
    """`compare` without what is doubtful, and the doubts. `told_apart`: pairs of people, in any order, who are different."""
    apart = {(min(pair), max(pair)) for pair in told_apart}
    rows = np.arange(len(people)) if probes is None else np.asarray(probes, dtype=np.int64)
    if len(rows) > at_most:
        rows = np.sort(rng.choice(rows, size=at_most, replace=False))
    first = compare(
        vectors=vectors,
        people=people,
        references=references,
        poor=poor,
        probes=rows,
        at_most=len(rows),
        rng=rng,
    )
    faces = find_doubtful_faces(first, told_apart=apart)
    trusted = first
    if faces:
        wrong = np.zeros(len(people), dtype=np.bool_)
        wrong[[face.row for face in faces]] = True
        kept = rows[~wrong[rows]]
        trusted = compare(
            vectors=vectors,
            people=people,
            references=references & ~wrong,
            poor=poor,
            probes=kept,
            at_most=len(rows),
            rng=rng,
        )
    pairs = find_doubtful_pairs(trusted, told_apart=apart)
    doubted = [person for pair in pairs for person in pair.people]
    return trusted.keep(~np.isin(trusted.person, doubted)), Doubts(pairs=pairs, faces=faces)


def find_doubtful_faces(
    comparisons: Comparisons, *, told_apart: Collection[tuple[int, int]] = ()
) -> tuple[DoubtfulFace, ...]:
    """Faces that are as near to another person as its own faces are, and to their own person as a stranger is."""
    known = comparisons.known
    if known.sum() < _KNOWN_NEEDED:
        return ()
    near = np.quantile(comparisons.own[known], 0.1)
    strange = comparisons.mean + _STRANGE * comparisons.deviation
    chosen = known & (comparisons.score >= near) & (np.where(known, comparisons.own, np.inf) <= strange)
    return tuple(
        DoubtfulFace(
            row=int(comparisons.rows[place]),
            person=int(comparisons.person[place]),
            other=int(comparisons.other[place]),
            score=float(comparisons.score[place]),
            own=float(comparisons.own[place]),
        )
        for place in np.flatnonzero(chosen).tolist()
        if _pair(comparisons, place) not in told_apart
    )


def find_doubtful_pairs(
    comparisons: Comparisons, *, told_apart: Collection[tuple[int, int]] = ()
) -> tuple[DoubtfulPair, ...]:
    """Pairs of whom one's faces, most of them, are as near to the other as to their own person."""
    known = comparisons.known
    if known.sum() < _KNOWN_NEEDED:
        return ()
    own = comparisons.own[known]
    least, near = np.quantile(own, [0.05, 0.25])
    tolerance = _TOLERANCE * own.std()
    candidates = np.flatnonzero((comparisons.other != NOBODY) & (comparisons.score >= least))
    probes_of = dict(zip(*np.unique(comparisons.person, return_counts=True), strict=True))
    both_ways: dict[tuple[int, int], dict[int, list[int]]] = {}
    for place in candidates.tolist():
        pair = _pair(comparisons, place)
        if pair not in told_apart:
            both_ways.setdefault(pair, {}).setdefault(int(comparisons.person[place]), []).append(place)
    found = []
    for pair, ways in both_ways.items():
        if any(
            len(places) * 2 >= probes_of[person]
            and _looks_the_same(comparisons, places, tolerance=tolerance, near=near)
            for person, places in ways.items()
        ):
            places = [place for way in ways.values() for place in way]
            score = float(comparisons.score[places].mean())
            found.append(DoubtfulPair(people=pair, score=score, faces=len(places)))
    return tuple(sorted(found, key=lambda pair: -pair.score))


def _looks_the_same(comparisons: Comparisons, places: list[int], *, tolerance: float, near: float) -> bool:
    score, own = comparisons.score[places], comparisons.own[places]
    measured = ~np.isnan(own)
    if not measured.any():
        return bool(score.mean() >= near)
    return bool((score[measured] - own[measured]).mean() >= -tolerance)


def _pair(comparisons: Comparisons, place: int) -> tuple[int, int]:
    person, other = int(comparisons.person[place]), int(comparisons.other[place])
    return min(person, other), max(person, other)
