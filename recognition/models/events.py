"""Event: a named set of photos."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from recognition.querysets import EventQuerySet


class Event(models.Model):
    name = models.CharField(max_length=120)
    held_on = models.DateField("date", null=True, blank=True)
    place = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    archived_at = models.DateTimeField(
        null=True, blank=True, help_text="out of the daily lists; everything in it stays"
    )
    # Nobody sees it from then on; the worker removes what is in it, batch by batch, and the row last.
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                condition=models.Q(deleted_at__isnull=True),
                name="event_name_unique",
                violation_error_message="There is an event of this name already.",
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="event_name_not_empty"),
        ]

    def __str__(self) -> str:
        return self.name
