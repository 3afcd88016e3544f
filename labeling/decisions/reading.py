"""Which decisions there are: whose they are to see, the last one about a face, and one that was sent twice."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from access.roles import LABELER, MANAGER, reach_of
from labeling.decisions.errors import DecisionConflict
from labeling.models import DecidedFace, Decision
from recognition.models import Event, Face


def decisions_seen_by(user: User) -> QuerySet[Decision]:
    """About faces of events where the user labels; who labels at all of them also sees those whose face is gone.

    An event that is being deleted is gone for everybody.
    """
    if not reach_of(user, LABELER, MANAGER).everywhere:
        return Decision.objects.filter(face__in=Face.objects.for_role(user, LABELER, MANAGER))
    doomed = list(Event.objects.filter(deleted_at__isnull=False).values_list("pk", flat=True))
    return Decision.objects.exclude(face__photo__event__in=doomed) if doomed else Decision.objects.all()


def latest_decision(face_pk: int) -> Decision | None:
    """The decision that made the face what it is; one that put it off made nothing."""
    decided = DecidedFace.objects.filter(face=face_pk, caused=False, decision__undone_at=None)
    last = (
        decided.exclude(decision__kind__in=Decision.POSTPONING)
        .select_related("decision__actor", "decision__person")
        .order_by("-decision_id")
        .first()
    )
    return last.decision if last else None


def find_repeated(key: UUID, face: Face | None, actor: User) -> Decision | None:
    """The decision of a repeated request. A key of somebody else's, or of another face's, is no repetition."""
    found = Decision.objects.filter(key=key).select_related("actor", "person").first()
    face_pk = face.pk if face else None
    if found is not None and (found.face_id, found.actor_id) != (face_pk, actor.pk):
        raise DecisionConflict(latest_decision(face.pk) if face else None)
    return found
