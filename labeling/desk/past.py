"""The decisions before: what somebody did last at the desk, each with its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Count, Q

from access.roles import LABELER, MANAGER
from labeling.models import Decision
from labeling.words import ago, short_words
from recognition.models import Face, Sighting

PAST = 10
# Of so many of one's last decisions the one that was undone last can be done again by a key.
_REDONE_AMONG = 30
# Of a decision's columns; what it was about may be long.
_DRAWN = ("key", "kind", "actor", "face_count", "created_at", "undone_at", "undone_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDecision:
    """`followed` are the faces that FaceVault has given the name to since."""

    decision: Decision
    words: str
    ago: str
    followed: int = 0

    @property
    def count(self) -> int:
        return self.decision.face_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The decisions that still hold, the newest first; and what can be done again."""

    decisions: list[PastDecision]
    redo: PastDecision | None


def read_past(user: User) -> Past:
    """This user's last decisions, by two queries as long as most of them still hold."""
    labeled = Face.objects.for_role(user, LABELER, MANAGER)
    mine = (
        Decision.objects.filter(actor=user, face__in=labeled)
        .select_related("person", "face")
        .only(*_DRAWN, "person__name", "face__face_id")
    )
    last = list(mine[:_REDONE_AMONG])
    in_force = [decision for decision in last if decision.undone_at is None]
    if len(in_force) < PAST and len(last) == _REDONE_AMONG:
        in_force = list(mine.filter(undone_at=None)[:PAST])
    redo = _last_undone(last, user)
    shown = in_force[:PAST]
    followed = _count_followed(shown, user)
    return Past(
        decisions=[_word(decision, followed.get(decision.pk, 0)) for decision in shown],
        redo=_word(redo) if redo is not None else None,
    )


def _last_undone(last: list[Decision], user: User) -> Decision | None:
    """What this user undid last, as long as they have decided nothing since."""
    since = [
        (decision.undone_at, decision)
        for decision in last
        if decision.undone_at is not None
        and decision.undone_by_id == user.pk
        and decision.undone_at > last[0].created_at
    ]
    return max(since, key=lambda pair: pair[0])[1] if since else None


def _count_followed(decisions: Sequence[Decision], user: User) -> dict[int, int]:
    """By decision that gave a name, the machine's names of the person since; of two of one person the later has them."""
    until: dict[int, datetime] = {}
    counted: dict[str, Count] = {}
    # The newest come first.
    for one in decisions:
        if one.kind != Decision.Kind.LABEL or one.person is None:
            continue
        since = Q(person=one.person, created_at__gte=one.created_at)
        if one.person.pk in until:
            since &= Q(created_at__lt=until[one.person.pk])
        until[one.person.pk] = one.created_at
        counted[f"of_{one.pk}"] = Count("pk", filter=since)
    if not counted:
        return {}
    named = Sighting.objects.for_role(user, LABELER, MANAGER).filter(
        person__in=until, decided_by=Sighting.DecidedBy.MACHINE, created_at__gte=min(until.values())
    )
    found = named.order_by().aggregate(**counted)
    return {one.pk: found.get(f"of_{one.pk}", 0) for one in decisions}


def _word(decision: Decision, followed: int = 0) -> PastDecision:
    return PastDecision(
        decision=decision, words=short_words(decision), ago=ago(decision.created_at), followed=followed
    )
