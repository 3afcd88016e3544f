"""Search by look over the API: with a picture, or with a photo by what is stored of it. Off unless switched on."""

from __future__ import annotations

from typing import Any, BinaryIO, cast
from uuid import UUID

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import SEEING, User
from access.scopes import READ
from api.base import ApiView
from api.errors import ApiProblem
from api.serializers.common import Query
from api.serializers.looks import (
    LookQuery,
    LookSearchDetail,
    LookSearchInput,
    LookSearchQuery,
    LooksFound,
    show_looks,
)
from api.serializers.search import SearchRow
from recognition.images import PhotoRefused
from recognition.looks._mediapipe import PoseUnavailable
from recognition.looks.asking import Looks
from recognition.looks.finding import LookFilter, find_looks, look_of_photo
from recognition.looks.plan import LookPlan, Weights, is_look_search_on, read_plan
from recognition.looks.probing import add_look_probe, read_looks
from recognition.models import LookProbe, Photo
from recognition.probes import TooManySearches, delete_probe, is_stalled


class _LookView(ApiView):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if not is_look_search_on():
            raise Http404("Search by look is switched off.")


class LookSearches(_LookView):
    access = {"GET": (READ, SEEING), "POST": (READ, SEEING)}
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="list_look_searches",
        summary="List your searches by look, newest first",
        responses=SearchRow(many=True),
    )
    def get(self, request: Request) -> Response:
        self.read_query(Query)
        mine = LookProbe.objects.visible_to(self.user).defer("vectors")
        return self.answer_page(mine, lambda probes: SearchRow(probes, many=True).data)

    @extend_schema(
        operation_id="search_by_look",
        summary="Search by look with a picture",
        request={"multipart/form-data": LookSearchInput},
        responses={202: SearchRow},
    )
    def post(self, request: Request) -> Response:
        """The worker looks at it; ask at Location until the state is done. The picture is gone within the hour."""
        file = self.read_body(LookSearchInput)["picture"].file
        try:
            probe = add_look_probe(file=cast(BinaryIO, file), user=self.user)
        except TooManySearches as refused:
            raise ApiProblem(429, refused.code, refused.message) from refused
        except PhotoRefused as refused:
            raise ApiProblem(422, refused.code, refused.message) from refused
        location = reverse("api-look-search", args=[probe.probe_id])
        return Response(SearchRow(probe).data, status=202, headers={"Location": location})


class OneLookSearch(_LookView):
    access = {"GET": (READ, SEEING), "DELETE": (READ, SEEING)}

    @extend_schema(
        operation_id="get_look_search",
        summary="One search by look, with its photos once it is done",
        parameters=[LookSearchQuery],
        responses=LookSearchDetail,
    )
    def get(self, request: Request, look_id: UUID) -> Response:
        """Only photos that you see answer. A mirrored or darker copy of a photo is as near as the photo."""
        asked = self.read_query(LookSearchQuery)
        probe = _find_probe(self, look_id)
        answer: dict[str, Any] = {"outdated": False, "looks": [], "poses": False, "photos": [], "more": False}
        if probe.state == LookProbe.State.DONE:
            plan = _read_plan()
            answer["poses"] = plan.has_pose
            answer["outdated"] = probe.descriptor_id != plan.descriptor_id
            answer["looks"] = [_show_look(look) for look in probe.looks]
            if not answer["outdated"]:
                rows = read_looks(probe)
                chosen = rows[asked["look"] : asked["look"] + 1]
                if not len(chosen):
                    raise ApiProblem(422, "no_such_look", f"This picture has the looks 0 to {len(rows) - 1}.")
                answer |= _find(chosen, plan, asked, self.user)
        return Response({**SearchRow(probe).data, "stalled": is_stalled(probe), **answer})

    @extend_schema(
        operation_id="delete_look_search",
        summary="Delete a search by look, its picture and all that was computed from it",
        responses={204: None},
    )
    def delete(self, request: Request, look_id: UUID) -> Response:
        delete_probe(_find_probe(self, look_id))
        return Response(status=204)


class PhotoLooksLike(_LookView):
    access = {"GET": (READ, SEEING)}

    @extend_schema(
        operation_id="list_photos_that_look_like",
        summary="Photos that look like this one, in pose and colors",
        parameters=[LookQuery],
        responses=LooksFound,
    )
    def get(self, request: Request, photo_pk: int) -> Response:
        """By what is stored of the photo: nothing is uploaded, and the answer comes at once."""
        asked = self.read_query(LookQuery)
        photo = get_object_or_404(Photo.objects.for_role(self.user, *SEEING), pk=photo_pk)
        plan = _read_plan()
        look = look_of_photo(photo, plan)
        found: dict[str, Any] = {"photos": [], "more": False}
        if look is not None:
            found = _find(look, plan, asked, self.user, without=photo.pk)
        return Response({"poses": plan.has_pose, "seen": look is not None, **found})


def _find(
    looks: Looks, plan: LookPlan, asked: dict[str, Any], user: User, *, without: int | None = None
) -> dict[str, Any]:
    pose = asked.get("pose")
    return show_looks(
        find_looks(
            looks,
            plan=plan,
            user=user,
            k=asked["k"],
            weights=None if pose is None or not plan.has_pose else Weights(pose / 100, 1 - pose / 100),
            only=LookFilter(event=asked.get("event"), since=asked.get("since"), until=asked.get("until")),
            without=without,
        )
    )


def _read_plan() -> LookPlan:
    try:
        return read_plan()
    except PoseUnavailable as error:
        detail = (
            "The pose model cannot be read. Tell the administrator: `manage.py check` says what is missing."
        )
        raise ApiProblem(503, "pose_unavailable", detail) from error


def _show_look(look: dict[str, Any]) -> dict[str, Any]:
    left, top, right, bottom = look["box"]
    box = {"left": left, "top": top, "width": round(right - left, 1), "height": round(bottom - top, 1)}
    return {"box": box, "has_pose": look["has_pose"]}


def _find_probe(view: ApiView, look_id: UUID) -> LookProbe:
    return get_object_or_404(LookProbe.objects.visible_to(view.user), probe_id=look_id)
