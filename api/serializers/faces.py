"""Faces with what was decided about them, and suggestions."""

from __future__ import annotations

from typing import Any, get_args

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.roles import Reach
from api.serializers.common import Box, Link, Output, PersonBrief, Query, RowId, brief
from labeling.suggestions import Suggestion
from recognition.models import Face
from recognition.photos.boxes import Kind, kind_of, nameless_kind_of

STATES = list(get_args(Kind))
FILTERED_STATES = [state for state in STATES if state != "named"]


class FaceQuery(Query):
    event = RowId(required=False)
    photo = RowId(required=False)
    person = RowId(required=False)
    state = serializers.ChoiceField(choices=FILTERED_STATES, required=False)


class SuggestionQuery(Query):
    k = serializers.IntegerField(default=5, min_value=1, max_value=20, help_text="how many people")


class FaceDetail(Output):
    """One face. Without a role that sees names, `person` is null and `state` says only whether it has a name."""

    face_id = serializers.UUIDField()
    photo = serializers.IntegerField(source="photo_id")
    event = serializers.IntegerField(source="photo.event_id")
    box = Box(source="*")
    detector_score = serializers.FloatField(help_text="0..1")
    size = serializers.FloatField(help_text="shorter side of the box in pixels")
    sharpness = serializers.FloatField()
    yaw = serializers.FloatField(help_text="degrees; 0 looks at the camera")
    pitch = serializers.FloatField(help_text="degrees")
    roll = serializers.FloatField(help_text="degrees")
    state = serializers.SerializerMethodField()
    person = serializers.SerializerMethodField()
    similarity = serializers.SerializerMethodField(
        help_text="cosine to the person's nearest reference when it was decided"
    )
    version = serializers.IntegerField(help_text="moves with every decision; send it with yours")
    crop = Link("api-face-crop", by="face_id")

    @extend_schema_field(serializers.ChoiceField(choices=STATES))
    def get_state(self, face: Face) -> Kind:
        return kind_of(face) if self._names(face) else nameless_kind_of(face)

    @extend_schema_field(PersonBrief(allow_null=True))
    def get_person(self, face: Face) -> dict[str, Any] | None:
        return brief(face.sighting.person) if self._names(face) and hasattr(face, "sighting") else None

    def get_similarity(self, face: Face) -> float | None:
        return face.sighting.similarity if self._names(face) and hasattr(face, "sighting") else None

    def _names(self, face: Face) -> bool:
        seeing: Reach = self.context["seeing"]
        return face.photo.event_id in seeing


class SuggestedPerson(Output):
    """Somebody the face may be. Of a person whom the account sees nowhere else there is the name alone."""

    person = PersonBrief()
    similarity = serializers.FloatField(help_text="cosine")
    word = serializers.ChoiceField(choices=["strong", "close call", "possible", "unlikely"])
    doubt = serializers.CharField(
        allow_blank=True, help_text="what alone keeps the word from being strong, besides the roster"
    )
    on_roster = serializers.BooleanField(allow_null=True, help_text="null where the event has no roster")
    references = serializers.ListField(
        child=serializers.CharField(), help_text="crops of their nearest faces"
    )
    reference_count = serializers.IntegerField(allow_null=True)
    name_alone = serializers.BooleanField()
    already_on_photo = serializers.UUIDField(allow_null=True, help_text="the face that has this name already")


class SuggestionList(Output):
    suggestions = SuggestedPerson(many=True)


def show_suggestion(suggestion: Suggestion) -> dict[str, Any]:
    alone = suggestion.name_alone
    return {
        "person": suggestion.person,
        "similarity": suggestion.similarity,
        "word": suggestion.word,
        "doubt": suggestion.doubt,
        "on_roster": suggestion.on_roster,
        "references": []
        if alone
        else [reverse("api-face-crop", args=[face.face_id]) for face in suggestion.references],
        "reference_count": None if alone else suggestion.reference_count,
        "name_alone": alone,
        "already_on_photo": suggestion.beside.face.face_id if suggestion.beside else None,
    }
