"""Asking people about the names that were drawn: the next card, its answer as a decision like any other, and its undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.roles import LABELER, MANAGER
from labeling.checks.sampling import first_in_share, period_of, read_halvings, start_of
from labeling.decisions import PersonGone, label_faces, latest_decision, reject_faces, undo_decision
from labeling.models import Decision, NameCheck
from labeling.team.leases import leased_by_others
from recognition.models import Face, Person

Reply = Literal["right", "wrong", "unsure"]
REPLIES: tuple[Reply, ...] = ("right", "wrong", "unsure")
# Whoever has all of these open works beside so many colleagues.
_LOOKED_AT = 50


class CheckAnswered(Exception):
    """Somebody answered first, by this card or by a decision about the face; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """`decision` is what the answer wrote; none where nobody could tell."""

    check: NameCheck
    decision: Decision | None = None


def checks_to_ask(user: User) -> QuerySet[NameCheck]:
    """Names of this period and the one before that are in the sample, open, and of events where the user labels.

    In the order of the faces' random ids: what has been answered at any time is a random part of the whole. Older
    names are asked about no more, so that nobody is met by the backlog of a year.
    """
    now = period_of(timezone.now())
    return (
        NameCheck.objects.filter(
            _in_sample_of(now) | _in_sample_of(now - 1),
            answer=NameCheck.Answer.NONE,
            # Somebody who came and went with a decision that was undone is nobody to ask about.
            person__hidden_at=None,
            face__in=Face.objects.for_role(user, LABELER, MANAGER).order_by(),
        )
        .select_related("face__photo__event", "person__merged_into")
        .order_by("-face__face_id", "pk")
    )


def _in_sample_of(period: int) -> Q:
    return Q(
        named_at__gte=start_of(period),
        named_at__lt=start_of(period + 1),
        face__face_id__gte=first_in_share(read_halvings(period)),
    )


def next_check(user: User) -> NameCheck | None:
    """The first that nobody has open; where all are open, the first: nobody waits for anybody."""
    waiting = list(checks_to_ask(user)[:_LOOKED_AT])
    taken = leased_by_others(user)
    return next((one for one in waiting if card_of(one) not in taken), waiting[0] if waiting else None)


def find_check(pk: int, user: User) -> NameCheck | None:
    """A check of an event where the user labels, answered or not."""
    checks = NameCheck.objects.filter(face__in=Face.objects.for_role(user, LABELER, MANAGER).order_by())
    return checks.select_related("face__photo__event", "person__merged_into").filter(pk=pk).first()


def card_of(check: NameCheck) -> str:
    return f"check-{check.pk}"


def person_of(check: NameCheck) -> Person:
    """Whom the machine named, as they are called since a merge."""
    person = check.person
    while person.merged_into is not None:
        person = person.merged_into
    return person


def answer_check(
    *, check: NameCheck, reply: Reply, actor: User, version: int | None = None, key: UUID | None = None
) -> Answered:
    """Right makes it a name that people gave, and a reference unless the face is poor; wrong takes the name off and
    remembers that; both are decisions. Not inside a transaction. Raises CheckAnswered, DecisionConflict, PersonGone.
    """
    if key is not None and (
        made := Decision.objects.filter(key=key, actor=actor, face=check.face_id).first()
    ):
        return Answered(check=check, decision=made)
    if check.answer != NameCheck.Answer.NONE:
        raise CheckAnswered
    if reply == "unsure":
        answered = NameCheck.objects.filter(pk=check.pk, answer=NameCheck.Answer.NONE).update(
            answer=NameCheck.Answer.UNSURE, answered_by=actor, answered_at=timezone.now()
        )
        if answered != 1:
            raise CheckAnswered
        return Answered(check=check)
    face, person = check.face, person_of(check)
    if person.hidden_at is not None:
        raise PersonGone
    versions = {face.pk: face.version if version is None else version}
    if reply == "right":
        decision = label_faces(
            faces=[face], person=person, actor=actor, versions=versions, key=key, twice=True, teach_poor=False
        )
    else:
        decision = reject_faces(faces=[face], people=[person], actor=actor, versions=versions, key=key)
    return Answered(check=check, decision=decision)


def reopen_check(*, check: NameCheck, actor: User) -> None:
    """Take one's own last answer back. Raises CheckAnswered where there is none, UndoRefused, PermissionDenied."""
    if check.answer == NameCheck.Answer.UNSURE and check.answered_by_id == actor.pk:
        NameCheck.objects.filter(pk=check.pk, answer=NameCheck.Answer.UNSURE).update(
            answer=NameCheck.Answer.NONE, answered_by=None, answered_at=None
        )
        return
    decision = latest_decision(check.face_id)
    if check.answer == NameCheck.Answer.NONE or decision is None:
        raise CheckAnswered
    if decision.actor_id != actor.pk:
        raise PermissionDenied("Only your own answers are taken back here.")
    undo_decision(decision=decision, actor=actor)
