"""Sighting: "this face is this person", by whom it was decided and on what evidence."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from recognition.models.faces import Face
from recognition.models.people import Person
from recognition.querysets import SightingQuerySet


class Sighting(models.Model):
    class DecidedBy(models.TextChoices):
        MACHINE = "machine", "FaceVault"
        HUMAN = "human", "a person"

    face = models.OneToOneField(Face, on_delete=models.PROTECT, related_name="sighting")
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="sightings")
    similarity = models.FloatField(
        null=True, blank=True, help_text="to this person when it was decided; cosine"
    )
    margin = models.FloatField(
        null=True, blank=True, help_text="lead over the next person; empty where there was none"
    )
    references = models.JSONField(
        default=list, blank=True, help_text="ids of the reference faces that answered"
    )
    thresholds = models.JSONField(
        default=dict, blank=True, help_text="the lines in force when it was decided"
    )
    embedder_id = models.CharField(max_length=60, blank=True)
    decided_by = models.CharField(max_length=7, choices=DecidedBy)
    decided_by_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    # Only what a human verified may answer a search: one wrong guess of the machine must not spread.
    is_reference = models.BooleanField(default=False)
    seen_at = models.DateTimeField(help_text="when the photo was taken")
    # A default and not auto_now_add: an undo puts the row back with its time.
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SightingQuerySet.as_manager()

    class Meta:
        ordering = ["-seen_at", "-pk"]
        indexes = [
            models.Index(fields=["person", "seen_at"], name="sighting_person_seen"),
            models.Index(fields=["face"], condition=models.Q(is_reference=True), name="sighting_reference"),
            # Who named the faces of an event is counted from this index alone.
            models.Index(fields=["face", "decided_by"], name="sighting_face_who"),
            # Counts per day read this index alone.
            models.Index(fields=["created_at", "decided_by"], name="sighting_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(is_reference=False) | models.Q(decided_by="human"),
                name="sighting_reference_is_human",
            ),
            models.CheckConstraint(
                condition=models.Q(decided_by="human") | models.Q(similarity__isnull=False),
                name="sighting_machine_has_similarity",
            ),
            models.CheckConstraint(
                condition=models.Q(similarity__isnull=True)
                | models.Q(similarity__gte=-1.001, similarity__lte=1.001),
                name="sighting_similarity_range",
            ),
        ]

    def __str__(self) -> str:
        return f"face {self.face_id} is person {self.person_id}"
