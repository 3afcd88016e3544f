"""Numbers over the API, and who is asking."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.middleware import token_of
from access.roles import ROLES, any_roles_of, sees_everything
from access.scopes import READ
from api.base import ApiView
from api.serializers import stats as shapes
from recognition.events.progress import count_faces, count_photos
from recognition.models import ActiveEmbedder, Event, Person
from recognition.stats import index_stats


class Stats(ApiView):
    access = {"GET": (READ, ROLES)}

    @extend_schema(
        operation_id="get_stats", summary="Numbers of all that the account sees", responses=shapes.Stats
    )
    def get(self, request: Request) -> Response:
        active = ActiveEmbedder.objects.first()
        numbers = {
            "events": Event.objects.visible_to(self.user).count(),
            "people": Person.objects.visible_to(self.user).count(),
            "photos": count_photos(self.user),
            "faces": count_faces(self.user),
            "embedder": active,
            # It counts the faces of every event.
            "index": index_stats() if active and sees_everything(self.user) else None,
        }
        return Response(shapes.Stats(numbers).data)


class Me(ApiView):
    access = {"GET": (READ, ())}

    @extend_schema(operation_id="get_me", summary="Who is asking, and what they may do", responses=shapes.Me)
    def get(self, request: Request) -> Response:
        facts = {
            "username": self.user.get_username(),
            "roles": [role for role in ROLES if role in any_roles_of(self.user)],
            "administrator": self.user.is_superuser,
            "token": token_of(request._request),
        }
        return Response(shapes.Me(facts).data)
