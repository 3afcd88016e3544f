"""The queue over the API: how much is left, and the next face with its suggestions."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER
from access.scopes import LABEL
from api.base import ApiView
from api.serializers import queue as shapes
from api.serializers.faces import SuggestedPerson, show_suggestion
from api.views.faces import find_face, show_face
from labeling.desk import CANDIDATES
from labeling.queue import count_queue, next_face, next_items
from labeling.queue.contents import faces_of_items
from labeling.queue.scope import Scope
from labeling.suggestions import suggest_people
from labeling.team.leases import take_lease
from recognition.models import Event

_CARDS = 5


class Queue(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="count_queue",
        summary="How many faces wait for you",
        parameters=[shapes.QueueQuery],
        responses=shapes.QueueCounts,
    )
    def get(self, request: Request) -> Response:
        event = _find_event(self, self.read_query(shapes.QueueQuery).get("event"))
        return Response(shapes.QueueCounts(count_queue(user=self.user, event=event)).data)


class QueueNext(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="next_face",
        summary="The next face to decide about",
        parameters=[shapes.NextQuery],
        responses=shapes.NextFace,
    )
    def get(self, request: Request) -> Response:
        """Two labelers at work get different faces. Send `face.version` with the decision.

        `cards` are what the desk would show next: faces that one name may settle together.
        """
        query = self.read_query(shapes.NextQuery)
        event = _find_event(self, query.get("event"))
        counts = shapes.QueueCounts(count_queue(user=self.user, event=event)).data
        cards = shapes.QueueCard(_next_cards(self.user, event), many=True).data
        found = next_face(user=self.user, event=event, skipped=query["skipped"])
        if found is None:
            return Response(
                {"face": None, "photo": None, "suggestions": [], "counts": counts, "cards": cards}
            )
        take_lease(user=self.user, card=f"face-{found.pk}")
        face = find_face(self, found.face_id)
        suggestions = [show_suggestion(one) for one in suggest_people(face, CANDIDATES, user=self.user)]
        return Response(
            {
                "face": show_face(face, self),
                "photo": shapes.QueuePhoto(face.photo).data,
                "suggestions": SuggestedPerson(suggestions, many=True).data,
                "counts": counts,
                "cards": cards,
            }
        )


def _next_cards(user: User, event: Event | None) -> list[dict[str, Any]]:
    scope = Scope.of(user, event)
    items = next_items(user=user, event=event, count=_CARDS, scope=scope)
    faces = faces_of_items(scope, items)
    return [
        {
            "card": "group" if item.kind == "cluster" else item.kind,
            "pk": item.pk,
            "faces": faces[item.card],
        }
        for item in items
    ]


def _find_event(view: ApiView, event_pk: int | None) -> Event | None:
    """One where the user labels: the queue of another event is empty for them, which would say "all done"."""
    if event_pk is None:
        return None
    return get_object_or_404(Event.objects.for_role(view.user, LABELER, MANAGER), pk=event_pk)
