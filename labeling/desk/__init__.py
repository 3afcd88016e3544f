"""The desk: one card to decide about, the queue around it, and the decisions before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404
from django.urls import reverse

from access.roles import LABELER, MANAGER
from labeling.decisions import decisions_seen_by
from labeling.desk.candidates import CANDIDATES
from labeling.desk.conflicts import Conflict, list_conflicts
from labeling.desk.face_card import FaceCard, read_face_card
from labeling.desk.group_card import GroupCard, read_group_card
from labeling.desk.past import PastDecision, read_past
from labeling.desk.person_card import PersonCard, read_person_card
from labeling.desk.place import Place
from labeling.desk.shown import Shown, choose_shown
from labeling.models import Cluster, Decision
from labeling.queue import Queue, QueueCounts, QueueItem, count_queue, next_items
from labeling.queue.counts import NOTHING
from labeling.queue.scope import Scope
from labeling.words import ago, user_words
from recognition.models import Event, Face, Person, UnlabeledFace

__all__ = ["CANDIDATES", "Card", "Desk", "PastDecision", "Place", "read_ahead", "read_desk"]

Card = FaceCard | GroupCard | PersonCard
# What is loaded ahead: the next cards, and so many faces of a list.
AHEAD = 5
_LISTED_AHEAD = 12
# Events that still have open faces; more than anybody labels at a time.
_EVENTS_OFFERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    name: str
    url: str
    count: int | None
    current: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    place: Place
    counts: QueueCounts
    card: Card | None
    past: list[PastDecision]
    redo: PastDecision | None
    events: list[Event]
    conflicts: list[Conflict]

    @property
    def tabs(self) -> list[Tab]:
        counts = self.counts
        named: list[tuple[Queue, str, int | None]] = [
            ("", "Best first", None),
            ("groups", "Groups", counts.groups),
            ("suggestions", "Suggestions", counts.suggestions),
            ("singles", "Singles", counts.singles),
            ("conflicts", "Conflicts", None),
            ("skipped", "Skipped", counts.skipped),
            ("asked", "Asked", counts.asked),
        ]
        return [
            Tab(name=name, url=self.place.tab(queue), count=count, current=queue == self.place.queue)
            for queue, name, count in named
        ]

    @property
    def best_url(self) -> str:
        return self.place.tab("")

    @property
    def skipped_url(self) -> str:
        return self.place.tab("skipped")

    @property
    def here(self) -> str:
        """The address of this card."""
        return self.place.url(self.card.item if self.card else None)

    @property
    def ahead(self) -> str:
        """The address of the card that a decision about this one leads to; empty where it leads nowhere."""
        if self.card is None or not self.card.ahead:
            return ""
        return reverse("label-ahead") + self.place.query_with(after=self.card.item.card)

    def announce(self, said: str, *, onward: bool) -> str:
        """The result, and which card is there now; `onward`: it is another one."""
        if not said:
            return ""
        if self.card is None:
            return f"{said} Nothing is left here."
        return f"{said} Next: {self.card.title}" if onward else f"{said} {self.card.title}"


def read_desk(
    *,
    user: User,
    place: Place,
    item: QueueItem | None,
    view: str = "",
    page: int = 1,
    following: Sequence[QueueItem] | None = None,
    scope: Scope | None = None,
) -> Desk:
    """Everything that the page draws, from fresh rows. Searches the gallery, so call it outside transactions.

    `following` are the cards after this one, and `scope` the place's, where the caller has read them already.
    """
    scope = scope or Scope.of(user, place.event)
    if following is None:
        following = (
            next_items(user=user, event=place.event, queue=place.queue, after=item, count=AHEAD, scope=scope)
            if item
            else []
        )
    following = following[:AHEAD]
    shown = choose_shown([one.pk for one in (item, *following) if one is not None and one.kind == "cluster"])
    card = _read_card(item, user=user, place=place, shown=shown, view=view, page=page) if item else None
    past, counts = read_past(user), count_queue(user=user, scope=scope)
    # Of all events nothing is missed: where no open face was asked about, this card was not.
    asked_by = _asked_by(item, user) if item is not None and (counts.asked or place.event is not None) else []
    return Desk(
        place=place,
        counts=counts,
        card=replace(card, ahead=_crops_of(following, shown, scope), asked_by=asked_by)
        if card is not None
        else None,
        past=past.decisions,
        redo=past.redo,
        events=_events_to_choose(user, place),
        conflicts=list_conflicts(user) if place.queue == "conflicts" and item is None else [],
    )


def read_ahead(*, user: User, place: Place, after: QueueItem | None) -> Desk | None:
    """The card that a decision about `after` will lead to, as things stand: nobody's yet, and with nothing around it.

    Searches the gallery, so call it outside transactions. None where nothing is left.
    """
    items = next_items(user=user, event=place.event, queue=place.queue, after=after)
    if not items:
        return None
    shown = choose_shown([items[0].pk] if items[0].kind == "cluster" else [])
    card = _read_card(items[0], user=user, place=place, shown=shown, view="", page=1, seen=False)
    return Desk(place=place, counts=NOTHING, card=card, past=[], redo=None, events=[], conflicts=[])


def _read_card(
    item: QueueItem,
    *,
    user: User,
    place: Place,
    shown: dict[int, Shown],
    view: str,
    page: int,
    seen: bool = True,
) -> Card:
    if item.kind == "cluster":
        cluster = get_object_or_404(Cluster, pk=item.pk)
        return read_group_card(cluster, user=user, view=view, page=page, ahead=shown, seen=seen)
    if item.kind == "person":
        person = get_object_or_404(Person.objects.current(), pk=item.pk)
        return read_person_card(person, user=user, event=place.event)
    return read_face_card(item.pk, user=user)


def _crops_of(items: Sequence[QueueItem], shown: dict[int, Shown], scope: Scope) -> list[Face]:
    """The faces that the next cards begin with."""
    pks: list[int] = []
    for item in items:
        if item.kind == "cluster":
            pks += [*shown[item.pk].best, *shown[item.pk].farthest]
        elif item.kind == "face":
            pks.append(item.pk)
    people = [item.pk for item in items if item.kind == "person"]
    if people:
        # Of the first of them alone: a list is many faces, and the others come much later.
        rows = scope.looks().filter(person=people[0])
        pks += rows.order_by("-similarity").values_list("face__pk", flat=True)[:_LISTED_AHEAD]
    found = Face.objects.only("face_id").in_bulk(pks)
    return [found[pk] for pk in pks if pk in found]


def _events_to_choose(user: User, place: Place) -> list[Event]:
    """Events with open faces, and the one chosen."""
    waiting = UnlabeledFace.objects.filter(face__photo__event=OuterRef("pk")).open().order_by()
    mine = Event.objects.for_role(user, LABELER, MANAGER)
    found = list(mine.filter(Exists(waiting))[:_EVENTS_OFFERED])
    if place.event is not None and place.event not in found:
        found.insert(0, place.event)
    return found


def _asked_by(item: QueueItem, user: User) -> list[str]:
    """What colleagues asked about the card, "Mona asks who this is, 5 min ago".

    A person's list is another one for whoever labels other events, and so are the questions about it.
    """
    asked = decisions_seen_by(user).filter(kind=Decision.Kind.ASK, undone_at=None).exclude(actor=user)
    if item.kind == "cluster":
        asked = asked.filter(cluster=item.pk)
    elif item.kind == "person":
        asked = asked.filter(person=item.pk)
    else:
        asked = asked.filter(face=item.pk, cluster=None, person=None)
    return [
        f"{user_words(decision.actor)} asks who this is, {ago(decision.created_at)}."
        for decision in asked.select_related("actor")[:3]
    ]
