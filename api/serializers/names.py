"""Reading names in the photos of an event, and people as a list."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import WORK_STATES, Output, Query, RowId
from api.serializers.photos import PhotoFailure
from recognition.models import RegionReading
from recognition.people.csv_out import MOST_PORTRAITS


class NameReading(Output):
    """How far the reading of an event's photos is."""

    event = serializers.IntegerField(source="event_id")
    state = serializers.ChoiceField(choices=WORK_STATES)
    failure = serializers.SerializerMethodField()
    photos_total = serializers.IntegerField()
    photos_done = serializers.IntegerField()
    photos_unreadable = serializers.IntegerField(help_text="their files are gone or damaged")
    names_found = serializers.IntegerField(
        source="regions_found", help_text="that no reading knew before: one per face"
    )
    created_at = serializers.DateTimeField()

    @extend_schema_field(PhotoFailure(allow_null=True))
    def get_failure(self, reading: RegionReading) -> dict[str, str] | None:
        if reading.state != RegionReading.State.FAILED:
            return None
        return {"code": reading.failure_code, "reason": reading.failure_reason}


class PeopleListQuery(Query):
    event = RowId(required=False, help_text="only people who were seen at this event")


class PeopleZipQuery(PeopleListQuery):
    portraits = serializers.IntegerField(
        default=3, min_value=0, max_value=MOST_PORTRAITS, help_text="of each person, at most"
    )
