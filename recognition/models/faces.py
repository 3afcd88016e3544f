"""Face: one detected region of one photo, with what was measured of it."""

import uuid

from django.db import models

from recognition.geometry import Box
from recognition.models.photos import Photo
from recognition.quality import find_fault
from recognition.querysets import FaceQuerySet


class Face(models.Model):
    face_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    photo = models.ForeignKey(Photo, on_delete=models.PROTECT, related_name="faces")
    left = models.FloatField(help_text="pixels of the oriented photo")
    top = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    landmarks = models.JSONField(
        help_text="left eye, right eye, nose, left and right mouth corner as [x, y] pixels"
    )
    detector_score = models.FloatField(help_text="0..1")
    size = models.FloatField(help_text="shorter side of the box, pixels of the original")
    sharpness = models.FloatField(help_text="finest detail in thousandths of the crop's contrast")
    yaw = models.FloatField(help_text="degrees; 0 looks at the camera")
    pitch = models.FloatField(help_text="degrees")
    roll = models.FloatField(help_text="degrees")
    crop = models.CharField(max_length=64, help_text="sha256 of the crop's file")
    # Drawn by a person where the detector saw nothing; detecting again never takes it away.
    by_hand = models.BooleanField(default=False)
    # Moves with every decision: a card that was drawn before somebody else's decision is told apart by it.
    version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FaceQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["photo", "left", "top", "width", "height"], name="face_box_once"),
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0, size__gt=0), name="face_box_not_empty"
            ),
            models.CheckConstraint(
                condition=models.Q(detector_score__gte=0, detector_score__lte=1), name="face_score_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.face_id)

    @property
    def box(self) -> Box:
        return Box(self.left, self.top, self.left + self.width, self.top + self.height)

    @property
    def poor(self) -> bool:
        """Too few or too blurred pixels for a reference."""
        return bool(self.fault)

    @property
    def fault(self) -> str:
        """What it is too much of for a reference, as a page says it: "too blurred"."""
        return find_fault(self.size, self.detector_score, self.sharpness)
