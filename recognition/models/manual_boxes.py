"""ManualBox: a face that a person drew on a photo where the detector saw none, until the worker made a Face of it."""

from django.conf import settings
from django.db import models

from recognition.geometry import Box
from recognition.models._work import Work
from recognition.models.faces import Face
from recognition.models.photos import Photo


class ManualBox(Work):
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="manual_boxes")
    left = models.FloatField(help_text="pixels of the oriented photo")
    top = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    face = models.ForeignKey(Face, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    drawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Work.Meta):
        ordering = ["pk"]
        indexes = [*Work.Meta.indexes]
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0), name="manual_box_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return f"box on photo {self.photo_id}"

    @property
    def box(self) -> Box:
        return Box(self.left, self.top, self.left + self.width, self.top + self.height)
