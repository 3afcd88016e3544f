"""Faces with what was decided about them, suggestions, and decisions."""

from __future__ import annotations

from typing import Any, get_args

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.roles import Reach
from api.serializers.common import Box, Input, Link, Output, PersonBrief, Query, RowId, brief
from labeling.models import Decision
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


class LabelInput(Input):
    """Who it is: a person's id, or a name. Both where several people share the name and one was chosen."""

    person = RowId(required=False, allow_null=True)
    name = serializers.CharField(required=False, allow_blank=True, max_length=2000, trim_whitespace=False)
    new = serializers.BooleanField(default=False, help_text="create the person if nobody has the name")
    another = serializers.BooleanField(
        default=False, help_text="create another person of a name that somebody has"
    )
    twice = serializers.BooleanField(
        default=False, help_text="the person is on this photo twice, in a mirror say"
    )
    version = serializers.IntegerField(
        required=False, min_value=0, help_text="of the face as it was decided about; else as it is now"
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("person") is None and not attrs.get("name"):
            raise serializers.ValidationError("Give a person or a name.", code="required")
        if attrs["twice"] and attrs.get("person") is None:
            raise serializers.ValidationError(
                {"person": "With twice, give the person's id."}, code="required"
            )
        return attrs


class RejectInput(Input):
    person = RowId(help_text="who it is not")
    name = serializers.CharField(required=False, allow_blank=True, max_length=2000, trim_whitespace=False)
    version = serializers.IntegerField(required=False, min_value=0)


class VerdictInput(Input):
    version = serializers.IntegerField(required=False, min_value=0)


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
    references = serializers.ListField(
        child=serializers.CharField(), help_text="crops of their nearest faces"
    )
    reference_count = serializers.IntegerField(allow_null=True)
    name_alone = serializers.BooleanField()
    already_on_photo = serializers.UUIDField(allow_null=True, help_text="the face that has this name already")


class SuggestionList(Output):
    suggestions = SuggestedPerson(many=True)


class DecisionDetail(Output):
    """What somebody decided; `key` undoes it."""

    key = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Decision.Kind.values)
    face_id = serializers.UUIDField(source="face.face_id", allow_null=True, default=None)
    person = PersonBrief(allow_null=True)
    created_person = serializers.BooleanField(help_text="the person came with this decision")
    actor = serializers.CharField(source="actor.username", allow_null=True, default=None)
    created_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class DecisionAnswer(Output):
    decision = DecisionDetail()
    face = FaceDetail(allow_null=True, help_text="as it is now")


class DecisionQuery(Query):
    mine = serializers.BooleanField(required=False, help_text="only one's own")


def show_suggestion(suggestion: Suggestion) -> dict[str, Any]:
    alone = suggestion.name_alone
    return {
        "person": suggestion.person,
        "similarity": suggestion.similarity,
        "word": suggestion.word,
        "references": []
        if alone
        else [reverse("api-face-crop", args=[face.face_id]) for face in suggestion.references],
        "reference_count": None if alone else suggestion.reference_count,
        "name_alone": alone,
        "already_on_photo": suggestion.beside.face.face_id if suggestion.beside else None,
    }
