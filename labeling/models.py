"""Decision: one thing a user decided, kept for ever, with what it needs to be undone exactly. Ids only, never names.

Rejection: "this face is not that person", which suggestions and matches heed from then on.
"""

import uuid

from django.conf import settings
from django.db import models

from recognition.models import Face, Person


class Decision(models.Model):
    class Kind(models.TextChoices):
        LABEL = "label", "named"
        REJECT = "reject", "rejected"
        SKIP = "skip", "skipped"
        STRANGER = "stranger", "stranger"
        NOT_A_FACE = "not_a_face", "not a face"
        REFERENCE = "reference", "made a reference"
        UNREFERENCE = "no_ref", "no reference any more"

    # The page draws a fresh key with every card: a double click or a retry is one decision.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=Kind)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    face = models.ForeignKey(Face, null=True, on_delete=models.SET_NULL, related_name="decisions")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_person = models.BooleanField(default=False)
    before = models.JSONField(default=dict, help_text="the face's sighting and queue entry before, by ids")
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


class Rejection(models.Model):
    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="rejections")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="rejections")
    decision = models.OneToOneField(Decision, on_delete=models.CASCADE, related_name="rejection")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["face", "person"], name="rejection_once")]

    def __str__(self) -> str:
        return f"face {self.face_id} is not person {self.person_id}"
