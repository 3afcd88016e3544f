"""Photo: one uploaded original in one event, identified by its sha256, and how far its processing is."""

from datetime import datetime

from django.conf import settings
from django.db import models

from recognition.models._work import Work
from recognition.models.events import Event
from recognition.querysets import PhotoQuerySet


class Photo(Work):
    class Origin(models.TextChoices):
        UPLOADED = "uploaded", "uploaded"
        FRAME = "frame", "a frame of a video"
        STAND_IN = "stand_in", "drawn around faces that came without their photo"

    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="photos")
    sha256 = models.CharField(max_length=64)
    name = models.CharField("file name", max_length=255)
    format = models.CharField(
        max_length=4, choices=[("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WebP"), ("HEIC", "HEIC")]
    )
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

    detector_id = models.CharField(
        max_length=60, blank=True, help_text="what found its faces; empty where nobody noted it"
    )

    origin = models.CharField(max_length=10, choices=Origin, default=Origin.UPLOADED)
    video = models.ForeignKey(
        "recognition.Video", null=True, blank=True, on_delete=models.PROTECT, related_name="photos"
    )
    frame_number = models.PositiveIntegerField(null=True, blank=True, help_text="of the video's, from 0")
    frame_ms = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="milliseconds from the video's beginning"
    )

    objects = PhotoQuerySet.as_manager()

    class Meta(Work.Meta):
        ordering = ["pk"]
        indexes = [
            *Work.Meta.indexes,
            models.Index(fields=["event", "state"], name="photo_event_state"),
            # Files are shared by their content: one is removed with the last photo that needs it.
            models.Index(fields=["sha256"], name="photo_sha256"),
        ]
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(fields=["event", "sha256"], name="photo_once_per_event"),
            models.CheckConstraint(condition=models.Q(width__gt=0, height__gt=0), name="photo_has_pixels"),
            models.UniqueConstraint(
                fields=["video", "frame_number"],
                condition=models.Q(video__isnull=False),
                name="photo_once_per_frame",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    origin="frame", video__isnull=False, frame_number__isnull=False, frame_ms__isnull=False
                )
                | (
                    ~models.Q(origin="frame")
                    & models.Q(video__isnull=True, frame_number__isnull=True, frame_ms__isnull=True)
                ),
                name="photo_frame_has_video",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def taken_at(self) -> datetime:
        return self.captured_at or self.uploaded_at
