"""Scope: whose queue it is and of which events; every read of the queue begins here."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from access.roles import LABELER, MANAGER, reach_of
from labeling.models import Cluster, DecidedFace, Decision, Look
from recognition.models import Event, Face, UnlabeledFace
from recognition.querysets import doomed_events

if TYPE_CHECKING:
    from labeling.queue.people import Seeming


class CardPutOff(NamedTuple):
    """`kind` is the decision's."""

    kind: str
    cluster_pk: int | None
    person_pk: int | None


class Scope:
    """The faces that a user may decide about, of these events or of all where they label. Good for one request."""

    def __init__(self, user: User, *, events: Collection[int] | None = None) -> None:
        self.user = user
        self._chosen = None if events is None else frozenset(events)
        # Filled by people.py, which reads them once.
        self.lists: list[Seeming] | None = None

    @classmethod
    def of(cls, user: User, event: Event | None) -> Scope:
        return cls(user, events=None if event is None else [event.pk])

    @cached_property
    def _events(self) -> frozenset[int] | None:
        """None where that is every event there is."""
        reach = reach_of(self.user, LABELER, MANAGER)
        doomed = doomed_events(self.user)
        if reach.everywhere and self._chosen is None:
            if not doomed:
                return None
            return frozenset(Event.objects.filter(deleted_at=None).order_by().values_list("pk", flat=True))
        mine = self._chosen if reach.everywhere else reach.events
        if mine is None:
            return frozenset()
        return (mine if self._chosen is None else mine & self._chosen) - doomed

    def within(self, lookup: str) -> Q:
        """That the event at the lookup is one of them."""
        return Q() if self._events is None else Q(**{f"{lookup}__in": self._events})

    def faces(self) -> QuerySet[Face]:
        return Face.objects.filter(self.within("photo__event"))

    def entries(self) -> QuerySet[UnlabeledFace]:
        """Open entries, best first."""
        return UnlabeledFace.objects.open().filter(self.within("face__photo__event"))

    def clusters(self) -> QuerySet[Cluster]:
        """Those with at least two open faces, the largest first: a face that is left alone is a single."""
        return Cluster.objects.filter(self.within("event"), open_count__gte=2)

    def looks(self) -> QuerySet[Look]:
        """Of open faces that look like somebody, who may be gone by now."""
        return self.looks_at_somebody().filter(face__unlabeled__reviewed=False)

    def looks_at_somebody(self) -> QuerySet[Look]:
        """Those of decided faces too, until the worker has cleared them away."""
        return Look.objects.filter(self.within("face__photo__event"), person__isnull=False)

    def put_off(self) -> QuerySet[Decision]:
        """What this user skipped or asked a colleague about, and did not take back."""
        return Decision.objects.filter(actor=self.user, kind__in=Decision.POSTPONING, undone_at=None)

    @cached_property
    def cards_put_off(self) -> list[CardPutOff]:
        """The same, each card once; of all the single faces there is one without a group and a person."""
        rows = self.put_off().order_by().values_list("kind", "cluster", "person").distinct()
        return [CardPutOff(kind, cluster, person) for kind, cluster, person in rows]

    def put_off_faces(self) -> QuerySet[DecidedFace]:
        """The same, face by face. A list that was put off hides none of its faces: they may come on another card."""
        return DecidedFace.objects.filter(
            decision__actor=self.user,
            decision__kind__in=Decision.POSTPONING,
            decision__undone_at=None,
            decision__person=None,
        )
