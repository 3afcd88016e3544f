"""QualityReport: how good the names are on this installation's own faces, measured by the worker when somebody asks."""

import uuid

from django.conf import settings
from django.db import models

from recognition.models._work import Work


class QualityReport(Work):
    report_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    embedder_id = models.CharField(max_length=60)
    progress = models.PositiveSmallIntegerField(default=0, help_text="percent")
    figures = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Work.Meta):
        ordering = ["-pk"]

    def __str__(self) -> str:
        return str(self.report_id)


class QualityPlot(models.Model):
    """One drawing of a report in one color scheme; no list query loads it."""

    class Scheme(models.TextChoices):
        LIGHT = "light", "light"
        DARK = "dark", "dark"

    report = models.ForeignKey(QualityReport, on_delete=models.CASCADE, related_name="plots")
    name = models.CharField(max_length=30, help_text="such as roc")
    scheme = models.CharField(max_length=5, choices=Scheme)
    svg = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "name", "scheme"], name="quality_plot_once")]

    def __str__(self) -> str:
        return f"{self.name} ({self.scheme}) of report {self.report_id}"
