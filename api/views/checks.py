"""The precision of the machine's names over the API, and what one wrong name caused."""

from __future__ import annotations

from dataclasses import fields
from uuid import UUID, uuid4

from django.http import Http404
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER, require_role
from access.scopes import LABEL
from api.base import ApiView
from api.errors import ApiProblem
from api.idempotency import decision_key
from api.serializers import checks as shapes
from api.serializers.decisions import UndoAnswer
from api.views.face_decisions import answer_decision
from labeling.checks import Report, checks_to_ask, read_report
from labeling.decisions import DecisionConflict, NothingToDecide, PersonGone, take_back
from labeling.history.one import read_taken_back
from labeling.history.resting import find_names
from recognition.models import Face


class NameChecks(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="get_name_checks",
        summary="How often FaceVault's names are right",
        responses=shapes.ChecksReport,
    )
    def get(self, request: Request) -> Response:
        """By a random sample of the names that it gave by itself, which people are asked about."""
        report = read_report(user=self.user)
        told = {field.name: getattr(report, field.name) for field in fields(Report)}
        return Response(shapes.ChecksReport({**told, "left": checks_to_ask(self.user).count()}).data)


class FaceCaused(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER)), "POST": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="get_caused",
        summary="What rests on the face being somebody",
        parameters=[shapes.CausedQuery],
        responses=shapes.Caused,
    )
    def get(self, request: Request, face_id: UUID) -> Response:
        """Everything that FaceVault named by it, and what people named after that, as far as it goes."""
        face, asked = self._find(face_id), self.read_query(shapes.CausedQuery).get("person")
        people = find_names(face, user=self.user)
        person = next((one for one in people if one.pk == asked), None) if asked else next(iter(people), None)
        if asked and person is None:
            raise Http404
        return Response(shapes.Caused(shapes.show_caused(face, person, user=self.user)).data)

    @extend_schema(
        operation_id="take_back",
        summary="Take a wrong name back with all it caused",
        request=shapes.TakeBackInput,
        responses={200: UndoAnswer},
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """One decision: the face is not the person, and what FaceVault named by it, and by the other `faces`, goes back
        into the queue."""
        face, data = self._find(face_id), self.read_body(shapes.TakeBackInput)
        person = next((one for one in find_names(face, user=self.user) if one.pk == data["person"]), None)
        wanted = set(data["faces"]) - {face.face_id}
        labeled = Face.objects.for_role(self.user, LABELER, MANAGER).select_related("photo")
        also = list(labeled.filter(face_id__in=wanted).order_by("pk"))
        if person is None or len(also) < len(wanted):
            raise Http404
        versions = {one.pk: one.version for one in (face, *also)}
        try:
            decision = take_back(
                face=face,
                person=person,
                actor=self.user,
                also=also,
                versions={**versions, face.pk: data.get("version", face.version)},
                key=decision_key(request._request) or uuid4(),
            )
        except NothingToDecide as nothing:
            raise ApiProblem(
                409, "nothing_to_decide", "Nothing rests on the face under this name."
            ) from nothing
        except (DecisionConflict, PersonGone) as conflict:
            raise ApiProblem(
                409,
                "conflict",
                "Somebody decided about one of these faces first; nothing of yours was written.",
            ) from conflict
        return answer_decision(decision, self, taken_back=len(read_taken_back(decision, user=self.user)))

    def _find(self, face_id: UUID) -> Face:
        visible = Face.objects.visible_to(self.user).select_related("photo")
        face = get_object_or_404(visible, face_id=face_id)
        require_role(self.user, face.photo.event_id, LABELER, MANAGER)
        return face
