"""Reembedding: a change of the embedder, from the first face embedded anew to the switch and the way back."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from recognition.models.faces import Face
from recognition.models.people import Person


class Reembedding(models.Model):
    class State(models.TextChoices):
        RUNNING = "running", "embedding"
        READY = "ready", "ready to switch"
        SWITCHED = "switched", "in use"
        RETURNED = "returned", "switched back"
        CANCELLED = "cancelled", "given up"

    class Wanted(models.TextChoices):
        NONE = "", "nothing"
        EMBED = "embed", "embed the faces"
        SWITCH = "switch", "switch"
        RETURN = "return", "switch back"

    source = models.CharField(max_length=60, help_text="embedder_id that was active when it began")
    target = models.CharField(max_length=60, help_text="embedder_id to change to")
    state = models.CharField(max_length=9, choices=State, default=State.RUNNING)
    faces_total = models.PositiveIntegerField(default=0)
    faces_done = models.PositiveIntegerField(default=0)
    # Photos whose original cannot be read: by primary key, why. Their faces keep their names and cannot answer.
    failures = models.JSONField(default=dict, blank=True)
    agreement = models.JSONField(default=dict, blank=True, help_text="how the two embedders differ")
    seconds = models.FloatField(default=0, help_text="spent on decoding and embedding so far")
    wanted = models.CharField(
        max_length=6,
        choices=Wanted,
        default=Wanted.NONE,
        blank=True,
        help_text="what a worker is to do about it",
    )
    trouble = models.CharField(max_length=400, blank=True, help_text="why a worker did not do it")
    lease = models.UUIDField(null=True, blank=True, help_text="which process works on it now")
    lease_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    switched_at = models.DateTimeField(null=True, blank=True)
    # From then on only the active one of the two has embeddings: there is no way back.
    forgotten_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=models.Q(state__in=["running", "ready"]),
                name="one_open_reembedding",
            ),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target")), name="reembedding_changes_embedder"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source} to {self.target}: {self.state}"


class DisputedFace(models.Model):
    """A named face that the other embedder would give to somebody else: people look at it, and the name stays till then."""

    class Answer(models.TextChoices):
        NONE = "", "open"
        KEPT = "kept", "the name is right"
        CHANGED = "changed", "the name was changed"
        UNSURE = "unsure", "cannot tell"

    reembedding = models.ForeignKey(Reembedding, on_delete=models.CASCADE, related_name="disputed")
    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="disputes")
    named = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    proposed = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    similarity = models.FloatField(null=True, blank=True, help_text="to the named person by the new embedder")
    proposed_similarity = models.FloatField(help_text="to the proposed person by the new embedder")
    answer = models.CharField(max_length=7, choices=Answer, default=Answer.NONE, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["reembedding", "face"], name="disputed_face_once")]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(answer=""), name="disputed_face_open"),
        ]

    def __str__(self) -> str:
        return f"face {self.face_id}"
