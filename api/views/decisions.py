"""Decisions over the API: about many faces at once, their list, one in full, undo and redo."""

from __future__ import annotations

from typing import Any
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
from api.serializers.decisions import (
    DecideInput,
    DecisionAnswer,
    DecisionDetail,
    DecisionQuery,
    ManyAnswer,
    UndoAnswer,
    UndoInput,
    WholeDecision,
    show_decision,
    show_decisions,
    show_whole,
)
from api.views.face_decisions import answer_decision, unclear_problem
from labeling.decisions import (
    DecisionConflict,
    UndoRefused,
    decisions_seen_by,
    faces_of,
    find_repeated_about,
    record_verdicts,
    redo_decision,
    undo_decision,
)
from labeling.forms import ChoiceForm
from labeling.history import find_decisions
from labeling.history.one import count_taken_back, read_caused
from labeling.models import DecidedFace, Decision
from labeling.naming import NOT_OFFERED, NameUnclear, decide_target
from labeling.targets import Target
from recognition.models import Event, Face


class Decisions(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER)), "POST": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="list_decisions",
        summary="List decisions, newest first",
        parameters=[DecisionQuery],
        responses=DecisionDetail(many=True),
    )
    def get(self, request: Request) -> Response:
        query = self.read_query(DecisionQuery)
        chosen: dict[str, Any] = {name: query[name] for name in ("person", "kind") if name in query}
        if "event" in query:
            labeled = Event.objects.for_role(self.user, LABELER, MANAGER)
            chosen["event"] = get_object_or_404(labeled, pk=query["event"])
        rows = find_decisions(user=self.user, chosen=chosen).select_related("actor", "person", "undone_by")
        if query.get("mine"):
            rows = rows.filter(actor=self.user)
        if "actor" in query:
            rows = rows.filter(actor__username=query["actor"])
        if "undone" in query:
            rows = rows.filter(undone_at__isnull=not query["undone"])
        return self.answer_page(
            rows, lambda page: DecisionDetail(show_decisions(page, self.user), many=True).data
        )

    @extend_schema(
        operation_id="decide",
        summary="Decide about many faces at once",
        request=DecideInput,
        responses=ManyAnswer,
    )
    def post(self, request: Request) -> Response:
        """One decision, undone at once: about all of the faces, or, on 409 `conflict`, none.

        A name works as for one face. Faces whose photo shows the person already stay open: nobody is on a photo twice.
        """
        data = self.read_body(DecideInput)
        faces = self._find(data["faces"])
        versions = data.get("versions") or [face.version for face in faces]
        target = Target(
            faces=faces, versions={face.pk: version for face, version in zip(faces, versions, strict=True)}
        )
        key = decision_key(self.request._request) or uuid4()
        try:
            decision = self._decide(data, target, key)
        except DecisionConflict as conflict:
            latest = conflict.latest
            raise ApiProblem(
                409,
                "conflict",
                "Somebody decided about one of these faces first, or none is left; nothing of yours was written.",
                decided=DecisionDetail(show_decision(latest, self.user)).data if latest else None,
            ) from conflict
        except NameUnclear as unclear:
            raise unclear_problem(unclear.question) from unclear
        done = set(
            DecidedFace.objects.filter(decision=decision, caused=False).values_list("face_id", flat=True)
        )
        left = [face.face_id for face in faces if face.pk not in done]
        told = {"decision": show_decision(decision, self.user), "left_open": left}
        return Response(ManyAnswer(told).data)

    def _find(self, face_ids: list[UUID]) -> list[Face]:
        """In their order; one that is not the account's to see is none, one that it may not label is refused."""
        found = {
            face.face_id: face
            for face in Face.objects.visible_to(self.user)
            .filter(face_id__in=face_ids)
            .select_related("photo")
        }
        if len(found) < len(face_ids):
            raise Http404
        for event_pk in {face.photo.event_id for face in found.values()}:
            require_role(self.user, event_pk, LABELER, MANAGER)
        return [found[face_id] for face_id in face_ids]

    def _decide(self, data: dict[str, Any], target: Target, key: UUID) -> Decision:
        """Through the form of the desk, so that both mean the same by a person, a name, or a new one."""
        repeated = find_repeated_about(key, [face.pk for face in target.faces], self.user)
        if repeated is not None:
            return repeated
        if data.get("verdict"):
            return record_verdicts(
                faces=target.faces,
                kind=data["verdict"],
                actor=self.user,
                versions=target.versions,
                key=key,
            )
        new = ChoiceForm.ANOTHER if data["another"] else ChoiceForm.IF_FREE if data["new"] else ""
        form = ChoiceForm(
            {
                "key": key,
                "person": data.get("person") or "",
                "name": data.get("name", ""),
                "new": new,
                "none": ",".join(map(str, data.get("reject", []))),
            }
        )
        if not form.is_valid():
            raise unclear_problem(NOT_OFFERED)
        return decide_target(form.cleaned_data, target=target, actor=self.user)


class OneDecision(ApiView):
    access = {"GET": (LABEL, (LABELER, MANAGER))}

    @extend_schema(operation_id="get_decision", summary="One decision", responses=WholeDecision)
    def get(self, request: Request, key: UUID) -> Response:
        decision = _find_decision(self, key)
        faces = list(faces_of(decision, user=self.user).order_by("pk").values_list("face_id", flat=True))
        caused = [sighting.face.face_id for sighting in read_caused(decision, user=self.user)]
        return Response(WholeDecision(show_whole(decision, self.user, faces=faces, caused=caused)).data)


class UndoDecision(ApiView):
    access = {"POST": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="undo_decision",
        summary="Take a decision back",
        request=UndoInput,
        responses={200: UndoAnswer},
    )
    def post(self, request: Request, key: UUID) -> Response:
        """The faces become exactly what they were before. Your own decisions; as a manager of the events anybody's.

        What FaceVault named because of it goes back into the queue too, unless you send `keep_caused`.
        """
        decision = _find_decision(self, key)
        keep = self.read_body(UndoInput)["keep_caused"]
        try:
            undone = undo_decision(decision=decision, actor=self.user, with_caused=not keep)
        except UndoRefused as refused:
            raise _refused(refused, self) from refused
        return answer_decision(undone, self, taken_back=count_taken_back(undone, user=self.user))


class RedoDecision(ApiView):
    access = {"POST": (LABEL, (LABELER, MANAGER))}

    @extend_schema(
        operation_id="redo_decision",
        summary="Do an undone decision again",
        request=None,
        responses={200: DecisionAnswer},
    )
    def post(self, request: Request, key: UUID) -> Response:
        """As long as nobody decided about one of its faces since the undo."""
        try:
            redone = redo_decision(decision=_find_decision(self, key), actor=self.user)
        except UndoRefused as refused:
            raise _refused(refused, self) from refused
        return answer_decision(redone, self)


def _find_decision(view: ApiView, key: UUID) -> Decision:
    rows = decisions_seen_by(view.user).select_related("face__photo", "person", "actor", "undone_by")
    return get_object_or_404(rows, key=key)


def _refused(refused: UndoRefused, view: ApiView) -> ApiProblem:
    later = DecisionDetail(show_decision(refused.later, view.user)).data if refused.later else None
    return ApiProblem(409, "undo_refused", str(refused), later=later)
