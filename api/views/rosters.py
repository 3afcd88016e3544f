"""Rosters over the API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import MANAGER, require_role
from access.scopes import ADMIN, READ
from api.base import ApiView
from api.serializers.rosters import RosterCounts, RosterInput, RosterRow
from api.views.events import find_event
from recognition.events import roster_listing
from recognition.events.roster import remove_roster, replace_roster
from recognition.events.roster_listing import list_roster
from recognition.models import Event


class EventRoster(ApiView):
    access = {"GET": (READ, (MANAGER,)), "PUT": (ADMIN, (MANAGER,)), "DELETE": (ADMIN, (MANAGER,))}

    @extend_schema(
        operation_id="list_roster",
        summary="Who was invited to an event",
        responses=RosterRow(many=True),
    )
    def get(self, request: Request, event_pk: int) -> Response:
        """By external id. Empty where the event has no roster."""
        listing = list_roster(self._find(event_pk), user=self.user)
        return self.answer_page(listing.rows, _show_rows)

    @extend_schema(
        operation_id="replace_roster",
        summary="Replace the roster of an event",
        request=RosterInput,
        responses=RosterCounts,
    )
    def put(self, request: Request, event_pk: int) -> Response:
        """Whoever is not on it is named at the event only on stronger evidence. Open faces are looked at again."""
        event = self._find(event_pk)
        replace_roster(event=event, external_ids=self.read_body(RosterInput)["external_ids"])
        return Response(RosterCounts(list_roster(event, user=self.user)).data)

    @extend_schema(
        operation_id="remove_roster", summary="Remove the roster of an event", responses={204: None}
    )
    def delete(self, request: Request, event_pk: int) -> Response:
        """Everybody has the usual line at the event from here on; also where there was no roster."""
        remove_roster(event=self._find(event_pk))
        return Response(status=204)

    def _find(self, event_pk: int) -> Event:
        event = find_event(self, event_pk)
        require_role(self.user, event.pk, MANAGER)
        return event


def _show_rows(rows: Sequence[roster_listing.RosterRow]) -> Any:
    return RosterRow(rows, many=True).data
