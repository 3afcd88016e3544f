"""Photo: one uploaded original in one event, identified by its sha256, and how far its processing is."""

from datetime import datetime

from django.conf import settings
from django.db import models

from recognition.models.events import Event
from recognition.querysets import PhotoQuerySet

MAX_ATTEMPTS = 3


class Photo(models.Model):
    class State(models.TextChoices):
        QUEUED = "queued", "waiting"
        PROCESSING = "processing", "being processed"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="photos")
    sha256 = models.CharField(max_length=64)
    name = models.CharField("file name", max_length=255)
    format = models.CharField(max_length=4, choices=[("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WebP")])
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="pixels, after orientation")
    height = models.PositiveIntegerField(help_text="pixels, after orientation")
    captured_at = models.DateTimeField(
        null=True, blank=True, help_text="from EXIF; empty where the file does not say"
    )
    uploaded_at = models.DateTimeField(auto_now_add=True)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    # The work itself is durable here: a killed worker leaves its task running for ever, but not this row.
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease = models.UUIDField(
        null=True, blank=True, help_text="who processes it now; fences off a worker that lost it"
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_reason = models.CharField(max_length=400, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    objects = PhotoQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        indexes = [
            models.Index(fields=["event", "state"], name="photo_event_state"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=["queued", "processing"]),
                name="photo_open_lease",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["event", "sha256"], name="photo_once_per_event"),
            models.CheckConstraint(condition=models.Q(width__gt=0, height__gt=0), name="photo_has_pixels"),
            models.CheckConstraint(
                condition=models.Q(attempts__lte=MAX_ATTEMPTS), name="photo_attempts_bounded"
            ),
            models.CheckConstraint(
                condition=models.Q(state="processing", lease__isnull=False, lease_until__isnull=False)
                | (~models.Q(state="processing") & models.Q(lease__isnull=True)),
                name="photo_lease_while_processing",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="failed") | ~models.Q(failure_code=""),
                name="photo_failure_has_code",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def taken_at(self) -> datetime:
        return self.captured_at or self.uploaded_at
