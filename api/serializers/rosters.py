"""The roster of an event: who was invited, and who of them is known and seen."""

from __future__ import annotations

from rest_framework import serializers

from api.serializers.common import Input, Output, PersonBrief
from recognition.events.roster_csv import MAX_ENTRIES
from recognition.models import RosterEntry
from recognition.text import clean_name

_LENGTH = RosterEntry._meta.get_field("external_id").max_length


class RosterRow(Output):
    external_id = serializers.CharField()
    person = PersonBrief(
        allow_null=True, help_text="null where nobody whom the account sees has the external id"
    )
    enrolled = serializers.BooleanField(help_text="a verified reference of them can answer a search")
    photos = serializers.IntegerField(help_text="of this event that show them")


class RosterCounts(Output):
    total = serializers.IntegerField()
    seen = serializers.IntegerField(help_text="on photos of this event")
    enrolled = serializers.IntegerField(help_text="can be recognized")
    unknown = serializers.IntegerField(help_text="nobody whom the account sees has the external id")


class RosterInput(Input):
    external_ids = serializers.ListField(
        child=serializers.CharField(max_length=_LENGTH),
        allow_empty=False,
        max_length=MAX_ENTRIES,
        help_text="the whole roster; one that comes twice is in it once",
    )

    def validate_external_ids(self, value: list[str]) -> list[str]:
        found = dict.fromkeys(clean_name(one) for one in value)
        if "" in found:
            raise serializers.ValidationError("An external id is empty.", code="required")
        return list(found)
