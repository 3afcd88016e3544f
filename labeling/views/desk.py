"""The desk: one face at a time, a decision, the next face. Pages without JavaScript, fragments with htmx."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import replace_url

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.decisions import DecisionConflict
from labeling.desk import Place, read_desk
from labeling.forms import DecideForm, PlaceForm
from labeling.models import Decision
from labeling.naming import NOT_OFFERED, NameUnclear, Question, decide_from
from labeling.queue import next_face
from labeling.words import long_words, short_words
from recognition.models import Face


@allow(LABELER, MANAGER)
@require_safe
def label(request: SignedInRequest) -> HttpResponse:
    """Whatever comes next. The page goes on to the face's own address, so that a reload keeps one's place."""
    place = read_place(request)
    face = next_face(user=request.user, event=place.event, skipped=place.skipped)
    if face is not None and not is_partial(request):
        return redirect(place.url(face))
    return show_desk(request, place, face)


@allow(LABELER, MANAGER)
@require_safe
def card(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    face = get_object_or_404(Face.objects.for_role(request.user, LABELER, MANAGER), face_id=face_id)
    return show_desk(request, read_place(request), face)


@allow(LABELER, MANAGER)
@require_POST
def decide(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    face = get_object_or_404(Face.objects.for_role(request.user, LABELER, MANAGER), face_id=face_id)
    place = read_place(request)
    form = DecideForm(request.POST)
    if not form.is_valid():
        return show_desk(request, place, face, question=NOT_OFFERED, status=422)
    try:
        decision = decide_from(form, face=face, actor=request.user)
    except DecisionConflict as conflict:
        notice = long_words(conflict.latest) if conflict.latest else "Somebody changed this face meanwhile"
        return show_desk(request, place, face, notice=f"{notice}. Nothing of yours was saved.", status=409)
    except NameUnclear as unclear:
        return show_desk(request, place, face, question=unclear.question, status=422)
    following = _following(request, place, face, decision)
    if not is_partial(request):
        return HttpResponseRedirect(place.url(following))
    return show_desk(request, place, following, said=_said(decision))


def _following(request: SignedInRequest, place: Place, face: Face, decision: Decision) -> Face | None:
    """The next card. Whoever said only who a face is not decides about it now, with one suggestion less."""
    if decision.kind == Decision.Kind.REJECT:
        return face
    return next_face(
        user=request.user, event=place.event, skipped=place.skipped, after=None if place.skipped else face
    )


def show_desk(
    request: SignedInRequest,
    place: Place,
    face: Face | None,
    *,
    status: int = 200,
    notice: str = "",
    said: str = "",
    question: Question | None = None,
) -> HttpResponse:
    """The page, or its fragments. `said` goes to the status line that screen readers announce."""
    context = {
        "desk": read_desk(user=request.user, place=place, face=face),
        "notice": notice,
        "said": said,
        "question": question,
    }
    template = "labeling/_answer.html" if is_partial(request) else "labeling/desk.html"
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return replace_url(response, place.url(face)) if is_partial(request) else response


def read_place(request: SignedInRequest) -> Place:
    """What cannot be read, such as an event that is gone, means the queue of all events."""
    form = PlaceForm(request.POST if request.method == "POST" else request.GET, user=request.user)
    form.is_valid()
    return Place(event=form.cleaned_data.get("event"), skipped=bool(form.cleaned_data.get("skipped")))


def _said(decision: Decision) -> str:
    words = short_words(decision)
    return f"Named {words}." if decision.kind == Decision.Kind.LABEL else f"{words}."
