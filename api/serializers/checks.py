"""How often the machine's names are right, and what rests on one face."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from rest_framework import serializers

from api.serializers.common import Input, Output, PersonBrief, Query, RowId
from labeling.decisions import Why
from labeling.history.resting import find_labeled
from recognition.models import Face, Person

MOST_FACES = 1000


class Precision(Output):
    """Of the random sample; `share` with its 95 % interval is null without an answer."""

    right = serializers.IntegerField()
    wrong = serializers.IntegerField()
    unsure = serializers.IntegerField(help_text="nobody could tell; they count for neither")
    waiting = serializers.IntegerField(help_text="drawn and not answered yet")
    later = serializers.IntegerField(help_text="answered out of turn; they count once those before them are")
    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class PeriodPrecision(Output):
    start = serializers.DateTimeField(help_text="of the 30 days in which FaceVault gave the names")
    end = serializers.DateTimeField()
    embedder_id = serializers.CharField()
    precision = Precision()


class FreePairs(Output):
    """What people said of FaceVault's names in the last 30 days without being asked. No random sample."""

    confirmed = serializers.IntegerField()
    corrected = serializers.IntegerField()


class ChecksReport(Output):
    since = serializers.DateTimeField(help_text="the current figures are about names given since then")
    current = Precision()
    periods = PeriodPrecision(many=True)
    free = FreePairs()
    left = serializers.IntegerField(help_text="names that wait for an answer of the account's")


class CausedQuery(Query):
    person = RowId(required=False, help_text="under which name; else the face's name of now")


class PeoplesName(Output):
    face_id = serializers.UUIDField()
    why = serializers.ChoiceField(choices=[why.value for why in Why])
    named = serializers.IntegerField(help_text="faces that FaceVault named by it in turn")


class Caused(Output):
    """What rests on one face under one name, at events where the account labels."""

    person = PersonBrief(allow_null=True)
    machine_count = serializers.IntegerField()
    machine = serializers.ListField(
        child=serializers.UUIDField(), help_text=f"faces that FaceVault named; at most {MOST_FACES}"
    )
    people_count = serializers.IntegerField()
    people = PeoplesName(many=True, help_text="names that people gave after it")


class TakeBackInput(Input):
    person = RowId(help_text="who the face is not")
    faces = serializers.ListField(
        child=serializers.UUIDField(),
        default=list,
        max_length=MOST_FACES,
        help_text="of `people` those that lose the name too, with what FaceVault named by them",
    )
    version = serializers.IntegerField(required=False, min_value=0)


def show_caused(face: Face, person: Person | None, *, user: User) -> dict[str, Any]:
    if person is None:
        return {"person": None, "machine_count": 0, "machine": [], "people_count": 0, "people": []}
    resting = find_labeled(face, person, user=user)
    through = [pk for one in resting.people for pk in one.named]
    machine = list(dict.fromkeys([*resting.direct, *through, *resting.settled]))
    public = _public_ids([*machine[:MOST_FACES], *(one.face_pk for one in resting.people)])
    return {
        "person": person,
        "machine_count": len(machine),
        "machine": [public[pk] for pk in machine[:MOST_FACES] if pk in public],
        "people_count": len(resting.people),
        "people": [
            {"face_id": public[one.face_pk], "why": one.why.value, "named": len(one.named)}
            for one in resting.people
            if one.face_pk in public
        ],
    }


def _public_ids(pks: list[int]) -> dict[int, UUID]:
    return {
        pk: face_id
        for start in range(0, len(pks), MOST_FACES)
        for pk, face_id in Face.objects.filter(pk__in=pks[start : start + MOST_FACES]).values_list(
            "pk", "face_id"
        )
    }
