"""When it all happened: a vault that was filled in a minute looks as if an office had worked on it for a month."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import numpy as np
from django.utils import timezone

_DAYS = 30
# A prime, so that neighbors in the tables, who are often on one photo, fall into different groups.
_GROUPS = 97
_OPENS, _CLOSES = 9, 17


def draw_moments(rng: np.random.Generator) -> list[datetime]:
    """Office hours of the last month for one sighting after the other, in turn: more of them lately, hardly any on weekends."""
    today = timezone.localdate()
    days = [today - timedelta(days=number) for number in range(1, _DAYS)]
    weights = np.array(
        [(0.05 if day.weekday() >= 5 else 1.0) * (1 - 0.5 * i / _DAYS) for i, day in enumerate(days)]
    )
    # Some days nobody has time.
    weights *= rng.uniform(0.05, 1, len(days)) ** 1.5
    moments = []
    for number in rng.choice(len(days), size=_GROUPS, p=weights / weights.sum()):
        hour = time(int(rng.integers(_OPENS, _CLOSES)), int(rng.integers(0, 60)))
        moments.append(datetime.combine(days[number], hour, tzinfo=timezone.get_current_timezone()))
    return moments
