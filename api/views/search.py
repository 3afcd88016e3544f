"""Search by photo over the API: a picture in, then ask until its faces are found."""

from __future__ import annotations

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import SEEING
from access.scopes import READ
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers.common import Query
from api.serializers.search import SearchDetail, SearchInput, SearchRow, show_report
from recognition.images import PhotoRefused
from recognition.models import Probe
from recognition.probes import TooManySearches, add_probe, delete_probe, is_stalled, read_probe
from recognition.probes.files import probe_crop_path
from recognition.sending import send_probe_picture


class Searches(ApiView):
    access = {"GET": (READ, SEEING), "POST": (READ, SEEING)}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="list_searches",
        summary="List your searches, newest first",
        responses=SearchRow(many=True),
    )
    def get(self, request: Request) -> Response:
        self.read_query(Query)
        mine = Probe.objects.visible_to(self.user)
        return self.answer_page(mine, lambda probes: SearchRow(probes, many=True).data)

    @extend_schema(
        operation_id="search_by_photo",
        summary="Search with a picture",
        request={"multipart/form-data": SearchInput},
        responses={202: SearchRow},
    )
    def post(self, request: Request) -> Response:
        """The worker finds its faces; ask at Location until the state is done. The picture is gone within the hour."""
        file = self.read_body(SearchInput)["picture"].file
        try:
            probe = add_probe(file=cast(BinaryIO, file), user=self.user)
        except TooManySearches as refused:
            raise ApiProblem(429, refused.code, refused.message) from refused
        except PhotoRefused as refused:
            raise ApiProblem(422, refused.code, refused.message) from refused
        location = reverse("api-search", args=[probe.probe_id])
        return Response(SearchRow(probe).data, status=202, headers={"Location": location})


class OneSearch(ApiView):
    access = {"GET": (READ, SEEING), "DELETE": (READ, SEEING)}

    @extend_schema(
        operation_id="get_search",
        summary="One search, with its faces once it is done",
        responses=SearchDetail,
    )
    def get(self, request: Request, probe_id: UUID) -> Response:
        """Only references of events that you see are compared."""
        probe = _find_probe(self, probe_id)
        found: dict[str, Any] = {"outdated": False, "faces": []}
        if probe.state == Probe.State.DONE:
            found = show_report(read_probe(probe, self.user))
        return Response({**SearchRow(probe).data, "stalled": is_stalled(probe), **found})

    @extend_schema(
        operation_id="delete_search",
        summary="Delete a search, its picture and all that was computed from it",
        responses={204: None},
    )
    def delete(self, request: Request, probe_id: UUID) -> Response:
        delete_probe(_find_probe(self, probe_id))
        return Response(status=204)


class SearchCrop(ApiView):
    access = {"GET": (READ, SEEING)}

    @extend_schema(
        operation_id="get_search_crop",
        summary="A face of the picture",
        responses={(200, "image/jpeg"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, probe_id: UUID, number: int) -> HttpResponseBase:
        rows = Probe.objects.visible_to(self.user)
        probe = get_object_or_404(rows, probe_id=probe_id, faces__number=number)
        return send_probe_picture(probe_crop_path(probe.probe_id, number))


def _find_probe(view: ApiView, probe_id: UUID) -> Probe:
    return get_object_or_404(Probe.objects.visible_to(view.user), probe_id=probe_id)
