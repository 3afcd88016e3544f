"""A report as its page shows it: the verdict in words, figures as rows, and people, faces and events that are still there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from access.roles import User
from recognition.evaluation.plots import PLOTS
from recognition.evaluation.text import range_words
from recognition.evaluation.words import expected_share, known_words, shift_words, strangers_words
from recognition.models import Event, Person, QualityReport, Sighting

_PAIRS_SHOWN = 12
_FACES_SHOWN = 24
Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlotShown:
    name: str
    title: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Faces of one kind: what became of them, in whole percent of the known ones."""

    name: str
    tally: Figures
    event: Event | None = None

    @property
    def named(self) -> int:
        return self._percent("right")

    @property
    def suggested(self) -> int:
        return self._percent("suggested")

    def _percent(self, kind: str) -> int:
        known = self.tally["known"]
        return round(100 * self.tally[kind] / known) if known else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulPair:
    first: Person
    second: Person
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtfulFace:
    sighting: Sighting
    other: Person | None
    own: float | None
    similarity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    at: datetime
    automatic: float
    enrolled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    figures: Figures
    strangers: str
    known: str
    within_target: bool
    target_one_in: int
    plots: list[PlotShown]
    by_size: list[Part]
    by_sharpness: list[Part]
    by_event: list[Part]
    pairs: list[DoubtfulPair]
    faces: list[DoubtfulFace]
    more_pairs: int
    more_faces: int
    history: list[HistoryRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftShown:
    """The answer of the slider. `named` and `open` are faces of the queue; `steps` are where the slider can stand."""

    words: str
    line: float
    least: float
    most: float
    named: int
    open: int
    measured: int


def read_page(report: QualityReport, *, user: User) -> Page:
    """As many queries for a long report as for a short one."""
    figures = report.figures
    doubtful = figures["doubtful"]
    people = _people(doubtful, user)
    pairs = [
        DoubtfulPair(first=people[row["first"]], second=people[row["second"]], similarity=row["similarity"])
        for row in doubtful["people"]
        if row["first"] in people and row["second"] in people
    ]
    faces = _faces(doubtful["faces"], people, user)
    names = {event.pk: event for event in Event.objects.visible_to(user).filter(
        pk__in=[row["event"] for row in figures["by_event"]]
    )}  # fmt: skip
    share = expected_share(figures)
    return Page(
        figures=figures,
        strangers=strangers_words(figures),
        known=known_words(figures["decision"]),
        # Measured figures scatter around the target they were fitted to.
        within_target=share is None or share <= 1.5 * figures["target"],
        target_one_in=round(1 / figures["target"]),
        plots=[
            PlotShown(name=plot.name, title=plot.title, description=plot.description)
            for plot in PLOTS
            if plot.needs(figures)
        ],
        by_size=_ranges(figures["by_size"]),
        by_sharpness=_ranges(figures["by_sharpness"]),
        by_event=[
            Part(name=names[row["event"]].name, tally=row["tally"], event=names[row["event"]])
            for row in figures["by_event"]
            if row["event"] in names
        ],
        pairs=pairs[:_PAIRS_SHOWN],
        faces=faces[:_FACES_SHOWN],
        more_pairs=max(0, len(pairs) - _PAIRS_SHOWN),
        more_faces=max(0, len(faces) - _FACES_SHOWN),
        history=[
            HistoryRow(
                at=datetime.fromisoformat(row["created_at"]),
                automatic=row["automatic"],
                enrolled=row["enrolled"],
            )
            for row in reversed(figures["history"])
        ],
    )


def find_shift(figures: Figures, asked: str) -> ShiftShown | None:
    """What the line asked for would change, or the nearest that was measured; none where nothing waits to be asked about."""
    told = figures.get("what_if")
    if not told or not told["rows"]:
        return None
    rows = told["rows"]
    shift = min(rows, key=lambda row: abs(row["line"] - _read_line(asked, told["line"])))
    return ShiftShown(
        words=shift_words(shift, line=told["line"]),
        line=shift["line"],
        least=rows[0]["line"],
        most=rows[-1]["line"],
        named=max(0, shift["more"]),
        open=told["open"],
        measured=told["measured"],
    )


def _read_line(asked: str, otherwise: float) -> float:
    try:
        line = float(asked[:20])
    except ValueError:
        return otherwise
    return line if math.isfinite(line) else otherwise


def _ranges(rows: Iterable[Figures]) -> list[Part]:
    return [Part(name=range_words(row["low"], row["high"]), tally=row["tally"]) for row in rows]


def _people(doubtful: Figures, user: User) -> dict[int, Person]:
    wanted = {pk for row in doubtful["people"] for pk in (row["first"], row["second"])}
    wanted |= {row["other"] for row in doubtful["faces"]}
    return {person.pk: person for person in Person.objects.visible_to(user).filter(pk__in=wanted)}


def _faces(rows: list[Figures], people: Mapping[int, Person], user: User) -> list[DoubtfulFace]:
    """Those whose name is still the one that was measured."""
    named = Sighting.objects.visible_to(user).filter(face__face_id__in=[row["face_id"] for row in rows])
    by_id = {
        str(sighting.face.face_id): sighting
        for sighting in named.select_related("face__photo__event", "person")
    }
    return [
        DoubtfulFace(
            sighting=by_id[row["face_id"]],
            other=people.get(row["other"]),
            own=row["own"],
            similarity=row["similarity"],
        )
        for row in rows
        if row["face_id"] in by_id and by_id[row["face_id"]].person_id == row["person"]
    ]
