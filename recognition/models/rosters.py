"""Roster: who was invited to an event, by external id; others are named there only on stronger evidence."""

from django.db import models

from recognition.models.events import Event


class RosterEntry(models.Model):
    """An external id and not a person: people may be enrolled after the roster was uploaded."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="roster")
    external_id = models.CharField(max_length=60)

    class Meta:
        verbose_name_plural = "roster entries"
        constraints = [
            models.UniqueConstraint(fields=["event", "external_id"], name="roster_entry_once"),
            models.CheckConstraint(condition=~models.Q(external_id=""), name="roster_entry_not_empty"),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} at event {self.event_id}"
