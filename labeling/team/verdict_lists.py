"""What was set aside, by verdict: strangers, no faces, poor ones, skipped, asked. Each list has its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, Max, OuterRef, QuerySet, Subquery

from access.roles import LABELER, MANAGER, reach_of
from labeling.decisions import CLOSING, UndoRefused, undo_decision
from labeling.models import DecidedFace, Decision
from labeling.words import ago, user_words
from recognition.models import Event, Face, UnlabeledFace

VERDICTS: dict[str, str] = {
    "stranger": "Strangers",
    "not_a_face": "Not faces",
    "poor": "Too poor",
    "skipped": "Skipped by you",
    "asked": "Asked",
}
_CLOSING: dict[str, Decision.Kind] = {verdict.value: kind for kind, verdict in CLOSING.items()}
_POSTPONED: dict[str, Decision.Kind] = {"skipped": Decision.Kind.SKIP, "asked": Decision.Kind.ASK}
PER_PAGE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One crop of a list. `value` is what its box posts; without one the user may only look."""

    face: Face
    value: str
    who: str
    ago: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictList:
    verdict: str
    page: Page[UnlabeledFace] | Page[Decision]
    items: list[Item]


def read_list(*, user: User, verdict: str, event: Event | None, page: str | None) -> VerdictList:
    if verdict in _POSTPONED:
        decisions = Paginator(postponed(user, verdict, event), PER_PAGE).get_page(page)
        return VerdictList(verdict=verdict, page=decisions, items=_items_of_decisions(decisions, user))
    entries = Paginator(_closed(user, verdict, event), PER_PAGE).get_page(page)
    return VerdictList(verdict=verdict, page=entries, items=_items_of_entries(entries))


def postponed(user: User, verdict: str, event: Event | None) -> QuerySet[Decision]:
    """One's own skips, or what anybody asked, that still have an open face; the latest first."""
    kind = _POSTPONED[verdict]
    faces = Face.objects.for_role(user, LABELER, MANAGER)
    if event is not None:
        faces = faces.filter(photo__event=event)
    # Of a list that was put off some faces may be of events that are not theirs to know of.
    mine = DecidedFace.objects.filter(decision=OuterRef("pk"), caused=False, face__in=faces.order_by())
    open_faces = mine.filter(face__unlabeled__reviewed=False)
    found = Decision.objects.filter(Exists(open_faces.order_by()), kind=kind, undone_at=None, face__in=faces)
    counted = mine.order_by().values("decision").annotate(count=Count("pk")).values("count")
    found = found.annotate(faces_here=Subquery(counted))
    if kind is Decision.Kind.SKIP:
        found = found.filter(actor=user)
    return found.select_related("face__photo__event", "actor").order_by("-pk")


def undo_postponed(*, decisions: Sequence[Decision], actor: User) -> int:
    """How many are back in the queue; somebody else's stay unless the user manages the event."""
    done = 0
    for decision in decisions:
        try:
            undo_decision(decision=decision, actor=actor)
        except (UndoRefused, PermissionDenied):
            continue
        done += 1
    return done


def find_postponed(user: User, verdict: str, keys: Sequence[UUID]) -> list[Decision]:
    return list(postponed(user, verdict, None).filter(key__in=keys))


def _closed(user: User, verdict: str, event: Event | None) -> QuerySet[UnlabeledFace]:
    entries = UnlabeledFace.objects.for_role(user, LABELER, MANAGER).filter(reviewed=True, verdict=verdict)
    if event is not None:
        entries = entries.filter(face__photo__event=event)
    last = (
        DecidedFace.objects.filter(
            face=OuterRef("face"), caused=False, decision__kind=_CLOSING[verdict], decision__undone_at=None
        )
        .order_by()
        .values("face")
        .annotate(last=Max("decision"))
        .values("last")
    )
    return (
        entries.select_related("face__photo__event")
        .annotate(decided=Subquery(last))
        .order_by("-decided", "-pk")
    )


def _items_of_entries(page: Page[UnlabeledFace]) -> list[Item]:
    rows = list(page.object_list)
    pks = [pk for row in rows if (pk := getattr(row, "decided", None)) is not None]
    decisions = Decision.objects.select_related("actor").in_bulk(pks)
    items = []
    for row in rows:
        decision = decisions.get(getattr(row, "decided", None) or 0)
        items.append(
            Item(
                face=row.face,
                value=f"{row.face.face_id}:{row.face.version}",
                who=user_words(decision.actor) if decision else "",
                ago=ago(decision.created_at) if decision else "",
                count=1,
            )
        )
    return items


def _items_of_decisions(page: Page[Decision], user: User) -> list[Item]:
    managed = reach_of(user, MANAGER)
    items = []
    for decision in page.object_list:
        face = decision.face
        if face is None:
            continue
        mine = decision.actor_id == user.pk or face.photo.event_id in managed
        items.append(
            Item(
                face=face,
                value=f"{decision.key}:0" if mine else "",
                who=user_words(decision.actor),
                ago=ago(decision.created_at),
                count=decision.faces_here,  # type: ignore[attr-defined]
            )
        )
    return items
