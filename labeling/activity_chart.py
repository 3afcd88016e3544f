"""The chart of the last days as rectangles for an inline SVG: attributes alone, as the strict CSP wants it."""

from __future__ import annotations

from dataclasses import dataclass

from labeling.activity import Activity, Day

WIDTH, HEIGHT = 900, 180
_BAR_SHARE = 0.72


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One part of a day's column; `kind` is a field of Day."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    day: Day
    x: float
    width: float
    bars: list[Bar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """`top` is what the upper edge stands for; lengths are units of a box of WIDTH by HEIGHT."""

    columns: list[Column]
    top: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle(self) -> float:
        return HEIGHT / 2

    @property
    def half(self) -> float:
        return self.top / 2


def draw_activity(activity: Activity) -> Chart:
    """A column a day, from the earliest to today; people at the bottom, then the machine, then the rest."""
    top = round_up(max((day.total for day in activity.days), default=0))
    slot = WIDTH / max(1, len(activity.days))
    return Chart(
        top=top,
        columns=[
            Column(
                day=day,
                x=round(number * slot, 2),
                width=round(slot, 2),
                bars=_stack(day, top, x=number * slot + slot * (1 - _BAR_SHARE) / 2, width=slot * _BAR_SHARE),
            )
            for number, day in enumerate(activity.days)
        ],
    )


def round_up(number: int) -> int:
    """The next of 2, 4, 6, 8, 10, 20, 30, 40, 60, 80, 100, 200, ...: an even number, so that half of it is a number too."""
    step = 1
    while True:
        for factor in (2, 3, 4, 6, 8, 10):
            if number <= factor * step and factor * step % 2 == 0:
                return factor * step
        step *= 10


def _stack(day: Day, top: int, *, x: float, width: float) -> list[Bar]:
    bars, y = [], float(HEIGHT)
    for kind, count in (("people", day.people), ("machine", day.machine), ("other", day.other)):
        if not count:
            continue
        # The least is seen, too: one decision beside ten thousand.
        height = max(1.5, HEIGHT * count / top)
        y -= height
        bars.append(
            Bar(
                kind=kind,
                x=round(x, 2),
                y=round(max(0, y), 2),
                width=round(width, 2),
                height=round(height, 2),
            )
        )
    return bars
