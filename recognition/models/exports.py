"""Export: photos or their list on the way to a person or an office, made by the worker and kept for a short while."""

import uuid

from django.conf import settings
from django.db import models

from recognition.models._work import Work
from recognition.models.events import Event
from recognition.models.people import Person
from recognition.querysets import ExportQuerySet


class Export(Work):
    export_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="the public id")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(Person, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    with_machine = models.BooleanField(default=False, help_text="also faces that FaceVault named by itself")
    with_names = models.BooleanField(default=False, help_text="the copies carry the names as XMP regions")
    photos_total = models.PositiveIntegerField(default=0)
    photos_done = models.PositiveIntegerField(default=0)
    byte_size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(help_text="row and file are removed after it")

    objects = ExportQuerySet.as_manager()

    class Meta(Work.Meta):
        ordering = ["-pk"]
        constraints = [
            *Work.Meta.constraints,
            models.CheckConstraint(
                condition=models.Q(event__isnull=False) | models.Q(person__isnull=False),
                name="export_of_event_or_person",
            ),
        ]

    def __str__(self) -> str:
        return str(self.export_id)
