"""Cluster: unlabeled faces of one event that look like one person. Look: what the gallery said of an open face when the worker last looked.

Both are made by the worker and may be made anew at any time; only membership in a cluster that somebody has seen is theirs to change.
"""

from django.db import models
from django.utils import timezone

from recognition.models import Event, Face, Person


class Cluster(models.Model):
    """Members stay when they are decided; `open_count` of them still await a decision."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="clusters")
    open_count = models.PositiveIntegerField(default=0)
    # Moves with every decision about a member: a card that was drawn before is told apart by it. Arrivals do not move it.
    version = models.PositiveIntegerField(default=0)
    mixed = models.BooleanField(default=False, help_text="its farthest faces disagree with the others")
    # From then on faces may join, and only people take any out.
    seen_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-open_count", "pk"]
        indexes = [
            models.Index(fields=["-open_count", "id"], name="cluster_size"),
            models.Index(fields=["event", "-open_count"], name="cluster_event_size"),
        ]

    def __str__(self) -> str:
        return f"cluster {self.pk}"


class ClusterMember(models.Model):
    cluster = models.ForeignKey(Cluster, on_delete=models.CASCADE, related_name="members")
    face = models.OneToOneField(Face, on_delete=models.CASCADE, related_name="member")
    closeness = models.FloatField(help_text="cosine to the center of the cluster when the worker last looked")
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-closeness", "pk"]

    def __str__(self) -> str:
        return f"face {self.face_id} in cluster {self.cluster_id}"


class Look(models.Model):
    """Who an open face may be, for lists that cannot ask the gallery about every face. A cache: cards ask anew.

    A face without one has not been looked at yet. `person` is empty where nobody reaches the suggest line.
    """

    class Verdict(models.TextChoices):
        SUGGEST = "suggest", "may be"
        CLOSE = "close", "a close call"
        UNKNOWN = "unknown", "nobody known"

    face = models.OneToOneField(Face, on_delete=models.CASCADE, related_name="look")
    person = models.ForeignKey(Person, null=True, on_delete=models.CASCADE, related_name="looks")
    similarity = models.FloatField(null=True)
    margin = models.FloatField(null=True)
    verdict = models.CharField(max_length=7, choices=Verdict, default=Verdict.UNKNOWN)

    class Meta:
        indexes = [models.Index(fields=["person", "-similarity"], name="look_person_similarity")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(person__isnull=True) | models.Q(similarity__isnull=False),
                name="look_person_has_similarity",
            )
        ]

    def __str__(self) -> str:
        return f"face {self.face_id} may be person {self.person_id}"


class QueueState(models.Model):
    """One row: up to which version of the gallery the open faces were looked at."""

    epoch = models.UUIDField(null=True)
    version = models.PositiveBigIntegerField(default=0)
    embedder_id = models.CharField(max_length=60, blank=True)
    # Of the worker that tends the queue now; a dead one's runs out.
    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_queue_state")]

    def __str__(self) -> str:
        return f"looked up to version {self.version}"
