"""Exports: what to hold, and how far the worker is."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import WORK_STATES, Input, Link, Output, Query, RowId
from api.serializers.photos import PhotoFailure
from recognition.models import Export

FACES = ["verified", "all"]
_FACES_HELP = "only faces that people verified, or also those that FaceVault named"
_NAMES_HELP = "the copies carry the names as XMP face regions"


class ExportChoice(Query):
    faces = serializers.ChoiceField(choices=FACES, default="verified", help_text=_FACES_HELP)


class EventListQuery(ExportChoice):
    person = RowId(required=False, help_text="only this person's")


class PersonListQuery(ExportChoice):
    event = RowId(required=False, help_text="only from this event")


class EventZipQuery(EventListQuery):
    names = serializers.BooleanField(default=False, help_text=_NAMES_HELP)


class PersonZipQuery(PersonListQuery):
    names = serializers.BooleanField(default=False, help_text=_NAMES_HELP)


class ExportInput(Input):
    """An event's photos, a person's, or a person's within an event."""

    event = RowId(required=False, allow_null=True)
    person = RowId(required=False, allow_null=True)
    faces = serializers.ChoiceField(choices=FACES, default="verified", help_text=_FACES_HELP)
    names = serializers.BooleanField(default=False, help_text=_NAMES_HELP)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("event") is None and attrs.get("person") is None:
            raise serializers.ValidationError("Give an event, a person, or both.", code="required")
        return attrs


class ExportDetail(Output):
    """A ZIP that the worker makes: its photos, and `list.csv` beside them."""

    id = serializers.UUIDField(source="export_id")
    event = serializers.IntegerField(source="event_id", allow_null=True)
    person = serializers.IntegerField(source="person_id", allow_null=True)
    faces = serializers.SerializerMethodField()
    names = serializers.BooleanField(source="with_names")
    state = serializers.ChoiceField(choices=WORK_STATES)
    failure = serializers.SerializerMethodField()
    photos_total = serializers.IntegerField()
    photos_done = serializers.IntegerField()
    byte_size = serializers.IntegerField(help_text="0 until it is done")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(help_text="it is removed then")
    file = Link("api-export-file", by="export_id", help_text="there once the state is done")

    @extend_schema_field(serializers.ChoiceField(choices=FACES))
    def get_faces(self, export: Export) -> str:
        return "all" if export.with_machine else "verified"

    @extend_schema_field(PhotoFailure(allow_null=True))
    def get_failure(self, export: Export) -> dict[str, str] | None:
        if export.state != Export.State.FAILED:
            return None
        return {"code": export.failure_code, "reason": export.failure_reason}
