"""From scored people to a decision: pure rules, the same for a worker, a page and a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from recognition.assignment import assign_faces, is_ahead

if TYPE_CHECKING:
    from recognition.embedders import Thresholds


Word = Literal["strong", "close call", "possible", "unlikely"]
# Why a name takes the strict line.
Reason = Literal["roster", "poor"]
REASONS: dict[Reason, str] = {"roster": "not on the roster", "poor": "too small or blurred to be sure"}


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

    `person_id` is set only where the machine may name the face. The other figures are about that person, else about the
    best one, and are there unless the gallery is empty. `margin` is the lead over the next person who can still be
    meant. `line` is the one that the person must reach, `reasons` why that is the strict one. `settled`: it was a close
    call until somebody else was certain of the other person.
    """

    verdict: Verdict
    person_id: int | None
    best_person_id: int | None
    similarity: float | None
    margin: float | None
    references: tuple[int, ...]
    thresholds: Thresholds
    line: float | None = None
    reasons: tuple[Reason, ...] = ()
    settled: bool = False


def judge(scores: Sequence[PersonScore], thresholds: Thresholds, *, strict: bool = False) -> Judgement:
    """Judge a face by its people, best first. Give two at least where there are two: the lead counts."""
    if not scores:
        return Judgement(Verdict.UNKNOWN, None)
    best = scores[0].similarity
    margin = best - scores[1].similarity if len(scores) > 1 else None
    if best >= line_of(thresholds, strict=strict) and _leads(margin, thresholds):
        return Judgement(Verdict.AUTOMATIC, margin)
    return Judgement(Verdict.SUGGEST if best >= thresholds.suggest else Verdict.UNKNOWN, margin)


def assign_people(
    candidates: Sequence[Sequence[PersonScore]],
    thresholds: Thresholds,
    *,
    poor: Sequence[bool] = (),
    on_roster: Set[int] | None = None,
    beside: Mapping[int, bool] | None = None,
    closed: Sequence[bool] = (),
) -> list[Match]:
    """A match for each face of one photo, in their order; a person is named at most once. See `assign_faces`.

    `candidates` holds each face's people, best first, two at least where there are two. A `poor` face, and whoever is
    not `on_roster` where the event has one, needs the strict line. `beside` are people who are named on the photo
    already, and whether a person said so. A `closed` face is never named, but may be somebody whom another one seems.
    """
    beside = beside or {}
    reasons = [
        {
            score.person_id: reasons_for(
                poor=bool(poor) and poor[face], on_roster=is_on_roster(score.person_id, on_roster)
            )
            for score in scores
        }
        for face, scores in enumerate(candidates)
    ]
    allowed = [
        {
            score.person_id
            for score in scores
            if score.similarity >= line_of(thresholds, strict=bool(reasons[face][score.person_id]))
            and not (closed and closed[face])
        }
        for face, scores in enumerate(candidates)
    ]
    names = assign_faces(
        [{score.person_id: score.similarity for score in scores} for scores in candidates],
        allowed,
        line=thresholds.automatic,
        margin=thresholds.margin,
        verified={person for person, by_human in beside.items() if by_human},
        named=beside.keys(),
    )
    return [
        _match(scores, thresholds, name=names[face], reasons=reasons[face])
        for face, scores in enumerate(candidates)
    ]


def is_on_roster(person_id: int, roster: Set[int] | None) -> bool | None:
    """None where there is no roster."""
    return None if roster is None else person_id in roster


def reasons_for(*, poor: bool, on_roster: bool | None) -> tuple[Reason, ...]:
    """Why naming this face after this person takes the strict line; empty where it takes the usual one."""
    found: list[Reason] = ["roster"] if on_roster is False else []
    return (*found, "poor") if poor else tuple(found)


def line_of(thresholds: Thresholds, *, strict: bool) -> float:
    return thresholds.strict if strict else thresholds.automatic


def words_for(
    similarity: float, margin: float | None, thresholds: Thresholds, *, strict: bool = False
) -> Word:
    """What a page says beside a score. `margin` is the lead over the next person, None where there is none."""
    if similarity < thresholds.suggest:
        return "unlikely"
    if not _leads(margin, thresholds):
        return "close call"
    return "strong" if similarity >= line_of(thresholds, strict=strict) else "possible"


def words_of(
    scores: Sequence[PersonScore], rank: int, thresholds: Thresholds, *, strict: bool = False
) -> Word:
    """The same for one of a face's people, best first. Who is close behind the first is a close call as much as the first."""
    others = [score.similarity for other, score in enumerate(scores) if other != rank]
    margin = scores[rank].similarity - max(others) if others else None
    if rank > 0 and margin is not None and margin <= -thresholds.margin:
        margin = None
    return words_for(scores[rank].similarity, margin, thresholds, strict=strict)


def doubt_of(similarity: float, word: Word, thresholds: Thresholds, reasons: Sequence[Reason]) -> str:
    """What alone keeps a person from being a strong suggestion: "not on the roster"; else empty."""
    stopped = word == "possible" and similarity >= thresholds.automatic
    return ", ".join(REASONS[reason] for reason in reasons) if stopped else ""


def describe_line(thresholds: Mapping[str, Any]) -> str:
    """By which line a sighting was named, from what it keeps of it: "line 0.76 because not on the roster"."""
    line = thresholds.get("line")
    if not isinstance(line, int | float):
        return ""
    why = " and ".join(REASONS[reason] for reason in thresholds.get("reasons", []) if reason in REASONS)
    return f"line {line:.2f} because {why}" if why else f"line {line:.2f}"


def describe_figures(similarity: float | None, thresholds: Mapping[str, Any]) -> str:
    """On what a name rests, in numbers: "0.81, line 0.76 because not on the roster"."""
    number = "" if similarity is None else f"{similarity:.2f}"
    return ", ".join(part for part in (number, describe_line(thresholds)) if part)


def _leads(margin: float | None, thresholds: Thresholds) -> bool:
    return margin is None or is_ahead(margin, thresholds.margin)


def _match(
    scores: Sequence[PersonScore],
    thresholds: Thresholds,
    *,
    name: int | None,
    reasons: Mapping[int, tuple[Reason, ...]],
) -> Match:
    if not scores:
        return Match(Verdict.UNKNOWN, None, None, None, None, (), thresholds)
    shown = next((score for score in scores if score.person_id == name), scores[0])
    why = reasons[shown.person_id]
    judgement = judge(scores, thresholds, strict=bool(why))
    verdict, margin, settled = judgement.verdict, judgement.margin, False
    if name is not None:
        # Who is as close is certainly another face of the photo, or nobody is.
        behind = [
            lead
            for score in scores
            if score is not shown and _leads(lead := shown.similarity - score.similarity, thresholds)
        ]
        settled = len(behind) < len(scores) - 1
        verdict, margin = Verdict.AUTOMATIC, min(behind, default=None)
    elif verdict is Verdict.AUTOMATIC:
        verdict = Verdict.SUGGEST
    return Match(
        verdict=verdict,
        person_id=name,
        best_person_id=shown.person_id,
        similarity=shown.similarity,
        margin=margin,
        references=shown.references,
        thresholds=thresholds,
        line=line_of(thresholds, strict=bool(why)),
        reasons=why,
        settled=settled,
    )
