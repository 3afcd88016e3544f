"""Events over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Value
from django.db.models.functions import Lower
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import MANAGER, ROLES, UPLOADER, require_role, roles_of
from access.scopes import ADMIN, READ, UPLOAD
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers.events import EventChange, EventDetail, EventInput, EventQuery, EventRow, show_event
from api.serializers.photos import RetryAnswer
from recognition.events.deletion import delete_event
from recognition.events.edits import archive_event, change_event, create_event
from recognition.events.listing import find_events, newest_first
from recognition.events.progress import count_faces, count_photos, progress_by_event
from recognition.models import Event, Photo
from recognition.processing import retry_photos


class Events(ApiView):
    access = {"GET": (READ, ROLES), "POST": (UPLOAD, (UPLOADER, MANAGER))}

    @extend_schema(
        operation_id="list_events",
        summary="List events, newest first",
        parameters=[EventQuery],
        responses=EventRow(many=True),
    )
    def get(self, request: Request) -> Response:
        query = self.read_query(EventQuery)
        events = Event.objects.visible_to(self.user)
        if query["archived"] != "all":
            events = events.filter(archived_at__isnull=query["archived"] == "no")
        if "q" in query:
            events = find_events(events, query["q"])
        return self.answer_page(newest_first(events), self._show)

    @extend_schema(
        operation_id="create_event",
        summary="Create an event",
        request=EventInput,
        responses={201: EventDetail},
    )
    def post(self, request: Request) -> Response:
        """For whoever uploads to all events. 409 `name_taken` tells the `event` that has the name, if you see it."""
        if roles_of(self.user).isdisjoint({UPLOADER, MANAGER}):
            raise PermissionDenied
        data = self.read_body(EventInput)
        try:
            event = create_event(**data, user=self.user)
        except ValidationError as error:
            raise _name_taken(data["name"], self) or error from error
        location = reverse("api-event", args=[event.pk])
        return Response(_show_detail(event, self), status=201, headers={"Location": location})

    def _show(self, events: Sequence[Event]) -> Any:
        progress = progress_by_event(self.user, [event.pk for event in events])
        rows = [
            show_event(event, photos=progress[event.pk].photos, faces=progress[event.pk].faces)
            for event in events
        ]
        return EventRow(rows, many=True).data


class OneEvent(ApiView):
    access = {"GET": (READ, ROLES), "PATCH": (ADMIN, (MANAGER,)), "DELETE": (ADMIN, (MANAGER,))}

    @extend_schema(operation_id="get_event", summary="One event, with how far it is", responses=EventDetail)
    def get(self, request: Request, event_pk: int) -> Response:
        """`photos.waiting` is 0 once everything that was uploaded is processed."""
        return Response(_show_detail(find_event(self, event_pk), self))

    @extend_schema(
        operation_id="change_event",
        summary="Change or archive an event",
        request=EventChange,
        responses=EventDetail,
    )
    def patch(self, request: Request, event_pk: int) -> Response:
        """What is left out stays as it is."""
        event = find_event(self, event_pk)
        require_role(self.user, event.pk, MANAGER)
        data = self.read_body(EventChange, partial=True)
        archived = data.pop("archived", None)
        if data:
            fields = {"name": event.name, "held_on": event.held_on, "place": event.place, **data}
            try:
                change_event(event=event, **fields)
            except ValidationError as error:
                raise _name_taken(fields["name"], self, besides=event.pk) or error from error
        if archived is not None:
            archive_event(event=event, archived=archived)
        return Response(_show_detail(event, self))

    @extend_schema(
        operation_id="delete_event", summary="Delete an event and all that is in it", responses={204: None}
    )
    def delete(self, request: Request, event_pk: int) -> Response:
        """It disappears at once; a worker removes photos, faces and names. This cannot be undone."""
        event = find_event(self, event_pk)
        require_role(self.user, event.pk, MANAGER)
        delete_event(event)
        return Response(status=204)


class RetryEvent(ApiView):
    access = {"POST": (UPLOAD, (UPLOADER, MANAGER))}

    @extend_schema(
        operation_id="retry_event",
        summary="Try the failed photos again",
        request=None,
        responses={200: RetryAnswer},
    )
    def post(self, request: Request, event_pk: int) -> Response:
        event = find_event(self, event_pk)
        require_role(self.user, event.pk, UPLOADER, MANAGER)
        failed = Photo.objects.visible_to(self.user).filter(event=event, state=Photo.State.FAILED)
        return Response({"retried": retry_photos(failed)})


def find_event(view: ApiView, event_pk: int) -> Event:
    return get_object_or_404(Event.objects.visible_to(view.user), pk=event_pk)


def _show_detail(event: Event, view: ApiView) -> Any:
    photos = count_photos(view.user, event_pk=event.pk)
    faces = count_faces(view.user, event_pk=event.pk)
    return EventDetail(show_event(event, photos=photos, faces=faces)).data


def _name_taken(name: str, view: ApiView, *, besides: int = 0) -> ApiProblem | None:
    """The conflict with the event of that name; none where something else was wrong."""
    same = Event.objects.alias(lower=Lower("name")).filter(lower=Lower(Value(name)), deleted_at=None)
    same = same.exclude(pk=besides)
    if not same.exists():
        return None
    event = Event.objects.visible_to(view.user).filter(pk__in=same).first()
    return ApiProblem(
        409,
        "name_taken",
        "There is an event of this name already. Use it, or choose another name.",
        event=event.pk if event else None,
    )
