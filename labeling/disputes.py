"""Names that another embedder would give to somebody else: people look at them, and every name stays till then."""

from __future__ import annotations

from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.utils import timezone

from access.roles import LABELER, MANAGER
from access.roles import User as Visitor
from labeling.decisions import label_face
from labeling.models import Decision
from recognition.models import DisputedFace, Face, Person, Reembedding, Sighting

Answer = DisputedFace.Answer
_NAMESPACE = UUID("c3a2f1f4-5c0b-4a3e-9b59-2a6f6f0f5d77")
# Before a change is ready the list is not complete, and after the way back its embedder says nothing any more.
_STATES = [Reembedding.State.READY, Reembedding.State.SWITCHED]


def disputes_seen_by(user: Visitor) -> QuerySet[DisputedFace]:
    """The open ones of faces that the user labels and of people whom the user sees, the clearest first."""
    newest = Reembedding.objects.filter(state__in=_STATES).order_by("-pk").values("pk")[:1]
    people = Person.objects.visible_to(user).order_by().values("pk")
    return DisputedFace.objects.filter(
        reembedding__in=newest,
        answer=Answer.NONE,
        face__in=Face.objects.for_role(user, LABELER, MANAGER).order_by().values("pk"),
        # It may have got another name since, or the two people were merged.
        face__sighting__person=F("named"),
        named__in=people,
        proposed__in=people,
    ).order_by("pk")


def answer_dispute(
    *, dispute: DisputedFace, actor: User, answer: str, version: int | None = None
) -> Decision | None:
    """Keep the name, take the other person, or say that nobody can tell; the decision, where something was decided.

    A name that FaceVault gave and that is kept was verified by that. Call it outside transactions. Raises
    DecisionConflict, PersonGone.
    """
    decision = None
    key = uuid5(_NAMESPACE, f"{dispute.pk} {answer} {actor.pk} {dispute.face.version}")
    machine = Sighting.objects.filter(face=dispute.face_id, decided_by=Sighting.DecidedBy.MACHINE).exists()
    if answer == Answer.CHANGED:
        decision = label_face(
            face=dispute.face, person=dispute.proposed, actor=actor, version=version, key=key
        )
    elif answer == Answer.KEPT and machine:
        decision = label_face(face=dispute.face, person=dispute.named, actor=actor, version=version, key=key)
    DisputedFace.objects.filter(pk=dispute.pk, answer=Answer.NONE).update(
        answer=answer, answered_by=actor, answered_at=timezone.now()
    )
    return decision


def reopen_dispute(*, dispute_pk: int, actor: User) -> bool:
    """Take back one's answer that decided nothing about the face, as long as one labels there; whether it was."""
    labeled = Face.objects.for_role(actor, LABELER, MANAGER).order_by().values("pk")
    mine = DisputedFace.objects.filter(pk=dispute_pk, answered_by=actor, face__in=labeled).exclude(
        answer__in=[Answer.NONE, Answer.CHANGED]
    )
    return bool(mine.update(answer=Answer.NONE, answered_by=None, answered_at=None))
