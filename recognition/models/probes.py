"""Probe: a picture that somebody searches with, and its faces. Both are gone within the hour."""

import uuid

from django.conf import settings
from django.db import models

from recognition.geometry import Box
from recognition.models._work import Work
from recognition.querysets import ProbeQuerySet


class Probe(Work):
    probe_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    byte_size = models.PositiveBigIntegerField()
    width = models.PositiveIntegerField(help_text="pixels, after orientation")
    height = models.PositiveIntegerField(help_text="pixels, after orientation")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True, help_text="row, vectors and files are removed after it")

    objects = ProbeQuerySet.as_manager()

    class Meta(Work.Meta):
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.probe_id)


class ProbeFace(models.Model):
    probe = models.ForeignKey(Probe, on_delete=models.CASCADE, related_name="faces")
    number = models.PositiveSmallIntegerField(help_text="from left to right, from 1")
    left = models.FloatField(help_text="pixels of the oriented picture")
    top = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    detector_score = models.FloatField(help_text="0..1")
    embedder_id = models.CharField(max_length=60)
    vector = models.BinaryField(help_text="raw little-endian float32, unit length")

    class Meta:
        ordering = ["probe", "number"]
        constraints = [models.UniqueConstraint(fields=["probe", "number"], name="probe_face_once")]

    def __str__(self) -> str:
        return f"face {self.number} of probe {self.probe_id}"

    @property
    def box(self) -> Box:
        return Box(self.left, self.top, self.left + self.width, self.top + self.height)
