"""The gallery's version and journal: what every process compares before it searches, and which faces to look at."""

import uuid

from django.db import models


class GalleryState(models.Model):
    """One row. `version` moves with every change of the gallery; its row lock orders the writers."""

    epoch = models.UUIDField(default=uuid.uuid4, help_text="a new one makes every process rebuild")
    version = models.PositiveBigIntegerField(default=0)
    floor = models.PositiveBigIntegerField(default=0, help_text="the journal holds every version above it")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_gallery_state"),
            models.CheckConstraint(
                condition=models.Q(floor__lte=models.F("version")), name="gallery_floor_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"version {self.version}"


class GalleryChange(models.Model):
    """Says which face to look at, not what changed: pulling twice or late gives the same result."""

    version = models.PositiveBigIntegerField()
    face = models.PositiveBigIntegerField(help_text="primary key of a face; the face itself may be gone")

    class Meta:
        indexes = [models.Index(fields=["version"], name="gallery_change_version")]

    def __str__(self) -> str:
        return f"version {self.version}: face {self.face}"
