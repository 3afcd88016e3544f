"""Video: the recording of an event, the frames that were looked at, and the appearances that they were joined to."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from recognition.models._work import Work
from recognition.models.events import Event
from recognition.models.faces import Face
from recognition.querysets import VideoQuerySet


class Video(Work):
    video_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    event = models.ForeignKey(Event, on_delete=models.PROTECT, related_name="videos")
    sha256 = models.CharField(max_length=64)
    name = models.CharField("file name", max_length=255)
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="pixels, after rotation")
    height = models.PositiveIntegerField(help_text="pixels, after rotation")
    duration_ms = models.PositiveBigIntegerField(help_text="of the picture, in milliseconds")
    interval_ms = models.PositiveIntegerField(help_text="milliseconds between two frames that are looked at")
    source = models.CharField(
        max_length=1000, blank=True, help_text="where a command reads it in place; empty: a copy was uploaded"
    )
    started_at = models.DateTimeField(null=True, blank=True, help_text="when the recording began, if it says")
    uploaded_at = models.DateTimeField(auto_now_add=True)
    begun_at = models.DateTimeField(null=True, blank=True, help_text="when its first frame was looked at")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    frames_total = models.PositiveIntegerField(default=0, help_text="how many will be looked at, roughly")
    frames_done = models.PositiveIntegerField(default=0)
    detector_id = models.CharField(max_length=60, blank=True)
    embedder_id = models.CharField(max_length=60, blank=True, help_text="of the vectors of its frames")

    objects = VideoQuerySet.as_manager()

    class Meta(Work.Meta):
        ordering = ["-pk"]
        constraints = [
            *Work.Meta.constraints,
            models.UniqueConstraint(fields=["event", "sha256"], name="video_once_per_event"),
            models.CheckConstraint(condition=models.Q(interval_ms__gt=0), name="video_interval_positive"),
        ]

    def __str__(self) -> str:
        return self.name


class VideoFrame(models.Model):
    """What was seen in one frame, kept until the faces of all frames are joined: a killed worker goes on behind it."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="frames")
    number = models.PositiveIntegerField(help_text="of the recording's frames, from 0")
    at_ms = models.PositiveBigIntegerField(help_text="milliseconds from the beginning")
    faces = models.JSONField(help_text="per face its box, landmarks, detector score, sharpness")
    vectors = models.BinaryField(help_text="raw little-endian float32, one unit vector per face")

    class Meta:
        ordering = ["video", "number"]
        constraints = [models.UniqueConstraint(fields=["video", "number"], name="video_frame_once")]

    def __str__(self) -> str:
        return f"frame {self.number} of video {self.video_id}"


class Track(models.Model):
    """One appearance of somebody in a video: the span in which the face was followed. The face is its best crop."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="tracks")
    face = models.OneToOneField(Face, on_delete=models.CASCADE, related_name="track")
    first_ms = models.PositiveBigIntegerField(help_text="milliseconds from the beginning")
    last_ms = models.PositiveBigIntegerField()
    frames = models.PositiveIntegerField(help_text="how many frames that were looked at show it")

    class Meta:
        ordering = ["video", "first_ms", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_ms__lte=models.F("last_ms"), frames__gt=0), name="track_has_span"
            )
        ]

    def __str__(self) -> str:
        return f"face {self.face_id}, {self.first_ms} to {self.last_ms} ms"
