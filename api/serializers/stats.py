"""Numbers of what the account sees, and who the account is."""

from __future__ import annotations

from rest_framework import serializers

from access.roles import ROLES
from access.scopes import SCOPES
from api.serializers.common import Output
from api.serializers.events import FaceCounts, PhotoProgress


class EmbedderInfo(Output):
    embedder_id = serializers.CharField()
    reason = serializers.CharField(help_text="why this one")


class IndexInfo(Output):
    """The index of the process that answered."""

    kind = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField(help_text="faces that answer searches")
    version = serializers.IntegerField(allow_null=True)
    fresh = serializers.BooleanField(help_text="false: the next search catches up first")


class Stats(Output):
    events = serializers.IntegerField()
    people = serializers.IntegerField()
    photos = PhotoProgress()
    faces = FaceCounts()
    embedder = EmbedderInfo(allow_null=True)
    index = IndexInfo(allow_null=True, help_text="only for accounts that see all events")


class TokenInfo(Output):
    name = serializers.CharField()
    prefix = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=list(SCOPES)))
    expires_at = serializers.DateTimeField()


class Me(Output):
    """The account behind the token or session."""

    username = serializers.CharField()
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=list(ROLES)), help_text="for all events or for some"
    )
    administrator = serializers.BooleanField()
    token = TokenInfo(allow_null=True)
