"""Search by look: the picture, and the photos that are near in pose and colors."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from api.serializers.common import Box, Input, Link, Output, Query, RowId
from api.serializers.search import SearchRow
from recognition.looks.finding import MOST, PAGE, FoundLook, FoundLooks


class LookSearchInput(Input):
    """Any picture; it needs no face."""

    picture = serializers.FileField(allow_empty_file=True)


class LookQuery(Query):
    """How to compare. Without `pose` the weights of the installation count."""

    k = serializers.IntegerField(min_value=1, max_value=MOST, default=PAGE, help_text="how many photos")
    pose = serializers.IntegerField(
        min_value=0, max_value=100, required=False, help_text="how much the pose counts, in percent"
    )
    event = RowId(required=False)
    since = serializers.DateField(required=False, help_text="taken on this day or later")
    until = serializers.DateField(required=False, help_text="taken on this day or earlier")


class LookSearchQuery(LookQuery):
    """`look` chooses among the looks of the picture: 0 for the whole of it, else a person on it."""

    look = serializers.IntegerField(min_value=0, max_value=100, default=0)


class LookPhoto(Output):
    id = serializers.IntegerField(source="photo.pk")
    event = serializers.IntegerField(source="photo.event_id")
    face = serializers.UUIDField(
        source="face.face_id", allow_null=True, default=None, help_text="around whom; null: the whole photo"
    )
    region = Box(allow_null=True)
    distance = serializers.FloatField(help_text="squared; the sum of the shares of pose and color")
    pose = serializers.FloatField(help_text="the share of the pose in the distance")
    color = serializers.FloatField(help_text="the share of the colors in the distance")
    preview = Link("api-photo-preview", by="photo.pk")


class LooksFound(Output):
    """The nearest photos, best first. `poses` false: colors alone are compared here."""

    poses = serializers.BooleanField()
    seen = serializers.BooleanField(help_text="false: this was not looked at yet; ask again later")
    photos = LookPhoto(many=True)
    more = serializers.BooleanField(help_text="whether a larger k finds more")


class SearchedLook(Output):
    box = Box()
    has_pose = serializers.BooleanField()


class LookSearchDetail(SearchRow):
    """Ask again until the state is done or failed."""

    stalled = serializers.BooleanField(help_text="it waits for longer than it should: does a worker run?")
    outdated = serializers.BooleanField(help_text="looks are compared in another way now: search again")
    looks = SearchedLook(many=True, help_text="the whole picture first, then its people from left to right")
    poses = serializers.BooleanField()
    photos = LookPhoto(many=True)
    more = serializers.BooleanField()


def show_looks(found: FoundLooks) -> dict[str, Any]:
    return {"photos": [_photo(one) for one in found.found], "more": found.more}


def _photo(one: FoundLook) -> dict[str, Any]:
    return dict(LookPhoto(one).data)
