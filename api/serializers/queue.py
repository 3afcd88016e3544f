"""The queue: its counts, and the next face with all that is needed to decide about it."""

from __future__ import annotations

from rest_framework import serializers

from api.serializers.common import Link, Output, Query, RowId
from api.serializers.faces import FaceDetail, SuggestedPerson


class QueueQuery(Query):
    event = RowId(required=False, help_text="only faces of this event")


class NextQuery(QueueQuery):
    skipped = serializers.BooleanField(
        default=False, help_text="the faces that you skipped, longest ago first"
    )


class QueueCounts(Output):
    """`left` and `skipped` are your own; `decided` of `total` is everybody's progress."""

    left = serializers.IntegerField()
    skipped = serializers.IntegerField()
    decided = serializers.IntegerField()
    total = serializers.IntegerField()


class QueuePhoto(Output):
    id = serializers.IntegerField(source="pk")
    event = serializers.IntegerField(source="event_id")
    name = serializers.CharField(help_text="file name")
    preview = Link("api-photo-preview")


class NextFace(Output):
    """The best face that waits for you; all three are null or empty when none is left."""

    face = FaceDetail(allow_null=True)
    photo = QueuePhoto(allow_null=True)
    suggestions = SuggestedPerson(many=True)
    counts = QueueCounts()
