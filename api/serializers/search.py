"""Search by photo: the picture, and who its faces may be."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from api.serializers.common import WORK_STATES, Box, Input, Link, Output, PersonBrief
from api.serializers.photos import PhotoFailure
from recognition.matching import Verdict
from recognition.models import Probe
from recognition.probes import Lookalike, ProbedFace, ProbeReport


class SearchInput(Input):
    picture = serializers.FileField(allow_empty_file=True, help_text="any photo with faces")


class FoundPhoto(Output):
    id = serializers.IntegerField(source="pk")
    event = serializers.IntegerField(source="event_id")
    preview = Link("api-photo-preview")


class FoundPerson(Output):
    """Somebody the face looks like, with their newest photos among those that the account sees."""

    person = PersonBrief()
    similarity = serializers.FloatField(help_text="cosine")
    word = serializers.ChoiceField(choices=["strong", "close call", "possible", "unlikely"])
    doubt = serializers.CharField(allow_blank=True, help_text="what alone keeps the word from being strong")
    references = serializers.ListField(
        child=serializers.CharField(), help_text="crops of their nearest faces"
    )
    reference_count = serializers.IntegerField()
    photo_count = serializers.IntegerField()
    photos = FoundPhoto(many=True)


class SearchedFace(Output):
    """`verdict`: the first person for sure, perhaps one of them, or nobody known."""

    number = serializers.IntegerField(help_text="from left to right, from 1")
    box = Box()
    detector_score = serializers.FloatField(help_text="0..1")
    verdict = serializers.ChoiceField(choices=[verdict.value for verdict in Verdict])
    crop = serializers.CharField()
    people = FoundPerson(many=True)


class SearchRow(Output):
    """A search in a list. It and all that was computed from it is gone at `expires_at`."""

    id = serializers.UUIDField(source="probe_id")
    state = serializers.ChoiceField(choices=WORK_STATES)
    failure = serializers.SerializerMethodField()
    width = serializers.IntegerField(help_text="pixels, after orientation")
    height = serializers.IntegerField(help_text="pixels, after orientation")
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()

    @extend_schema_field(PhotoFailure(allow_null=True))
    def get_failure(self, probe: Probe) -> dict[str, str] | None:
        if probe.state != Probe.State.FAILED:
            return None
        return {"code": probe.failure_code, "reason": probe.failure_reason}


class SearchDetail(SearchRow):
    """Ask again until the state is done or failed."""

    stalled = serializers.BooleanField(help_text="it waits for longer than it should: does a worker run?")
    outdated = serializers.BooleanField(help_text="the embedder was changed meanwhile: search again")
    faces = SearchedFace(many=True)


def show_report(report: ProbeReport) -> dict[str, Any]:
    return {"outdated": report.outdated, "faces": [_face(report.probe, found) for found in report.faces]}


def _face(probe: Probe, found: ProbedFace) -> dict[str, Any]:
    face = {
        "number": found.face.number,
        "box": found.face,
        "detector_score": found.face.detector_score,
        "verdict": found.verdict.value,
        "crop": reverse("api-search-crop", args=[probe.probe_id, found.face.number]),
        "people": [_person(person) for person in found.people],
    }
    return dict(SearchedFace(face).data)


def _person(found: Lookalike) -> dict[str, Any]:
    return {
        "person": found.person,
        "similarity": found.similarity,
        "word": found.word,
        "doubt": found.doubt,
        "references": [reverse("api-face-crop", args=[face.face_id]) for face in found.references],
        "reference_count": found.reference_count,
        "photo_count": found.photo_count,
        "photos": found.photos,
    }
