"""Decisions: what to decide about one face or many, and what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from rest_framework import serializers

from api.serializers.common import Input, Output, PersonBrief, Query, RowId
from api.serializers.faces import FaceDetail
from labeling.history import Row, read_rows
from labeling.models import Decision

MOST_FACES = 1000
VERDICTS = ["skip", "ask", "stranger", "not_a_face", "poor", "reopen"]


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


class DecideInput(Input):
    """Faces, and one thing to say about all of them: who they are, who they are not, or a verdict."""

    faces = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_FACES, help_text="their ids"
    )
    versions = serializers.ListField(
        child=serializers.IntegerField(min_value=0),
        required=False,
        max_length=MOST_FACES,
        help_text="of the faces as they were decided about, in the same order; else as they are now",
    )
    person = RowId(required=False, allow_null=True)
    name = serializers.CharField(required=False, allow_blank=True, max_length=2000, trim_whitespace=False)
    new = serializers.BooleanField(default=False, help_text="create the person if nobody has the name")
    another = serializers.BooleanField(
        default=False, help_text="create another person of a name that somebody has"
    )
    reject = serializers.ListField(
        child=RowId(), required=False, max_length=20, help_text="ids of people whom none of the faces is"
    )
    verdict = serializers.ChoiceField(choices=VERDICTS, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = attrs.get("person") is not None or bool(attrs.get("name"))
        if [named, bool(attrs.get("reject")), bool(attrs.get("verdict"))].count(True) != 1:
            raise serializers.ValidationError(
                "Give a person or a name, or people to reject, or a verdict.", code="required"
            )
        if len(set(attrs["faces"])) < len(attrs["faces"]):
            raise serializers.ValidationError({"faces": "Give every face once."}, code="invalid")
        if "versions" in attrs and len(attrs["versions"]) != len(attrs["faces"]):
            raise serializers.ValidationError({"versions": "Give one version for each face."}, code="invalid")
        return attrs


class UndoInput(Input):
    keep_caused = serializers.BooleanField(
        default=False, help_text="keep the names that FaceVault gave because of this decision"
    )


class DecisionQuery(Query):
    mine = serializers.BooleanField(required=False, help_text="only one's own")
    event = RowId(required=False)
    person = RowId(required=False)
    actor = serializers.CharField(required=False, max_length=150, help_text="a username")
    kind = serializers.ChoiceField(choices=Decision.Kind.values, required=False)
    undone = serializers.BooleanField(required=False)


class DecisionDetail(Output):
    """What somebody decided; `key` undoes it. Of faces those that your account may decide about."""

    key = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=Decision.Kind.values)
    face_id = serializers.UUIDField(allow_null=True, help_text="one of the faces")
    face_count = serializers.IntegerField()
    person = PersonBrief(allow_null=True)
    created_person = serializers.BooleanField(help_text="the person came with this decision")
    actor = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    undone_at = serializers.DateTimeField(allow_null=True)


class DecisionAnswer(Output):
    decision = DecisionDetail()
    face = FaceDetail(allow_null=True, help_text="as it is now")


class ManyAnswer(Output):
    decision = DecisionDetail()
    left_open = serializers.ListField(
        child=serializers.UUIDField(), help_text="faces whose photo shows the person already"
    )


class UndoAnswer(DecisionAnswer):
    taken_back = serializers.IntegerField(
        help_text="names that FaceVault had given because of it and that went back into the queue"
    )


class WholeDecision(DecisionDetail):
    """One decision with all its faces."""

    faces = serializers.ListField(child=serializers.UUIDField())
    caused = serializers.ListField(
        child=serializers.UUIDField(),
        help_text="faces that FaceVault named because of it; an undo puts them back into the queue",
    )


def show_decisions(decisions: Sequence[Decision], user: User) -> list[dict[str, Any]]:
    """As far as this user may know of them. They come with actor and person."""
    return [_fields(row) for row in read_rows(decisions, user=user)]


def show_decision(decision: Decision, user: User) -> dict[str, Any]:
    return show_decisions([decision], user)[0]


def show_whole(decision: Decision, user: User, *, faces: list[UUID], caused: list[UUID]) -> dict[str, Any]:
    return {**show_decision(decision, user), "faces": faces, "caused": caused}


def _fields(row: Row) -> dict[str, Any]:
    made = row.decision
    # The one that it is about first of all, if it may be seen.
    shown = next((face for face in row.faces if face.pk == made.face_id), None)
    face = shown or (row.faces[0] if row.faces else None)
    return {
        "key": made.key,
        "kind": made.kind,
        "face_id": face.face_id if face else None,
        "face_count": row.count,
        "person": made.person,
        "created_person": made.created_person,
        "actor": made.actor.username if made.actor else None,
        "created_at": made.created_at,
        "undone_at": made.undone_at,
    }
