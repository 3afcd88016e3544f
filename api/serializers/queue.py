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
    groups = serializers.IntegerField(help_text="groups of at least two faces that look like one person")
    suggestions = serializers.IntegerField(help_text="people whom at least two open faces may be")
    singles = serializers.IntegerField(help_text="faces in no group")
    asked = serializers.IntegerField(help_text="faces that somebody asked a colleague about")


class QueuePhoto(Output):
    id = serializers.IntegerField(source="pk")
    event = serializers.IntegerField(source="event_id")
    name = serializers.CharField(help_text="file name")
    preview = Link("api-photo-preview")


class QueueCard(Output):
    """What the desk shows as one card: a group of faces, a person's list, or one face."""

    card = serializers.ChoiceField(choices=["group", "person", "face"])
    id = serializers.IntegerField(help_text="of the group, the person or the face", source="pk")
    faces = serializers.ListField(child=serializers.UUIDField(), help_text="its open faces, at most 60")


class NextFace(Output):
    """The best face that waits for you; all three are null or empty when none is left."""

    face = FaceDetail(allow_null=True)
    photo = QueuePhoto(allow_null=True)
    suggestions = SuggestedPerson(many=True)
    counts = QueueCounts()
    cards = QueueCard(
        many=True, help_text="what the desk would show next, the most faces for a decision first"
    )
