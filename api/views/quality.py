"""The quality of the names over the API: the newest report, and asking for another one."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import MANAGER, reach_of
from access.scopes import ADMIN, READ
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers import quality as shapes
from recognition.active_embedder import NoActiveEmbedder
from recognition.evaluation.reports import finished_reports, open_report, request_report


class Quality(ApiView):
    access = {"GET": (READ, (MANAGER,)), "POST": (ADMIN, (MANAGER,))}

    @extend_schema(
        operation_id="get_quality",
        summary="How good the names are, by the newest report",
        responses=shapes.Quality,
    )
    def get(self, request: Request) -> Response:
        """For managers of all events: the figures are about all of them."""
        _require_everywhere(self.user)
        told = {"report": finished_reports().first(), "pending": open_report()}
        return Response(shapes.Quality(told).data)

    @extend_schema(
        operation_id="measure_quality",
        summary="Have a worker measure anew",
        request=None,
        responses={202: shapes.ReportState},
    )
    def post(self, request: Request) -> Response:
        """While one report waits or is being made, asking again gives that one."""
        _require_everywhere(self.user)
        try:
            report = request_report(user=self.user)
        except NoActiveEmbedder as refused:
            raise ApiProblem(409, "nothing_to_measure", str(refused)) from refused
        return Response(shapes.ReportState(report).data, status=202)


def _require_everywhere(user: User) -> None:
    if not reach_of(user, MANAGER).everywhere:
        raise PermissionDenied
