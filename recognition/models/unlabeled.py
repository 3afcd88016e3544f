"""UnlabeledFace: a queue entry, a face that awaits a decision or got one that names nobody."""

from django.db import models
from django.utils import timezone

from recognition.models.faces import Face
from recognition.querysets import UnlabeledFaceQuerySet


class UnlabeledFace(models.Model):
    class Verdict(models.TextChoices):
        NONE = "", "open"
        LABEL = "label", "named"
        STRANGER = "stranger", "stranger"
        NOT_A_FACE = "not_a_face", "not a face"
        POOR = "poor", "too poor"

    face = models.OneToOneField(Face, on_delete=models.PROTECT, related_name="unlabeled")
    reviewed = models.BooleanField(default=False)
    verdict = models.CharField(max_length=10, choices=Verdict, default=Verdict.NONE, blank=True)
    priority = models.FloatField(
        default=0, help_text="larger comes first; big sharp faces make good references"
    )
    # A default and not auto_now_add: an undo puts the row back with its time.
    queued_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = UnlabeledFaceQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "pk"]
        indexes = [
            models.Index(
                fields=["-priority", "id"], condition=models.Q(reviewed=False), name="unlabeled_open_order"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reviewed=False, verdict="")
                | (models.Q(reviewed=True) & ~models.Q(verdict="")),
                name="unlabeled_reviewed_has_verdict",
            )
        ]

    def __str__(self) -> str:
        return f"face {self.face_id}: {self.get_verdict_display()}"
