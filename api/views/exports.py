"""Exports over the API: photos and lists at once, and large ZIPs that the worker makes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import MANAGER, require_role
from access.scopes import EXPORT
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers.common import Query
from api.serializers.exports import (
    EventListQuery,
    EventZipQuery,
    ExportDetail,
    ExportInput,
    PersonListQuery,
    PersonZipQuery,
)
from api.views.events import find_event
from api.views.people import find_person
from recognition.exports import (
    ExportScope,
    TooManyExports,
    delete_export,
    find_export_file,
    request_export,
    stream_csv,
    stream_zip,
    summarize,
)
from recognition.exports.work import MAX_OPEN, scope_of
from recognition.models import Export
from recognition.sending import send_stream, send_zip

_CSV = {(200, "text/csv"): OpenApiTypes.BINARY}
_ZIP = {(200, "application/zip"): OpenApiTypes.BINARY}


class Exports(ApiView):
    access = {"GET": (EXPORT, (MANAGER,)), "POST": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="list_exports",
        summary="List your exports, newest first",
        responses=ExportDetail(many=True),
    )
    def get(self, request: Request) -> Response:
        self.read_query(Query)
        mine = Export.objects.visible_to(self.user)
        return self.answer_page(mine, lambda exports: ExportDetail(exports, many=True).data)

    @extend_schema(
        operation_id="create_export",
        summary="Have a worker make a ZIP of photos and their list",
        request=ExportInput,
        responses={202: ExportDetail},
    )
    def post(self, request: Request) -> Response:
        """Only photos of events that you manage are in it. The same request, while it is being made, is the same export."""
        scope = _scope(self, self.read_body(ExportInput))
        _count_photos(self, scope)
        try:
            export = request_export(user=self.user, scope=scope)
        except TooManyExports as refused:
            raise ApiProblem(
                429,
                "too_many_exports",
                f"{MAX_OPEN} exports of yours are being made. Wait until one is done, or delete one.",
            ) from refused
        location = reverse("api-export", args=[export.export_id])
        return Response(ExportDetail(export).data, status=202, headers={"Location": location})


class OneExport(ApiView):
    access = {"GET": (EXPORT, (MANAGER,)), "DELETE": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="get_export", summary="One export, with how far it is", responses=ExportDetail
    )
    def get(self, request: Request, export_id: UUID) -> Response:
        return Response(ExportDetail(_find_export(self, export_id)).data)

    @extend_schema(operation_id="delete_export", summary="Delete an export", responses={204: None})
    def delete(self, request: Request, export_id: UUID) -> Response:
        delete_export(_find_export(self, export_id))
        return Response(status=204)


class ExportFile(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(operation_id="download_export", summary="The ZIP, once the export is done", responses=_ZIP)
    def get(self, request: Request, export_id: UUID) -> HttpResponseBase:
        export = _find_export(self, export_id)
        path = find_export_file(user=self.user, export=export)
        if path is None:
            raise Http404("This export is not made yet, or you no longer manage all of its events.")
        return send_zip(path, name=f"{scope_of(export).title}.zip")


class EventZip(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="download_event_photos",
        summary="The photos of an event as a ZIP",
        parameters=[EventZipQuery],
        responses=_ZIP,
    )
    def get(self, request: Request, event_pk: int) -> HttpResponseBase:
        return _send_zip(self, _scope(self, {**self.read_query(EventZipQuery), "event": event_pk}))


class EventList(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="download_event_list",
        summary="The named faces of an event as CSV",
        parameters=[EventListQuery],
        responses=_CSV,
    )
    def get(self, request: Request, event_pk: int) -> HttpResponseBase:
        return _send_csv(self, _scope(self, {**self.read_query(EventListQuery), "event": event_pk}))


class PersonZip(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="download_person_photos",
        summary="The photos of a person as a ZIP",
        parameters=[PersonZipQuery],
        responses=_ZIP,
    )
    def get(self, request: Request, person_pk: int) -> HttpResponseBase:
        """From all events that you manage, or from one."""
        return _send_zip(self, _scope(self, {**self.read_query(PersonZipQuery), "person": person_pk}))


class PersonList(ApiView):
    access = {"GET": (EXPORT, (MANAGER,))}

    @extend_schema(
        operation_id="download_person_list",
        summary="The faces of a person as CSV",
        parameters=[PersonListQuery],
        responses=_CSV,
    )
    def get(self, request: Request, person_pk: int) -> HttpResponseBase:
        """From all events that you manage, or from one."""
        return _send_csv(self, _scope(self, {**self.read_query(PersonListQuery), "person": person_pk}))


def _find_export(view: ApiView, export_id: UUID) -> Export:
    mine = Export.objects.visible_to(view.user).select_related("event", "person")
    return get_object_or_404(mine, export_id=export_id)


def _scope(view: ApiView, asked: dict[str, Any]) -> ExportScope:
    event = person = None
    if asked.get("event") is not None:
        event = find_event(view, asked["event"])
        require_role(view.user, event.pk, MANAGER)
    if asked.get("person") is not None:
        person = find_person(view, asked["person"])
    return ExportScope(
        event=event,
        person=person,
        with_machine=asked["faces"] == "all",
        with_names=asked.get("names", False),
    )


def _send_zip(view: ApiView, scope: ExportScope) -> HttpResponseBase:
    most = settings.FACEVAULT_EXPORT_DIRECT
    if _count_photos(view, scope) > most:
        raise ApiProblem(
            409,
            "export_too_large",
            f"More than {most} photos are not sent at once. Ask for an export at POST {reverse('api-exports')}.",
        )
    pieces = stream_zip(user=view.user, scope=scope)
    return send_stream(
        view.request._request, pieces, content_type="application/zip", name=f"{scope.title}.zip"
    )


def _count_photos(view: ApiView, scope: ExportScope) -> int:
    photos = summarize(user=view.user, scope=scope).photos
    if not photos:
        raise ApiProblem(
            409,
            "nothing_to_export",
            "There are no such photos in events that you manage. Send faces=all to take in what FaceVault named itself.",
        )
    return photos


def _send_csv(view: ApiView, scope: ExportScope) -> HttpResponseBase:
    pieces = stream_csv(user=view.user, scope=scope)
    return send_stream(
        view.request, pieces, content_type="text/csv; charset=utf-8", name=f"{scope.title}.csv"
    )
