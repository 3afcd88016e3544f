"""Which card somebody gets next, taken for them; and the cards after it, which a page loads ahead."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User

from labeling.desk.place import Place
from labeling.queue import QueueItem, next_items
from labeling.queue.order import DEPTH
from labeling.queue.scope import Scope
from labeling.team.leases import take_lease

# So many cards are tried to find one that nobody else has open.
_TRIED = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """`scope` is what they were read in: the counts of the same answer need not read it again."""

    item: QueueItem | None
    following: list[QueueItem]
    scope: Scope


def choose_next(*, user: User, place: Place, after: QueueItem | None = None, onward: bool = False) -> Ahead:
    """The best card that nobody else has open, from now on this user's; if others have every one, the best all the same.

    `onward` goes through the queue instead: what comes behind `after`, and at the end the first again.
    """
    scope = Scope.of(user, place.event)
    through = onward and after is not None
    found = next_items(
        user=user,
        event=place.event,
        queue=place.queue,
        after=None if through else after,
        count=DEPTH if through else _TRIED,
        scope=scope,
    )
    if through and after is not None:
        at = next((number for number, item in enumerate(found) if item.card == after.card), -1)
        found = [*found[at + 1 :], *found[: max(at, 0)]]
    chosen = found[0] if found else None
    for item in found:
        # Of two who ask at the same moment one is told that the other was first.
        if take_lease(user=user, card=item.card) is None:
            chosen = item
            break
    following = [item for item in found if chosen is None or item.card != chosen.card]
    return Ahead(item=chosen, following=following, scope=scope)
