"""Which names a second person is asked about: a stable sample of what others named at the events where it is wanted."""

from __future__ import annotations

from collections import defaultdict
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from access.roles import LABELER, MANAGER
from access.roles import User as Visitor
from labeling.models import DecidedFace, Decision, EventReview, SecondOpinion
from labeling.team.leases import leased_by_others
from recognition.models import Event, Face, Sighting

_ALL = 100
_LOOKED_AT = 50


def names_to_review(user: Visitor, *, event: Event | None = None) -> QuerySet[Sighting]:
    """Names that others gave and the user is to look at without seeing them; nobody reviews their own.

    Each face is asked about once. Its random id says whether it is in the sample: no row and no draw is needed, and a
    higher percentage only adds faces.
    """
    wanted = _sample(user, event)
    if wanted is None:
        return Sighting.objects.none()
    asked = SecondOpinion.objects.filter(face=OuterRef("face"), decision__undone_at=None).order_by()
    return (
        Sighting.objects.filter(
            wanted,
            Exists(_naming_decisions().filter(face=OuterRef("face")).order_by()),
            ~Exists(asked),
            decided_by=Sighting.DecidedBy.HUMAN,
            decided_by_user__isnull=False,
        )
        .exclude(decided_by_user=user.pk)
        .order_by("pk")
    )


def next_to_review(user: User, *, event: Event | None = None) -> Face | None:
    """The first of these faces that nobody has open; where all are open, the first: nobody waits for anybody."""
    faces = [
        sighting.face for sighting in names_to_review(user, event=event).select_related("face")[:_LOOKED_AT]
    ]
    taken = leased_by_others(user)
    return next((face for face in faces if f"second-{face.pk}" not in taken), faces[0] if faces else None)


def find_naming_decision(face: Face) -> Decision | None:
    """The decision in force that gave the face its name."""
    last = (
        _naming_decisions()
        .filter(face=face)
        .select_related("decision__actor", "decision__person")
        .order_by("-decision_id")
        .first()
    )
    return last.decision if last else None


def _naming_decisions() -> QuerySet[DecidedFace]:
    return DecidedFace.objects.filter(
        caused=False, decision__kind=Decision.Kind.LABEL, decision__undone_at=None
    )


def _sample(user: Visitor, event: Event | None) -> Q | None:
    """The condition that a sighting is in the sample of its event; none where no event of the user's has one."""
    reviews = EventReview.objects.filter(
        percent__gt=0, event__in=Event.objects.for_role(user, LABELER, MANAGER)
    )
    if event is not None:
        reviews = reviews.filter(event=event)
    events: dict[int, list[int]] = defaultdict(list)
    for percent, event_pk in reviews.values_list("percent", "event"):
        events[percent].append(event_pk)
    if not events:
        return None
    condition = Q()
    for percent, pks in events.items():
        there = Q(face__photo__event__in=pks)
        condition |= there if percent >= _ALL else there & Q(face__face_id__lt=_first_left_out(percent))
    return condition


def _first_left_out(percent: int) -> UUID:
    """Ids are evenly spread: below this one lie so many percent of them."""
    return UUID(int=(percent << 128) // _ALL)
