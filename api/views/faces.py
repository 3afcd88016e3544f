"""Faces over the API: lists, one face, its crop, and whom it may be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER, ROLES, SEEING, reach_of, require_role
from access.scopes import LABEL, READ
from api.base import ApiView
from api.serializers.faces import FaceDetail, FaceQuery, SuggestionList, SuggestionQuery, show_suggestion
from labeling.suggestions import suggest_people
from recognition.models import Face, Sighting, UnlabeledFace
from recognition.photos.boxes import with_decisions
from recognition.sending import send_picture
from recognition.storage import crop_path


class Faces(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(
        operation_id="list_faces",
        summary="List faces, oldest first",
        parameters=[FaceQuery],
        responses=FaceDetail(many=True),
    )
    def get(self, request: Request) -> Response:
        """The filters `state` and `person` see names, so they find faces only where your account does."""
        query = self.read_query(FaceQuery)
        return self.answer_page(_ready(_filter(self, query)), lambda faces: _show(faces, self))


class OneFace(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(operation_id="get_face", summary="One face", responses=FaceDetail)
    def get(self, request: Request, face_id: UUID) -> Response:
        return Response(show_face(find_face(self, face_id), self))


class FaceCrop(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(
        operation_id="get_face_crop",
        summary="The face as a picture",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, face_id: UUID) -> HttpResponseBase:
        face = find_face(self, face_id)
        return send_picture(request._request, crop_path(face), etag=face.crop)


class Suggestions(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="suggest_people",
        summary="Who the face may be, best first",
        parameters=[SuggestionQuery],
        responses=SuggestionList,
    )
    def get(self, request: Request, face_id: UUID) -> Response:
        face = find_face(self, face_id)
        require_role(self.user, face.photo.event_id, LABELER, MANAGER)
        found = suggest_people(face, self.read_query(SuggestionQuery)["k"], user=self.user)
        return Response(SuggestionList({"suggestions": [show_suggestion(one) for one in found]}).data)


def find_face(view: ApiView, face_id: UUID) -> Face:
    return get_object_or_404(_ready(Face.objects.visible_to(view.user)), face_id=face_id)


def show_face(face: Face, view: ApiView) -> Any:
    return _show([face], view)[0]


def show_faces(faces: QuerySet[Face], view: ApiView) -> Any:
    return _show(list(_ready(faces)), view)


def _ready(faces: QuerySet[Face]) -> QuerySet[Face]:
    return with_decisions(faces).select_related("photo", "sighting__person", "unlabeled")


def _show(faces: Sequence[Face], view: ApiView) -> Any:
    return FaceDetail(faces, many=True, context={"seeing": reach_of(view.user, *SEEING)}).data


def _filter(view: ApiView, query: dict[str, Any]) -> QuerySet[Face]:
    faces = Face.objects.visible_to(view.user)
    if "event" in query:
        faces = faces.filter(photo__event=query["event"])
    if "photo" in query:
        faces = faces.filter(photo=query["photo"])
    if "person" in query:
        seen = Sighting.objects.visible_to(view.user).filter(person=query["person"])
        faces = faces.filter(pk__in=seen.order_by().values("face"))
    if query.get("state") == "unasked":
        return faces.filter(
            reach_of(view.user, *SEEING).within("photo__event"), sighting=None, unlabeled=None
        )
    if "state" in query:
        faces = faces.filter(pk__in=_decided(query["state"], view).order_by().values("face"))
    return faces


def _decided(state: str, view: ApiView) -> QuerySet[Any]:
    """The rows that say so, where the user sees names: joined with the faces it took several times as long."""
    sightings = Sighting.objects.visible_to(view.user)
    entries = UnlabeledFace.objects.visible_to(view.user)
    match state:
        case "verified":
            return sightings.filter(decided_by=Sighting.DecidedBy.HUMAN)
        case "machine":
            return sightings.filter(decided_by=Sighting.DecidedBy.MACHINE)
        case "open":
            return entries.open()
        case _:
            return entries.filter(verdict=state)
