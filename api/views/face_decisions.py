"""Decisions about one face over the API: who it is, who it is not, and verdicts that name nobody."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid4

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.roles import LABELER, MANAGER, require_role
from access.scopes import LABEL
from api.base import ApiView
from api.errors import ApiProblem
from api.idempotency import decision_key
from api.serializers.decisions import (
    DecisionAnswer,
    DecisionDetail,
    LabelInput,
    RejectInput,
    VerdictInput,
    show_decision,
)
from api.views.faces import find_face, show_face
from labeling.decisions import DecisionConflict, record_verdict
from labeling.forms import WHOM, DecideForm
from labeling.models import Decision
from labeling.naming import NOT_OFFERED, NameUnclear, Question, decide_from
from recognition.models import Face, Person
from recognition.text import clean_name

_DETAILS = {
    "name_unknown": "Nobody has this name. Check its spelling; send it with new=true to create the person.",
    "name_shared": "Several people have this name. Send the id of one of them as person, with the name.",
    "name_taken": "Somebody has this name already. Send their id as person, or another=true for a second person.",
    "already_on_photo": "Another face of this photo has this name. One of the two is wrong; or send twice=true.",
    "person_not_offered": "Send a person whom your account sees or who was suggested, or the id and the name of one person.",
    "person_gone": "This person was removed meanwhile. Send the name, or choose somebody else.",
}
_DONE = {200: DecisionAnswer}


class _Decide(ApiView):
    access = {"POST": (LABEL, (LABELER, MANAGER))}

    def find(self, face_id: UUID) -> Face:
        """Before the body is looked at: what is wrong with it is for those alone who may decide."""
        face = find_face(self, face_id)
        require_role(self.user, face.photo.event_id, LABELER, MANAGER)
        return face

    def decide(self, face: Face, *, version: int | None, **asked: Any) -> Response:
        """Through the form of the desk, so that both mean the same by a person, a name, or a new one."""
        self._check_pair(asked)
        key = decision_key(self.request._request) or uuid4()
        form = DecideForm({"key": key, "version": face.version if version is None else version, **asked})
        if not form.is_valid() and form.errors.keys() - WHOM:
            raise unclear_problem(NOT_OFFERED)
        try:
            decision = decide_from(form, face=face, actor=self.user)
        except DecisionConflict as conflict:
            raise self._conflict(conflict, face.face_id) from conflict
        except NameUnclear as unclear:
            raise unclear_problem(unclear.question) from unclear
        return answer_decision(decision, self)

    def _check_pair(self, asked: dict[str, Any]) -> None:
        """An id and somebody else's name mean two people, so nobody is taken: one of the two is a mistake."""
        chosen = asked.get("person") or asked.get("twice") or asked.get("reject")
        name = clean_name(asked.get("name", ""))
        if chosen and name and not Person.objects.named(name).filter(pk=chosen).exists():
            raise unclear_problem(NOT_OFFERED)

    def _conflict(self, conflict: DecisionConflict, face_id: UUID) -> ApiProblem:
        latest = conflict.latest
        return ApiProblem(
            409,
            "conflict",
            "Somebody decided about this face first; nothing of yours was written. Look at `decided` and `face`.",
            decided=DecisionDetail(show_decision(latest, self.user)).data if latest else None,
            face=show_face(find_face(self, face_id), self),
        )


class LabelFace(_Decide):
    @extend_schema(
        operation_id="label_face", summary="Say who the face is", request=LabelInput, responses=_DONE
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """A name never creates anybody by itself: 422 `name_unknown` until you send it with `new`.

        422 `name_shared`, `name_taken` and `already_on_photo` list the `people` in question; 409 `conflict` shows what
        somebody else decided meanwhile.
        """
        face = self.find(face_id)
        data = self.read_body(LabelInput)
        new = DecideForm.ANOTHER if data["another"] else DecideForm.IF_FREE if data["new"] else ""
        return self.decide(
            face,
            version=data.get("version"),
            name=data.get("name", ""),
            new=new,
            **{"twice" if data["twice"] else "person": data.get("person") or ""},
        )


class RejectPerson(_Decide):
    @extend_schema(
        operation_id="reject_person", summary="Say who the face is not", request=RejectInput, responses=_DONE
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """The person is never suggested for this face again; if the face had their name, it is in the queue again."""
        face = self.find(face_id)
        data = self.read_body(RejectInput)
        return self.decide(
            face, version=data.get("version"), reject=data["person"], name=data.get("name", "")
        )


class _Verdict(_Decide):
    verdict: ClassVar[Decision.Kind]

    def close(self, face_id: UUID) -> Response:
        face = self.find(face_id)
        version = self.read_body(VerdictInput).get("version")
        try:
            decision = record_verdict(
                face=face,
                kind=self.verdict,
                actor=self.user,
                version=version,
                key=decision_key(self.request._request),
            )
        except DecisionConflict as conflict:
            raise self._conflict(conflict, face.face_id) from conflict
        return answer_decision(decision, self)


class SkipFace(_Verdict):
    verdict = Decision.Kind.SKIP

    @extend_schema(
        operation_id="skip_face", summary="Leave the face for later", request=VerdictInput, responses=_DONE
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """Your own queue leaves it out; others still get it."""
        return self.close(face_id)


class AskColleague(_Verdict):
    verdict = Decision.Kind.ASK

    @extend_schema(
        operation_id="ask_colleague",
        summary="Ask a colleague about the face",
        request=VerdictInput,
        responses=_DONE,
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """Your own queue leaves it out; it is on the list of what is asked."""
        return self.close(face_id)


class CallStranger(_Verdict):
    verdict = Decision.Kind.STRANGER

    @extend_schema(
        operation_id="call_stranger",
        summary="Say that the face is nobody to name",
        request=VerdictInput,
        responses=_DONE,
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        return self.close(face_id)


class CallNotAFace(_Verdict):
    verdict = Decision.Kind.NOT_A_FACE

    @extend_schema(
        operation_id="call_not_a_face",
        summary="Say that this is not a face",
        request=VerdictInput,
        responses=_DONE,
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        return self.close(face_id)


class CallPoor(_Verdict):
    verdict = Decision.Kind.POOR

    @extend_schema(
        operation_id="call_poor",
        summary="Say that the face is too poor to tell",
        request=VerdictInput,
        responses=_DONE,
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """It keeps its place in the photo and is in nobody's queue."""
        return self.close(face_id)


class ReopenFace(_Verdict):
    verdict = Decision.Kind.REOPEN

    @extend_schema(
        operation_id="reopen_face",
        summary="Put the face back into the queue",
        request=VerdictInput,
        responses=_DONE,
    )
    def post(self, request: Request, face_id: UUID) -> Response:
        """Whatever was decided: a name or a verdict comes off."""
        return self.close(face_id)


def answer_decision(decision: Decision, view: ApiView, **more: Any) -> Response:
    """The decision with its face as it is now; `more` are fields of the answer besides."""
    face = decision.face
    shown = show_face(find_face(view, face.face_id), view) if face is not None else None
    told = DecisionDetail(show_decision(decision, view.user)).data
    return Response({"decision": told, "face": shown, **more})


def unclear_problem(question: Question) -> ApiProblem:
    people = [
        {
            "id": person.pk,
            "name": person.name,
            "external_id": person.external_id,
            "photos": getattr(person, "visit_count", 0),
        }
        for person in question.people
    ]
    return ApiProblem(
        422,
        question.code,
        _DETAILS.get(question.code) or question.error,
        people=people,
        beside=str(question.beside.face.face_id) if question.beside else None,
    )
