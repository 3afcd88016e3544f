"""Which card comes next: the one whose decision is expected to settle the most faces, of those that nobody else has open."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q

from labeling.queue.items import QueueItem
from labeling.queue.people import best_lists
from labeling.queue.put_off import list_asked, list_skipped
from labeling.queue.scope import Scope
from labeling.queue.worth import cluster_worth, face_worth
from labeling.team.assignments import assigned_events
from labeling.team.leases import leased_by_others
from recognition.models import Event

Queue = Literal["", "groups", "suggestions", "singles", "conflicts", "skipped", "asked"]
QUEUES: tuple[Queue, ...] = get_args(Queue)
# So many are looked at; of these the ones that others have open are passed over.
DEPTH = 48


def next_items(
    *,
    user: User,
    event: Event | None = None,
    queue: Queue = "",
    after: QueueItem | None = None,
    count: int = 1,
    scope: Scope | None = None,
) -> list[QueueItem]:
    """The next few cards for this user, never `after`, the one they just decided about.

    Cards that others have open come last: nobody is kept waiting by them. Of all events those come first that were
    assigned to the user. A `scope` of these events may be given, to read with the counts what both want.
    """
    read = _READERS.get(queue)
    if read is None:
        return []
    leased = leased_by_others(user)
    free: list[QueueItem] = []
    busy: list[QueueItem] = []
    for part in _scopes(scope or Scope.of(user, event), event, queue):
        for item in read(part):
            if after is None or item.card != after.card:
                (busy if item.card in leased else free).append(item)
        if len(free) >= count:
            break
    ordered = {item.card: item for item in (*free, *busy)}
    return list(ordered.values())[:count]


def _scopes(whole: Scope, event: Event | None, queue: Queue) -> list[Scope]:
    if event is not None or queue in {"skipped", "asked"}:
        return [whole]
    assigned = list(assigned_events(whole.user).order_by().values_list("pk", flat=True))
    return [*([Scope(whole.user, events=assigned)] if assigned else []), whole]


def _list_best(scope: Scope) -> list[QueueItem]:
    found = [*_list_groups(scope), *_list_suggestions(scope)]
    # Any of those settles more than a face alone.
    if len(found) < DEPTH:
        found += _list_singles(scope)
    return sorted(found, key=lambda item: item.rank)


def _list_groups(scope: Scope) -> list[QueueItem]:
    skipped = {card.cluster_pk for card in scope.cards_put_off if card.cluster_pk is not None}
    found = []
    for mixed in (False, True):
        # Each in the order of an index; together they would be sorted anew.
        rows = scope.clusters().filter(mixed=mixed).exclude(pk__in=skipped)
        found += [
            QueueItem(kind="cluster", pk=pk, count=size, worth=cluster_worth(size, mixed=mixed))
            for pk, size in rows.values_list("pk", "open_count")[:DEPTH]
        ]
    return sorted(found, key=lambda item: item.rank)[:DEPTH]


def _list_suggestions(scope: Scope) -> list[QueueItem]:
    skipped = {card.person_pk for card in scope.cards_put_off if card.person_pk is not None}
    return [found.item for found in best_lists(scope, without=skipped)]


def _list_singles(scope: Scope) -> list[QueueItem]:
    rows = (
        scope.entries()
        .filter(Q(face__member=None) | Q(face__member__cluster__open_count__lt=2))
        .filter(~Exists(scope.put_off_faces().filter(face=OuterRef("face")).order_by()))
    )
    return [
        QueueItem(kind="face", pk=pk, face_id=face_id, worth=face_worth(priority))
        for pk, face_id, priority in rows.values_list("face__pk", "face__face_id", "priority")[:DEPTH]
    ]


_READERS: dict[str, Callable[[Scope], list[QueueItem]]] = {
    "": _list_best,
    "groups": _list_groups,
    "suggestions": _list_suggestions,
    "singles": _list_singles,
    "skipped": list_skipped,
    "asked": list_asked,
}
