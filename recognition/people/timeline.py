"""When a person was seen, as the bars of a small drawing: by month, over many years by year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db.models import Count
from django.db.models.functions import TruncMonth

from access.roles import User
from recognition.models import Person, Sighting

_HEIGHT = 40
_STEP, _BAR = 12, 9
# So many fill the height at least: bars of one face each are no towers.
_FULL = 4
# As many months as fit beside the figures; a longer story is told by year.
_MONTHS = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One month or year; lengths are those of the drawing, from the top."""

    when: str
    count: int
    x: int
    verified_top: float
    verified_height: float
    machine_top: float
    machine_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    unit: str
    bars: list[Bar]
    height: int = _HEIGHT
    bar_width: int = _BAR

    @property
    def width(self) -> int:
        return len(self.bars) * _STEP

    @property
    def seen(self) -> list[Bar]:
        """The bars with anything in them, for those who listen."""
        return [bar for bar in self.bars if bar.count]

    @property
    def most(self) -> Bar:
        return max(self.bars, key=lambda bar: bar.count)


def read_timeline(person: Person, *, user: User) -> Timeline | None:
    """Of the sightings that the user sees; none where they are all of one month."""
    rows = (
        Sighting.objects.visible_to(user)
        .filter(person=person)
        .order_by()
        .annotate(month=TruncMonth("seen_at"))
        .values_list("month", "decided_by")
        .annotate(count=Count("pk"))
    )
    return draw_timeline({(month.date(), who): count for month, who, count in rows})


def draw_timeline(counts: dict[tuple[date, str], int]) -> Timeline | None:
    """From how many were seen in each month, by who named them."""
    if len({month for month, _ in counts}) < 2:
        return None
    months = [_months_of(month) for month, _ in counts]
    by_year = max(months) - min(months) >= _MONTHS
    slot: Callable[[date], int] = (lambda month: month.year) if by_year else _months_of
    filled: Counter[tuple[int, str]] = Counter()
    for (month, who), count in counts.items():
        filled[slot(month), who] += count
    slots = range(min(at for at, _ in filled), max(at for at, _ in filled) + 1)
    tallest = max(_FULL, *(sum(filled[at, who] for who in Sighting.DecidedBy.values) for at in slots))
    bars = [
        _draw_bar(
            _name_of(at, by_year=by_year),
            number,
            verified=filled[at, Sighting.DecidedBy.HUMAN],
            machine=filled[at, Sighting.DecidedBy.MACHINE],
            tallest=tallest,
        )
        for number, at in enumerate(slots)
    ]
    return Timeline(unit="year" if by_year else "month", bars=bars)


def _draw_bar(when: str, number: int, *, verified: int, machine: int, tallest: int) -> Bar:
    lower, upper = (round(_HEIGHT * count / tallest, 1) for count in (verified, machine))
    return Bar(
        when=when,
        count=verified + machine,
        x=number * _STEP,
        verified_top=round(_HEIGHT - lower, 1),
        verified_height=lower,
        machine_top=round(_HEIGHT - lower - upper, 1),
        machine_height=upper,
    )


def _months_of(month: date) -> int:
    return month.year * 12 + month.month - 1


def _name_of(slot: int, *, by_year: bool) -> str:
    return str(slot) if by_year else f"{date(slot // 12, slot % 12 + 1, 1):%b %Y}"
