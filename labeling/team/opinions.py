"""Second opinions: what a second person says of a named face, how far they agree, and what becomes of the differences."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid5

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q, QuerySet
from django.utils import timezone

from access.roles import LABELER, MANAGER, reach_of
from access.roles import User as Visitor
from labeling.decisions import label_face, record_verdict
from labeling.models import Decision, EventReview, SecondOpinion
from labeling.team.sampling import find_naming_decision, names_to_review
from recognition.models import Event, Face, Person

Answer = SecondOpinion.Answer


class OpinionRefused(Exception):
    """Nothing was written: the face is not to be reviewed by this user, or was meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How often the second person said the same; who could not tell counts for neither."""

    same: int
    different: int
    unsure: int

    @property
    def given(self) -> int:
        return self.same + self.different

    @property
    def percent(self) -> int:
        """Rounded down: 100 means all of them."""
        return 100 * self.same // self.given if self.given else 0


def set_review(*, event: Event, percent: int) -> None:
    EventReview.objects.update_or_create(event=event, defaults={"percent": percent})


def record_opinion(*, face: Face, actor: User, answer: str, person: Person | None = None) -> SecondOpinion:
    """Keep what the second person says; no name changes. Raises OpinionRefused."""
    sighting = names_to_review(actor).filter(face=face).first()
    decision = find_naming_decision(face)
    if sighting is None or decision is None:
        raise OpinionRefused("Somebody has answered for this face, or its name has changed.")
    try:
        with transaction.atomic():
            return SecondOpinion.objects.create(
                face=face,
                decision=decision,
                actor=actor,
                answer=answer,
                person=person,
                agrees=person is not None and person.pk == sighting.person_id,
            )
    except IntegrityError:
        raise OpinionRefused("Somebody else has answered for this face.") from None


def measure_agreement(event: Event) -> Agreement:
    """Of the opinions on names whose decision is in force."""
    opinions = SecondOpinion.objects.filter(face__photo__event=event, decision__undone_at=None)
    unsure = Q(answer=Answer.UNSURE)
    counts = opinions.aggregate(
        same=Count("pk", filter=Q(agrees=True)),
        different=Count("pk", filter=Q(agrees=False) & ~unsure),
        unsure=Count("pk", filter=unsure),
    )
    return Agreement(**counts)


def differing_opinions(user: Visitor, *, event: Event | None = None) -> QuerySet[SecondOpinion]:
    """Where the second person said another name, or a stranger, and nobody has settled it; the oldest first."""
    opinions = SecondOpinion.objects.filter(
        agrees=False,
        settled_at=None,
        decision__undone_at=None,
        face__sighting__isnull=False,
        face__in=Face.objects.for_role(user, LABELER, MANAGER),
    ).exclude(answer=Answer.UNSURE)
    if event is not None:
        opinions = opinions.filter(face__photo__event=event)
    # The name may have become the other one meanwhile, or the two were merged.
    return opinions.exclude(
        Q(face__sighting__person=F("person")) | Q(face__sighting__person=F("person__merged_into"))
    ).order_by("pk")


def may_settle(opinion: SecondOpinion, user: Visitor) -> bool:
    """Whoever labels there, but not on one's own name; a manager of the event always."""
    event_pk = opinion.face.photo.event_id
    if event_pk in reach_of(user, MANAGER):
        return True
    return event_pk in reach_of(user, LABELER) and opinion.decision.actor_id != user.pk


def settle_opinion(
    *, opinion: SecondOpinion, actor: User, take: bool, version: int | None = None
) -> Decision | None:
    """Keep the name, or `take` what the second person said by a decision like any other, which is returned.

    Call it outside transactions. Raises PermissionDenied, DecisionConflict, PersonGone.
    """
    if not may_settle(opinion, actor):
        raise PermissionDenied("Somebody else settles what you named yourself.")
    decision = _take_other(opinion, actor, version) if take else None
    SecondOpinion.objects.filter(pk=opinion.pk, settled_at=None).update(settled_at=timezone.now())
    return decision


def _take_other(opinion: SecondOpinion, actor: User, version: int | None) -> Decision:
    # The same button pressed twice is one decision; after an undo a settled difference is not listed again.
    key = uuid5(opinion.decision.key, f"second opinion {opinion.pk} by {actor.pk}")
    if opinion.person is None:
        return record_verdict(
            face=opinion.face, kind=Decision.Kind.STRANGER, actor=actor, version=version, key=key
        )
    person = opinion.person.merged_into or opinion.person
    return label_face(face=opinion.face, person=person, actor=actor, version=version, key=key)
