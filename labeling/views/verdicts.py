"""Pages of what was set aside: strangers, no faces, poor ones, skipped and asked, each with its way into the queue."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.roles import LABELER, MANAGER, User
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import CLOSING, DecisionConflict, record_verdict, record_verdicts
from labeling.fields import SeenFacesField
from labeling.models import Decision
from labeling.team.verdict_lists import PER_PAGE, VERDICTS, find_postponed, read_list, undo_postponed
from labeling.views._said import say_undo_later
from recognition.models import Event, Face
from recognition.photos.boxes import kind_of, with_decisions


class ListForm(forms.Form):
    """Which list: what cannot be read means the first one, of all events."""

    verdict = forms.ChoiceField(choices=list(VERDICTS.items()), required=False)
    event = forms.ModelChoiceField(Event.objects.none(), required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["event"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Event.objects.for_role(user, LABELER, MANAGER)


class PutBackForm(ListForm):
    key = forms.UUIDField()
    # Of what was skipped or asked the ids are those of decisions.
    face = SeenFacesField(most=PER_PAGE)


class AskAboutForm(forms.Form):
    version = forms.IntegerField(min_value=0)


@allow(LABELER, MANAGER)
@require_safe
def verdicts(request: SignedInRequest) -> HttpResponse:
    form = ListForm(request.GET, user=request.user)
    form.is_valid()
    verdict, event = form.cleaned_data.get("verdict") or "stranger", form.cleaned_data.get("event")
    shown = read_list(user=request.user, verdict=verdict, event=event, page=request.GET.get("page"))
    context = {
        "list": shown,
        "page": shown.page,
        "event": event,
        "events": Event.objects.for_role(request.user, LABELER, MANAGER).current()[:500],
        "verdicts": VERDICTS.items(),
        "key": uuid4(),
        "section": "label",
    }
    return render(request, "labeling/verdicts.html", context)


@allow(LABELER, MANAGER)
@require_POST
def put_back(request: SignedInRequest) -> HttpResponse:
    """The chosen ones go back into the queue: a verdict by a decision of its own, a skip or a question by its undo."""
    form = PutBackForm(request.POST, user=request.user)
    if not form.is_valid():
        said = form.errors.get("face") or ["Choose the list again."]
        messages.warning(request, str(said[0]))
        return _back(request, form)
    verdict, chosen = form.cleaned_data["verdict"] or "stranger", form.cleaned_data["face"]
    if verdict in {kind.value for kind in CLOSING.values()}:
        _reopen(request, chosen, form.cleaned_data["key"])
    else:
        _undo(request, verdict, chosen)
    return _back(request, form)


@allow(LABELER, MANAGER)
@require_POST
def ask_about(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    """A face that was too small to be asked about goes into the queue, and its photo is shown again."""
    face = get_object_or_404(
        with_decisions(Face.objects.for_role(request.user, LABELER, MANAGER)).select_related("photo"),
        face_id=face_id,
    )
    if kind_of(face) != "unasked":
        messages.info(request, "This face is in the queue, or decided, already.")
        return redirect("photo", face.photo_id)
    form = AskAboutForm(request.POST)
    if not form.is_valid():
        messages.warning(request, "Look at the photo again, then ask.")
        return redirect("photo", face.photo_id)
    version = form.cleaned_data["version"]
    try:
        record_verdict(face=face, kind=Decision.Kind.REOPEN, actor=request.user, version=version)
    except DecisionConflict:
        messages.warning(request, "Somebody decided about this face meanwhile. Look again.")
    else:
        say_undo_later(request, "The face is in the queue.")
    return redirect("photo", face.photo_id)


def _reopen(request: SignedInRequest, chosen: dict[UUID, int], key: UUID) -> None:
    found = Face.objects.for_role(request.user, LABELER, MANAGER).filter(face_id__in=chosen)
    faces = list(found.select_related("photo").order_by("pk"))
    if len(faces) < len(chosen):
        raise Http404
    try:
        decision = record_verdicts(
            faces=faces,
            kind=Decision.Kind.REOPEN,
            actor=request.user,
            versions={face.pk: chosen[face.face_id] for face in faces},
            key=key,
        )
    except DecisionConflict:
        messages.warning(
            request, "Somebody decided about one of them meanwhile. Nothing was put back; look again."
        )
        return
    count = decision.face_count
    words = f"{count} face is back in the queue." if count == 1 else f"{count} faces are back in the queue."
    say_undo_later(request, words)


def _undo(request: SignedInRequest, verdict: str, chosen: dict[UUID, int]) -> None:
    decisions = find_postponed(request.user, verdict, list(chosen))
    done = undo_postponed(decisions=decisions, actor=request.user)
    if not done:
        messages.warning(
            request, "They were decided or put back meanwhile, or a colleague asked: answer those."
        )
        return
    messages.success(request, "It is back in the queue." if done == 1 else f"{done} are back in the queue.")


def _back(request: SignedInRequest, form: ListForm) -> HttpResponse:
    """The list as it was when the button was pressed."""
    event, page = form.cleaned_data.get("event"), request.POST.get("page", "")
    values = {
        "verdict": form.cleaned_data.get("verdict") or "",
        "event": event.pk if event else "",
        "page": page if page.isdecimal() and page != "1" else "",
    }
    given = urlencode({name: value for name, value in values.items() if value})
    return redirect(reverse("verdicts") + (f"?{given}" if given else ""))
