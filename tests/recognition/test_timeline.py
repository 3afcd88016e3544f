"""The drawing of when somebody was seen."""

import datetime

from recognition.people.timeline import draw_timeline


def month(year: int, number: int) -> datetime.date:
    return datetime.date(year, number, 1)


def test_every_month_between_has_a_bar() -> None:
    timeline = draw_timeline({(month(2025, 11), "human"): 2, (month(2026, 2), "machine"): 1})
    assert timeline is not None
    assert timeline.unit == "month"
    assert [(bar.when, bar.count) for bar in timeline.bars] == [
        ("Nov 2025", 2),
        ("Dec 2025", 0),
        ("Jan 2026", 0),
        ("Feb 2026", 1),
    ]
    assert timeline.most.when == "Nov 2025"
    assert [bar.when for bar in timeline.seen] == ["Nov 2025", "Feb 2026"]


def test_the_tallest_bar_fills_the_height_and_the_machine_s_part_is_on_top() -> None:
    timeline = draw_timeline(
        {(month(2026, 1), "human"): 3, (month(2026, 1), "machine"): 1, (month(2026, 2), "human"): 1}
    )
    assert timeline is not None
    first, second = timeline.bars
    assert (first.verified_height, first.machine_height, first.machine_top) == (30, 10, 0)
    assert first.verified_top == first.machine_top + first.machine_height
    assert second.verified_top + second.verified_height == timeline.height


def test_many_years_are_told_by_year() -> None:
    timeline = draw_timeline(
        {(month(2019, 5), "human"): 1, (month(2019, 9), "human"): 1, (month(2026, 5), "human"): 1}
    )
    assert timeline is not None
    assert timeline.unit == "year"
    assert [(bar.when, bar.count) for bar in timeline.bars][:2] == [("2019", 2), ("2020", 0)]
    assert len(timeline.bars) == 8


def test_one_month_is_no_story() -> None:
    assert draw_timeline({(month(2026, 5), "human"): 9, (month(2026, 5), "machine"): 1}) is None
    assert draw_timeline({}) is None
