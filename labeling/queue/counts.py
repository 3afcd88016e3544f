"""How much is in the queue: the counts over the tabs of the desk, and how many decisions are still to take."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count

from labeling.models import Decision
from labeling.queue.forecast import Forecast, forecast
from labeling.queue.people import FEWEST, Seeming, list_people
from labeling.queue.put_off import put_off_faces_of
from labeling.queue.scope import Scope
from recognition.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """`left`, `skipped` and the cards are this user's; `asked` and `decided` of `total` faces is everybody's."""

    left: int
    skipped: int
    asked: int
    groups: int
    suggestions: int
    singles: int
    decided: int
    total: int
    forecast: Forecast | None

    @property
    def percent(self) -> int:
        """Rounded down: 100 means that nothing is left."""
        return 100 * self.decided // self.total if self.total else 0


NOTHING = QueueCounts(
    left=0, skipped=0, asked=0, groups=0, suggestions=0, singles=0, decided=0, total=0, forecast=None
)


def count_queue(*, user: User, event: Event | None = None, scope: Scope | None = None) -> QueueCounts:
    """From the few that are open and the fewer that were put off. With the `scope` of a card it reads no list twice."""
    scope = scope or Scope.of(user, event)
    total, still_open = scope.faces().count(), scope.entries().count()
    if not still_open:
        return QueueCounts(
            left=0,
            skipped=0,
            asked=0,
            groups=0,
            suggestions=0,
            singles=0,
            decided=total,
            total=total,
            forecast=None,
        )
    sizes = _sizes_of_groups(scope)
    in_groups = sum(size * groups for size, groups in sizes.items())
    put_off = _put_off(scope)
    people = list_people(scope)
    skipped_people = {card.person_pk for card in scope.cards_put_off}
    asked = put_off_faces_of(scope, Decision.objects.filter(kind=Decision.Kind.ASK))
    return QueueCounts(
        left=still_open - len(put_off),
        skipped=_count_skipped(scope),
        asked=asked.order_by().values("face").distinct().count(),
        groups=sum(sizes.values()) - _count_groups_put_off(scope),
        suggestions=sum(one.person_pk not in skipped_people for one in people),
        singles=still_open - in_groups - sum(not in_group for in_group in put_off.values()),
        decided=total - still_open,
        total=total,
        forecast=forecast(
            total=total,
            decided=total - still_open,
            sizes=_with_people(sizes, people, alone=1 - in_groups / still_open),
        ),
    )


def _sizes_of_groups(scope: Scope) -> Counter[int]:
    rows = scope.clusters().order_by().values_list("open_count").annotate(groups=Count("pk"))
    return Counter(dict(rows))


def _put_off(scope: Scope) -> dict[int, bool]:
    """The open faces that this user put off, and whether each is in a group."""
    if all(card.person_pk is not None for card in scope.cards_put_off):
        return {}
    rows = scope.put_off_faces().filter(scope.within("face__photo__event"), face__unlabeled__reviewed=False)
    found = rows.order_by().values_list("face__pk", "face__member__cluster__open_count")
    return {face: (size or 0) >= 2 for face, size in found}


def _count_skipped(scope: Scope) -> int:
    """Faces, without those of lists: they may come on another card."""
    if not any(card.kind == Decision.Kind.SKIP and card.person_pk is None for card in scope.cards_put_off):
        return 0
    skips = scope.put_off().filter(kind=Decision.Kind.SKIP, person=None)
    return put_off_faces_of(scope, skips).order_by().values("face").distinct().count()


def _count_groups_put_off(scope: Scope) -> int:
    groups = {card.cluster_pk for card in scope.cards_put_off if card.cluster_pk is not None}
    return scope.clusters().filter(pk__in=groups).count() if groups else 0


def _with_people(sizes: Counter[int], people: list[Seeming], *, alone: float) -> Counter[int]:
    """With the lists of people, each as long as the share `alone` of it: a name settles nothing twice.

    Which of the faces are in no group would take longer to read than a forecast is worth.
    """
    lists = Counter(int(one.sure * alone) for one in people)
    return sizes + Counter({size: count for size, count in lists.items() if size >= FEWEST})
