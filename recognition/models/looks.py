"""PhotoLook: what a photo, or the person around one face of it, looks like: body pose and colors, never a face."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models

from recognition.models._work import Work
from recognition.models.faces import Face
from recognition.models.photos import Photo
from recognition.querysets import LookProbeQuerySet


class PhotoLook(models.Model):
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="looks")
    face = models.ForeignKey(
        Face,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="looks",
        help_text="the region around this face; empty: the whole photo",
    )
    descriptor_id = models.CharField(max_length=60, help_text="what made it; others are never compared")
    has_pose = models.BooleanField(default=False)
    vector = models.BinaryField(help_text="raw little-endian float32: 66 of pose, 512 of color, unweighted")

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["descriptor_id", "photo"], name="photo_look_descriptor")]
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "descriptor_id"],
                condition=models.Q(face__isnull=True),
                name="photo_look_once",
            ),
            models.UniqueConstraint(
                fields=["face", "descriptor_id"],
                condition=models.Q(face__isnull=False),
                name="face_look_once",
            ),
        ]

    def __str__(self) -> str:
        return f"look of photo {self.photo_id}"


class LookProbe(Work):
    """A picture that somebody searches looks with. It is gone within the hour."""

    probe_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="pixels, after orientation")
    height = models.PositiveIntegerField(help_text="pixels, after orientation")
    descriptor_id = models.CharField(max_length=60, blank=True)
    looks = models.JSONField(
        default=list, blank=True, help_text="per look its box in the picture and whether it has a pose"
    )
    vectors = models.BinaryField(default=b"", help_text="raw little-endian float32, one row per look")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True, help_text="row and files are removed after it")

    objects = LookProbeQuerySet.as_manager()

    class Meta(Work.Meta):
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.probe_id)
