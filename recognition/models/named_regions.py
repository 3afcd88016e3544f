"""NamedRegion: a face that the photo's own metadata names. It names nobody here until a person confirms it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from recognition.models._work import Work
from recognition.models.events import Event
from recognition.models.faces import Face
from recognition.models.photos import Photo


class NamedRegion(models.Model):
    photo = models.ForeignKey(Photo, on_delete=models.CASCADE, related_name="named_regions")
    face = models.ForeignKey(
        Face, null=True, blank=True, on_delete=models.SET_NULL, related_name="named_regions"
    )
    name = models.CharField(max_length=120)
    left = models.FloatField(help_text="pixels of the oriented photo")
    top = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    dismissed_at = models.DateTimeField(null=True, blank=True, help_text="somebody said: this is not them")

    class Meta:
        ordering = ["photo", "left", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "name", "left", "top", "width", "height"], name="named_region_once"
            ),
            models.CheckConstraint(
                condition=models.Q(width__gt=0, height__gt=0) & ~models.Q(name=""), name="named_region_whole"
            ),
        ]

    def __str__(self) -> str:
        return f"region {self.pk} of photo {self.photo_id}"


class RegionReading(Work):
    """Somebody asked to read the names in the photos of an event; the newest of an event counts."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="region_readings")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    after = models.PositiveBigIntegerField(default=0, help_text="photos up to this primary key are read")
    photos_total = models.PositiveIntegerField(default=0)
    photos_done = models.PositiveIntegerField(default=0)
    photos_unreadable = models.PositiveIntegerField(default=0)
    regions_found = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(Work.Meta):
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"reading {self.pk} of event {self.event_id}"
