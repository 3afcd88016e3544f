"""The embedder and a change of it over the API: how far it is, and what the report says."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import MANAGER, reach_of
from access.scopes import READ
from api.base import ApiView
from api.serializers import embedder as shapes
from recognition.reembedding.report import describe_change


class EmbedderChange(ApiView):
    access = {"GET": (READ, (MANAGER,))}

    @extend_schema(
        operation_id="get_embedder",
        summary="The embedder in use, and the change of it under way or the last one",
        responses=shapes.EmbedderState,
    )
    def get(self, request: Request) -> Response:
        # Its figures count the faces of every event.
        if not reach_of(self.user, MANAGER).everywhere:
            raise PermissionDenied
        return Response(shapes.EmbedderState(describe_change()).data)
