"""Which open faces are looked at again because the lines for naming a face have moved: a face without a Look waits for one."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from labeling.models import Look
from recognition.active_embedder import find_active_info
from recognition.embedders import Thresholds

_LINES = ("automatic", "suggest", "strict")


def forget_between(old: Thresholds, new: Thresholds) -> int:
    """Forget what was said of faces between an old line and its new place; returns of how many.

    Belongs into the transaction that moved the lines, under the gallery's lock.
    """
    between = Q()
    for name in _LINES:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            between |= Q(similarity__gte=min(was, now), similarity__lt=max(was, now))
    if old.margin != new.margin:
        low, high = sorted((old.margin, new.margin))
        between |= Q(margin__gte=low, margin__lt=high, similarity__gte=min(old.suggest, new.suggest))
    return Look.objects.filter(between).delete()[0] if between else 0


def forget_at(event_pks: Collection[int]) -> int:
    """Forget what was said of the open faces of these events that a line decides about: who is on their rosters has changed.

    Belongs into the transaction that changed them, under the gallery's lock.
    """
    info = find_active_info()
    if info is None:
        return 0
    # Who does not reach the usual line is not named by any.
    looks = Look.objects.filter(similarity__gte=info.thresholds.automatic)
    return looks.filter(face__photo__event__in=event_pks).delete()[0]
