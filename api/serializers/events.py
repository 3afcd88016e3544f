"""Events: what creates and changes one, and how far each is."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.serializers.common import Input, Output, Query
from recognition.models import Event
from recognition.text import clean_name

_NAME = Event._meta.get_field("name").max_length
_PLACE = Event._meta.get_field("place").max_length


class EventQuery(Query):
    archived = serializers.ChoiceField(
        choices=["no", "yes", "all"], default="no", help_text="archived events are left out unless asked for"
    )
    q = serializers.CharField(
        required=False,
        max_length=200,
        help_text="each word is in its name or place; case and accents do not count",
    )


class EventInput(Input):
    name = serializers.CharField(max_length=_NAME, help_text="unique, whatever its case")
    held_on = serializers.DateField(required=False, allow_null=True, default=None)
    place = serializers.CharField(max_length=_PLACE, required=False, allow_blank=True, default="")

    def validate_name(self, value: str) -> str:
        name = clean_name(value)
        if not name:
            raise serializers.ValidationError("Give the event a name.", code="required")
        return name

    def validate_place(self, value: str) -> str:
        return clean_name(value)


class EventChange(EventInput):
    archived = serializers.BooleanField(required=False, help_text="out of the daily lists, or back into them")


class PhotoCounts(Output):
    total = serializers.IntegerField()
    waiting = serializers.IntegerField(
        help_text="uploaded, not processed yet; 0 means that all are done or failed"
    )
    failed = serializers.IntegerField()
    done = serializers.IntegerField()


class PhotoProgress(PhotoCounts):
    stalled = serializers.BooleanField(help_text="photos wait and nobody processes any: does a worker run?")


class FaceShare(Output):
    total = serializers.IntegerField()
    open = serializers.IntegerField(help_text="in the queue, for somebody to decide about")
    decided = serializers.IntegerField()


class FaceCounts(FaceShare):
    by_machine = serializers.IntegerField(help_text="named by FaceVault")
    by_human = serializers.IntegerField(help_text="named by people")


class EventBase(Output):
    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    held_on = serializers.DateField(allow_null=True)
    place = serializers.CharField(allow_blank=True)
    created_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)


class EventRow(EventBase):
    """An event in a list."""

    photos = PhotoCounts()
    faces = FaceShare()


class EventDetail(EventBase):
    """One event; only what the account may see is counted."""

    photos = PhotoProgress()
    faces = FaceCounts()


def show_event(event: Event, **counts: Any) -> dict[str, Any]:
    return {
        **{
            name: getattr(event, name)
            for name in ("pk", "name", "held_on", "place", "created_at", "archived_at")
        },
        **counts,
    }
