"""Faces that somebody draws on a photo, over the API: a box in, then ask until it is a face."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER, require_role
from access.scopes import LABEL
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers.drawn_faces import BoxInput, DrawnFace
from api.views.photos import find_photo
from recognition.geometry import Box
from recognition.models import ManualBox
from recognition.photos.manual_boxes import BoxRefused, boxes_seen_by, draw_box, remove_box


class DrawnFaces(ApiView):
    access = {"POST": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="draw_face",
        summary="Add a face that the detector missed",
        request=BoxInput,
        responses={202: DrawnFace},
    )
    def post(self, request: Request, photo_pk: int) -> Response:
        """The worker makes a face of the box; ask at Location until the state is done. Nobody is named by it."""
        photo = find_photo(self, photo_pk)
        require_role(self.user, photo.event_id, LABELER, MANAGER)
        data = self.read_body(BoxInput)
        box = Box(data["left"], data["top"], data["left"] + data["width"], data["top"] + data["height"])
        try:
            drawn = draw_box(photo=photo, box=box, user=self.user)
        except BoxRefused as refused:
            raise ApiProblem(409 if refused.face else 422, refused.code, refused.message) from refused
        location = reverse("api-drawn-face", args=[photo.pk, drawn.pk])
        return Response(DrawnFace(drawn).data, status=202, headers={"Location": location})


class OneDrawnFace(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER)), "DELETE": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="get_drawn_face",
        summary="A drawn face, with the face once it is done",
        responses=DrawnFace,
    )
    def get(self, request: Request, photo_pk: int, box_pk: int) -> Response:
        return Response(DrawnFace(_find_box(self, photo_pk, box_pk)).data)

    @extend_schema(
        operation_id="take_drawn_face_back",
        summary="Take back a drawn face that is not one yet",
        responses={204: None},
    )
    def delete(self, request: Request, photo_pk: int, box_pk: int) -> Response:
        """One that is a face stays: say of it that it is not a face."""
        box = _find_box(self, photo_pk, box_pk)
        if not remove_box(box):
            raise ApiProblem(409, "face_ready", "It is a face already. Say of that that it is not a face.")
        return Response(status=204)


def _find_box(view: ApiView, photo_pk: int, box_pk: int) -> ManualBox:
    mine = boxes_seen_by(view.user).select_related("face")
    return get_object_or_404(mine, pk=box_pk, photo__pk=photo_pk)
