"""Whom the open faces may be, person by person: the lists that one decision confirms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from heapq import nsmallest
from typing import NamedTuple

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from labeling.models import Look, Rejection
from labeling.queue.items import QueueItem
from labeling.queue.scope import Scope
from labeling.queue.worth import person_worth
from recognition.models import Person, Sighting, UnlabeledFace

# One face that may be somebody is a single, and its own card suggests them.
FEWEST = 2
_GROUPED = "grouped"
# So many lists are looked at closely, and so often.
_AT_ONCE, _ROUNDS = 12, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonList:
    """How many open faces may be the person: in no group, `sure` where nobody else is as close, and the `close` calls;
    and `grouped`, whom the card of their group settles together."""

    person_pk: int
    sure: int
    close: int
    grouped: int = 0

    @property
    def count(self) -> int:
        return self.sure + self.close + self.grouped

    @property
    def worth(self) -> float:
        return person_worth(sure=self.sure, close=self.close, grouped=self.grouped)

    @property
    def item(self) -> QueueItem:
        return QueueItem(kind="person", pk=self.person_pk, count=self.count, worth=self.worth)


class Seeming(NamedTuple):
    """How a list seems before it is looked at closely: `every` face that may be the person, as if none were in a group."""

    person_pk: int
    every: int
    sure: int

    @property
    def worth(self) -> float:
        return person_worth(sure=self.sure, close=self.every - self.sure, grouped=0)


def list_people(scope: Scope) -> list[Seeming]:
    """Everybody with a list, in no order: see `best_lists`. Read once for a scope.

    The slowest read of the queue, which the order and the counts of one answer both want.
    """
    if scope.lists is None:
        scope.lists = _read_lists(scope)
    return scope.lists


def best_lists(scope: Scope, *, without: Collection[int]) -> list[PersonList]:
    """The lists that are worth the most, as their cards show them, best first.

    Looked at closely, a list is never worth more than it seemed, so whoever seemed to have less than the best has is
    not looked at.
    """
    others = (one for one in list_people(scope) if one.person_pk not in without)
    left = nsmallest(_ROUNDS * _AT_ONCE, others, key=lambda one: (-one.worth, one.person_pk))
    found: list[PersonList] = []
    for start in range(0, len(left), _AT_ONCE):
        some = left[start : start + _AT_ONCE]
        if any(one.worth >= some[0].worth for one in found):
            break
        found += settle_people(scope, [one.person_pk for one in some])
    return sorted(found, key=lambda one: (-one.worth, one.person_pk))


def settle_people(scope: Scope, person_pks: Collection[int]) -> list[PersonList]:
    """These people's lists as their cards show them: of every photo one face, and none that has the person already.

    Looks are as old as the worker's last round, so a list may hold fewer faces than were counted.
    """
    found: defaultdict[int, dict[int, str]] = defaultdict(dict)
    rows = open_looks(scope).filter(person__in=person_pks).order_by("-similarity", "pk")
    for person, photo, verdict, in_group in rows.values_list(
        "person", "face__photo", "verdict", "face__member__cluster__open_count"
    ):
        found[person].setdefault(photo, _GROUPED if (in_group or 0) > 1 else verdict)
    taken = _photos_with(found)
    lists = []
    for pk, photos in found.items():
        verdicts = [verdict for photo, verdict in photos.items() if (pk, photo) not in taken]
        sure, grouped = verdicts.count(Look.Verdict.SUGGEST), verdicts.count(_GROUPED)
        if len(verdicts) >= FEWEST:
            close = len(verdicts) - sure - grouped
            lists.append(PersonList(person_pk=pk, sure=sure, close=close, grouped=grouped))
    return lists


def _read_lists(scope: Scope) -> list[Seeming]:
    # By way of the face's row, which is wide, the same took three times as long.
    still_open = UnlabeledFace.objects.filter(face=OuterRef("face"), reviewed=False).order_by()
    rows = (
        scope.looks_at_somebody()
        .filter(Exists(still_open))
        .order_by()
        .values("person")
        .annotate(every=Count("pk"), sure=Count("pk", filter=Q(verdict=Look.Verdict.SUGGEST)))
        .filter(every__gte=FEWEST)
        .values_list("person", "every", "sure")
    )
    left = Person.objects.filter(Q(merged_into__isnull=False) | Q(hidden_at__isnull=False))
    gone = set(left.order_by().values_list("pk", flat=True))
    return [Seeming(*row) for row in rows if row[0] not in gone]


def open_looks(scope: Scope) -> QuerySet[Look]:
    """Looks that nobody has said no to since."""
    rejected = Rejection.objects.filter(face=OuterRef("face"), person=OuterRef("person")).order_by()
    return scope.looks().filter(~Exists(rejected))


def _photos_with(found: dict[int, dict[int, str]]) -> set[tuple[int, int]]:
    """(person, photo) where the photo shows the person by now."""
    photos = {photo for of_person in found.values() for photo in of_person}
    rows = Sighting.objects.filter(person__in=found, face__photo__in=photos).order_by()
    return set(rows.values_list("person", "face__photo"))
