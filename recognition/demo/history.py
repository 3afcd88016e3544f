"""When it all happened: a vault that was filled in a minute looks as if an office had worked on it for a month."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import numpy as np
from django.db.models import F
from django.db.models.functions import Mod
from django.utils import timezone

from recognition.models import Sighting

_DAYS = 30
# A prime, so that neighbors in the tables, who are often on one photo, fall into different groups.
_GROUPS = 97
_OPENS, _CLOSES = 9, 17


def spread_decisions(rng: np.random.Generator) -> None:
    """Move every sighting to an office hour of the last month, more of them lately and hardly any on weekends."""
    today = timezone.localdate()
    days = [today - timedelta(days=number) for number in range(1, _DAYS)]
    weights = np.array(
        [(0.05 if day.weekday() >= 5 else 1.0) * (1 - 0.5 * i / _DAYS) for i, day in enumerate(days)]
    )
    # Some days nobody has time.
    weights *= rng.uniform(0.05, 1, len(days)) ** 1.5
    for group, number in enumerate(rng.choice(len(days), size=_GROUPS, p=weights / weights.sum())):
        hour = time(int(rng.integers(_OPENS, _CLOSES)), int(rng.integers(0, 60)))
        moment = datetime.combine(days[number], hour, tzinfo=timezone.get_current_timezone())
        Sighting.objects.alias(group=Mod(F("pk"), _GROUPS)).filter(group=group).update(created_at=moment)
