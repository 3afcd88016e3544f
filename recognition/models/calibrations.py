"""Calibration: the lines for naming a face, fitted to this installation's own faces and the people it knows."""

from django.db import models


class Calibration(models.Model):
    """The newest one of an embedder is in force. `figures` is what the fit found, for reports and for the next fit."""

    embedder_id = models.CharField(max_length=60)
    gallery_version = models.PositiveBigIntegerField(help_text="of the gallery that was measured")
    target = models.FloatField(help_text="the share of strangers' faces that may get a name")
    enrolled = models.PositiveIntegerField(help_text="people with references")
    references = models.PositiveIntegerField()
    probes = models.PositiveIntegerField(help_text="labeled faces that were measured as if nobody knew them")
    automatic = models.FloatField()
    margin = models.FloatField()
    suggest = models.FloatField()
    strict = models.FloatField()
    figures = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["embedder_id", "-id"], name="calibration_newest")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(target__gt=0, target__lt=1), name="calibration_target_range"
            ),
            models.CheckConstraint(
                condition=models.Q(
                    suggest__lte=models.F("automatic"), automatic__lte=models.F("strict"), margin__gte=0
                ),
                name="calibration_lines_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.embedder_id}: {self.automatic:.3f} for {self.enrolled} people"
