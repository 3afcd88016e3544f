"""From scored people to a decision: pure rules, the same for a worker, a page and a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from recognition.embedders import Thresholds


Word = Literal["strong", "close call", "possible", "unlikely"]


@dataclass(frozen=True, slots=True)
class PersonScore:
    """How close a face is to one person: the best similarity over that person's references."""

    person_id: int
    similarity: float
    references: tuple[
        int, ...
    ]  # primary keys of the reference faces that answered, best first, three at most
    reference_count: int  # all references that this person has


class Verdict(StrEnum):
    AUTOMATIC = "automatic"
    SUGGEST = "suggest"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    margin: float | None  # lead over the next person; None where there is none


@dataclass(frozen=True, slots=True)
class Match:
    """What the gallery says about one face.

    `person_id` is set only where the machine may name the face; the best person and the score are there either way,
    unless the gallery is empty.
    """

    verdict: Verdict
    person_id: int | None
    best_person_id: int | None
    similarity: float | None
    margin: float | None
    references: tuple[int, ...]
    thresholds: Thresholds


def judge(scores: Sequence[PersonScore], thresholds: Thresholds) -> Judgement:
    """Judge a face by its people, best first. Give two at least where there are two: the lead counts."""
    if not scores:
        return Judgement(Verdict.UNKNOWN, None)
    best = scores[0].similarity
    margin = best - scores[1].similarity if len(scores) > 1 else None
    if best >= thresholds.automatic and (margin is None or margin >= thresholds.margin):
        return Judgement(Verdict.AUTOMATIC, margin)
    return Judgement(Verdict.SUGGEST if best >= thresholds.suggest else Verdict.UNKNOWN, margin)


def assign_people(candidates: Sequence[Sequence[PersonScore]], thresholds: Thresholds) -> list[Match]:
    """A match for each face of one photo, in their order; a person is named at most once.

    `candidates` holds each face's people, best first, two at least where there are two. Of two faces that clear the
    line for the same person the better one keeps the name; the other is for a human to decide.
    """
    matches = [_match(scores, thresholds) for scores in candidates]
    named: set[int] = set()
    order = sorted(
        range(len(matches)), key=lambda i: (-(matches[i].similarity or 0.0), -(matches[i].margin or 0.0), i)
    )
    for i in order:
        person_id = matches[i].person_id
        if person_id is None:
            continue
        if person_id in named:
            matches[i] = replace(matches[i], verdict=Verdict.SUGGEST, person_id=None)
        named.add(person_id)
    return matches


def words_for(similarity: float, margin: float | None, thresholds: Thresholds) -> Word:
    """What a page says beside a score. `margin` is the lead over the next person, None where there is none."""
    if similarity < thresholds.suggest:
        return "unlikely"
    if margin is not None and margin < thresholds.margin:
        return "close call"
    return "strong" if similarity >= thresholds.automatic else "possible"


def words_of(scores: Sequence[PersonScore], rank: int, thresholds: Thresholds) -> Word:
    """The same for one of a face's people, best first. Who is close behind the first is a close call as much as the first."""
    others = [score.similarity for other, score in enumerate(scores) if other != rank]
    margin = scores[rank].similarity - max(others) if others else None
    if rank > 0 and margin is not None and margin <= -thresholds.margin:
        margin = None
    return words_for(scores[rank].similarity, margin, thresholds)


def _match(scores: Sequence[PersonScore], thresholds: Thresholds) -> Match:
    judgement = judge(scores, thresholds)
    best = scores[0] if scores else None
    return Match(
        verdict=judgement.verdict,
        person_id=best.person_id if best and judgement.verdict is Verdict.AUTOMATIC else None,
        best_person_id=best.person_id if best else None,
        similarity=best.similarity if best else None,
        margin=judgement.margin,
        references=best.references if best else (),
        thresholds=thresholds,
    )
