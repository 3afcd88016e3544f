"""People and sightings."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from rest_framework import serializers

from api.serializers.common import Input, Output, PersonBrief, Query, RowId
from recognition.models import Person, Sighting
from recognition.people.forms import ALIASES, NAME_LENGTH
from recognition.people.listing import ORDERS
from recognition.text import clean_name

_EXTERNAL_ID = Person._meta.get_field("external_id").max_length


class PeopleQuery(Query):
    q = serializers.CharField(
        required=False,
        max_length=200,
        help_text="each word begins a word of the name, an alias or the external id; case and accents do not count",
    )
    external_id = serializers.CharField(required=False, max_length=_EXTERNAL_ID, help_text="exactly this one")
    event = RowId(required=False, help_text="only people at this event")
    order = serializers.ChoiceField(
        choices=ORDERS, default="name", help_text="by name, by when they were last seen, or by how many faces"
    )


class PersonChange(Input):
    name = serializers.CharField(max_length=NAME_LENGTH)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=NAME_LENGTH), max_length=ALIASES, help_text="other names"
    )
    external_id = serializers.CharField(max_length=_EXTERNAL_ID, allow_null=True, allow_blank=True)
    shared = serializers.BooleanField(required=False, help_text="somebody else may have the same name")

    def validate_name(self, value: str) -> str:
        name = clean_name(value)
        if not name:
            raise serializers.ValidationError("Give the person a name.", code="required")
        return name

    def validate_aliases(self, value: list[str]) -> list[str]:
        return list(dict.fromkeys(alias for alias in map(clean_name, value) if alias))

    def validate_external_id(self, value: str | None) -> str | None:
        return clean_name(value or "") or None


class MergeInput(Input):
    other = RowId(help_text="who becomes part of the person of the address")
    together = serializers.BooleanField(
        default=False, help_text="although both are on the same photos, as two people would be"
    )


class PersonDetail(Output):
    """Only what the account may see is counted and shown."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    aliases = serializers.ListField(child=serializers.CharField())
    external_id = serializers.CharField(allow_null=True)
    photos = serializers.IntegerField(source="visit_count", help_text="photos they are in")
    references = serializers.IntegerField(
        source="reference_count", help_text="verified faces that answer searches"
    )
    first_seen = serializers.DateTimeField(allow_null=True)
    last_seen = serializers.DateTimeField(allow_null=True)
    cover = serializers.SerializerMethodField(help_text="the crop that stands for them")

    def get_cover(self, person: Any) -> str | None:
        return reverse("api-face-crop", args=[person.cover]) if person.cover else None


class SightingQuery(Query):
    event = RowId(required=False)
    photo = RowId(required=False)
    person = RowId(required=False)
    decided_by = serializers.ChoiceField(choices=Sighting.DecidedBy.values, required=False)
    seen_from = serializers.DateTimeField(required=False, help_text="not before this moment")
    seen_to = serializers.DateTimeField(required=False, help_text="before this moment")


class SightingDetail(Output):
    """This face is this person, by whom it was decided and how near it was."""

    id = serializers.IntegerField(source="pk")
    face_id = serializers.UUIDField(source="face.face_id")
    photo = serializers.IntegerField(source="face.photo_id")
    event = serializers.IntegerField(source="face.photo.event_id")
    person = PersonBrief()
    similarity = serializers.FloatField(allow_null=True, help_text="cosine, when it was decided")
    margin = serializers.FloatField(allow_null=True, help_text="lead over the next person")
    decided_by = serializers.ChoiceField(choices=Sighting.DecidedBy.values)
    is_reference = serializers.BooleanField(help_text="answers searches")
    embedder_id = serializers.CharField(allow_blank=True)
    seen_at = serializers.DateTimeField(help_text="when the photo was taken")
    created_at = serializers.DateTimeField()
