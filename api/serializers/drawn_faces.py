"""Faces that somebody draws on a photo: the box, and how far the worker is with it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import WORK_STATES, Box, Input, Output
from api.serializers.photos import PhotoFailure
from recognition.models import ManualBox

_FARTHEST = 100_000


class BoxInput(Input):
    """Pixels of the photo after orientation. What hangs over its edge is cut off."""

    left = serializers.FloatField(min_value=-_FARTHEST, max_value=_FARTHEST)
    top = serializers.FloatField(min_value=-_FARTHEST, max_value=_FARTHEST)
    width = serializers.FloatField(min_value=1, max_value=_FARTHEST)
    height = serializers.FloatField(min_value=1, max_value=_FARTHEST)


class DrawnFace(Output):
    """A box that somebody drew. `face_id` is there once the state is done."""

    id = serializers.IntegerField(source="pk")
    photo = serializers.IntegerField(source="photo_id")
    box = Box(source="*")
    state = serializers.ChoiceField(choices=WORK_STATES)
    failure = serializers.SerializerMethodField()
    face_id = serializers.UUIDField(source="face.face_id", allow_null=True, default=None)

    @extend_schema_field(PhotoFailure(allow_null=True))
    def get_failure(self, drawn: ManualBox) -> dict[str, str] | None:
        if drawn.state != ManualBox.State.FAILED:
            return None
        return {"code": drawn.failure_code, "reason": drawn.failure_reason}
