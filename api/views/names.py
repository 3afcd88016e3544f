"""Names out of photos, and people on their way out, over the API."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER, require_role
from access.scopes import EXPORT, LABEL
from api.base import ApiView
from api.serializers.names import NameReading, PeopleListQuery, PeopleZipQuery
from api.views.events import find_event
from recognition.models import Event
from recognition.named_regions.reading import latest_reading, request_reading
from recognition.people.csv_out import PeopleScope, stream_people_csv, stream_people_zip
from recognition.sending import send_stream


class EventNames(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER)), "POST": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="get_name_reading",
        summary="How far the names in an event's photos are read",
        responses=NameReading,
    )
    def get(self, request: Request, event_pk: int) -> Response:
        """404 as long as nobody asked for a reading."""
        reading = latest_reading(self._find(event_pk).pk)
        if reading is None:
            raise Http404("The photos of this event were not read yet.")
        return Response(NameReading(reading).data)

    @extend_schema(
        operation_id="read_names",
        summary="Have a worker read the names in an event's photos",
        request=None,
        responses={202: NameReading},
    )
    def post(self, request: Request, event_pk: int) -> Response:
        """XMP face regions of other programs, as suggestions: nobody is named by it. While one is made, it is the same."""
        event = self._find(event_pk)
        reading = request_reading(event=event, user=self.user)
        location = reverse("api-event-names", args=[event.pk])
        return Response(NameReading(reading).data, status=202, headers={"Location": location})

    def _find(self, event_pk: int) -> Event:
        event = find_event(self, event_pk)
        require_role(self.user, event.pk, LABELER, MANAGER)
        return event


class PeopleCsv(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="download_people",
        summary="People as CSV, in the columns that an import reads",
        parameters=[PeopleListQuery],
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Everybody for a manager of all events, else who was seen at events that you manage."""
        pieces = stream_people_csv(_scope(self, self.read_query(PeopleListQuery)))
        return send_stream(self.request, pieces, content_type="text/csv; charset=utf-8", name="people.csv")


class PeopleZip(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="download_people_with_portraits",
        summary="People as CSV with portraits, as a ZIP",
        parameters=[PeopleZipQuery],
        responses={(200, "application/zip"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Portraits are verified references, the chosen cover first."""
        pieces = stream_people_zip(_scope(self, self.read_query(PeopleZipQuery)))
        return send_stream(self.request._request, pieces, content_type="application/zip", name="people.zip")


def _scope(view: ApiView, asked: dict[str, Any]) -> PeopleScope:
    event = None
    if "event" in asked:
        event = find_event(view, asked["event"])
        require_role(view.user, event.pk, MANAGER)
    return PeopleScope(user=view.user, event=event, portraits=asked.get("portraits", 0))
