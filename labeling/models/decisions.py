"""Decision: one thing a user decided, kept for ever, with what it needs to be undone and redone exactly. Ids only, never names.

DecidedFace: a face that a decision touched. Rejection: "this face is not that person", heeded by suggestions and matches.
"""

import uuid

from django.conf import settings
from django.db import models

from labeling.models.clusters import Cluster
from recognition.models import Face, Person


class Decision(models.Model):
    class Kind(models.TextChoices):
        LABEL = "label", "named"
        REJECT = "reject", "rejected"
        SKIP = "skip", "skipped"
        ASK = "ask", "asked a colleague"
        STRANGER = "stranger", "stranger"
        NOT_A_FACE = "not_a_face", "not a face"
        POOR = "poor", "too poor"
        REOPEN = "reopen", "put back into the queue"
        SPLIT = "split", "taken out of a group"
        REFERENCE = "reference", "made a reference"
        UNREFERENCE = "no_ref", "no reference any more"
        MERGE = "merge", "merged people"
        COVER = "cover", "chose a cover"
        TAKE_BACK = "take_back", "took back a name and all it caused"

    # They put a card off and change nothing that anybody else sees of a face.
    POSTPONING = (Kind.SKIP, Kind.ASK)
    # They alone move faces between clusters; undoing another kind leaves every face where the queue has it by now.
    REGROUPING = (Kind.SPLIT,)

    # The page draws a fresh key with every card: a double click or a retry is one decision.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    # One of the faces, to show: all of them are its DecidedFace rows.
    face = models.ForeignKey(Face, null=True, on_delete=models.SET_NULL, related_name="decisions")
    face_count = models.PositiveIntegerField(default=1)
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    cluster = models.ForeignKey(
        Cluster, null=True, blank=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    created_person = models.BooleanField(default=False)
    details = models.JSONField(
        default=dict, blank=True, help_text="ids that undoing it needs beside the faces' rows"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["actor", "-id"], name="decision_actor"),
            models.Index(fields=["face", "-id"], name="decision_face"),
            models.Index(fields=["person", "-id"], name="decision_person"),
            models.Index(fields=["created_at"], name="decision_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(undone_at__isnull=False) | models.Q(undone_by__isnull=True),
                name="decision_undone_by_needs_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of face {self.face_id}"

    @property
    def undone(self) -> bool:
        return self.undone_at is not None


class DecidedFace(models.Model):
    """A face that a decision touched, as it was before it; and as it was after it, from the undo on: redo needs it.

    `caused` marks what the machine named by this decision's faces and the undo took back with it; of a `take_back` it is
    what the decision itself took back.
    """

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="faces")
    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="decided")
    before = models.JSONField(default=dict)
    after = models.JSONField(null=True, blank=True)
    caused = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["face", "decision"], name="decided_face_decision")]
        constraints = [models.UniqueConstraint(fields=["decision", "face"], name="decided_face_once")]

    def __str__(self) -> str:
        return f"decision {self.decision_id} about face {self.face_id}"


class Rejection(models.Model):
    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="rejections")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="rejections")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="rejections")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["face", "person"], name="rejection_once")]

    def __str__(self) -> str:
        return f"face {self.face_id} is not person {self.person_id}"
