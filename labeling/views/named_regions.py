"""The names in an event's photos: reading them, confirming them, and what was dismissed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from access.roles import LABELER, MANAGER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.decisions import DecisionConflict, UndoRefused, decisions_seen_by, undo_decision
from labeling.desk.said import conflict_words, result_words
from labeling.naming import NameUnclear
from labeling.regions.deciding import ConfirmForm, NotThere, confirm_names, dismiss_region, put_back_region
from labeling.regions.listing import SHOWS, EventRegions, regions_seen_by
from labeling.views._said import refusal_words, say_answered
from labeling.views.desk import read_place, show_desk
from recognition.models import Event, RegionReading
from recognition.named_regions.reading import is_reading_stalled, latest_reading, request_reading

_GONE = "These faces have changed meanwhile. Look at them again."


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def event_names(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """One of the four lists; a POST reads the photos, confirms names, dismisses one, or takes one of these back."""
    event = _find_event(request, event_pk)
    show = request.GET.get("show", "")
    show = show if show in SHOWS else ""
    if request.method == "POST":
        _act(request, event)
        query = request.GET.urlencode()
        return redirect(reverse("event-names", args=[event.pk]) + (f"?{query}" if query else ""))
    regions, number = EventRegions(event), request.GET.get("page")
    context: dict[str, Any] = {
        "event": event,
        "show": show,
        "section": "events",
        "counts": regions.counts(),
        **_reading_of(event),
    }
    if show == "faceless":
        context["page"], context["photos"] = regions.read_faceless(number)
    elif show == "differing":
        context["page"], context["differences"] = regions.read_differing(number)
    elif show == "dismissed":
        context["page"], context["dismissed"] = regions.read_dismissed(number)
    else:
        context["page"], context["groups"] = regions.read_open(number, user=request.user)
    return render(request, "labeling/event_names.html", context)


@allow(LABELER, MANAGER)
@require_safe
def progress(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """How far the reading is; its card asks for itself again, and the page is drawn anew once it is done."""
    event = _find_event(request, event_pk)
    if not is_partial(request):
        return redirect("event-names", event.pk)
    context = _reading_of(event)
    reading: RegionReading | None = context["reading"]
    if reading is not None and reading.state == RegionReading.State.DONE:
        return HttpResponseClientRefresh()
    return render(request, "labeling/event_names.html#reading", {"event": event, **context})


@allow(LABELER, MANAGER)
@require_POST
def dismiss(request: SignedInRequest, region_pk: int) -> HttpResponse:
    """From the card of a face, which stays: its photo names somebody else than it shows."""
    region = get_object_or_404(
        regions_seen_by(request.user).select_related("face", "photo"), pk=region_pk, face__isnull=False
    )
    dismissed = dismiss_region(region_pk=region.pk, user=request.user)
    said = f"Dismissed: {region.name}. Put it back under Names in the photos." if dismissed else ""
    if is_partial(request):
        return show_desk(request, read_place(request), region.face, said=said)
    assert region.face is not None
    query = read_place(request).query
    return redirect(reverse("label-face", args=[region.face.face_id]) + query)


def _act(request: SignedInRequest, event: Event) -> None:
    data = request.POST
    if "read" in data:
        request_reading(event=event, user=request.user)
    elif "undo" in data:
        _undo(request, data["undo"])
    elif "dismiss" in data or "back" in data:
        _dismiss(request, event)
    else:
        _confirm(request, event)


def _confirm(request: SignedInRequest, event: Event) -> None:
    data = request.POST.copy()
    if "only" in data:
        # A button within the list sends one face; whom it offers is in the form.
        data.setlist("face", [str(data["only"])])
        for name in ("person", "new"):
            data[name] = data.get(f"offer_{name}", "")
    form = ConfirmForm(data, user=request.user)
    if not form.is_valid():
        none = "face" in form.errors
        messages.warning(request, "Choose at least one face first." if none else _GONE)
        return
    try:
        decision = confirm_names(form.cleaned_data, event=event, actor=request.user)
    except NotThere:
        raise Http404("These faces are not there.") from None
    except DecisionConflict as conflict:
        messages.warning(request, conflict_words(conflict, many=True))
    except NameUnclear as unclear:
        messages.warning(request, _unclear_words(unclear, form.cleaned_data["name"]))
    else:
        words = result_words(decision, asked=len(form.cleaned_data["face"]))
        say_answered(request, words, undo=str(decision.key))


def _unclear_words(unclear: NameUnclear, name: str) -> str:
    question = unclear.question
    if question.error:
        return question.error
    if question.code == "already_on_photo":
        return f"{question.name} is named in this photo already. Open the face to say which of the two it is."
    return f"Somebody is called {name} already. Open one of the faces to say whether it is the same person."


def _dismiss(request: SignedInRequest, event: Event) -> None:
    back = "back" in request.POST
    text = request.POST["back" if back else "dismiss"]
    region = regions_seen_by(request.user).filter(photo__event=event, pk=_number(text)).first()
    if region is None:
        raise Http404("There is no such name.")
    if back:
        put_back_region(region_pk=region.pk, user=request.user)
        messages.success(request, f"{region.name} is suggested for that face again.")
    elif dismiss_region(region_pk=region.pk, user=request.user):
        say_answered(request, f"Not {region.name}.", undo=f"region-{region.pk}")


def _undo(request: SignedInRequest, text: str) -> None:
    """Of the message on this page: the decision by its key, or what was dismissed."""
    if text.startswith("region-"):
        put_back_region(region_pk=_number(text.removeprefix("region-")), user=request.user)
        messages.success(request, "Undone. The name is suggested again.")
        return
    try:
        key = UUID(text)
    except ValueError:
        raise Http404("There is no such decision.") from None
    decision = get_object_or_404(decisions_seen_by(request.user), key=key)
    try:
        undo_decision(decision=decision, actor=request.user)
    except UndoRefused as refused:
        messages.warning(request, refusal_words(refused))
    else:
        messages.success(request, "Undone. Everything is as it was before.")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404("There is no such number.")
    return int(text)


def _reading_of(event: Event) -> dict[str, Any]:
    reading = latest_reading(event.pk)
    return {"reading": reading, "stalled": reading is not None and is_reading_stalled(reading)}


def _find_event(request: SignedInRequest, event_pk: int) -> Event:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, LABELER, MANAGER)
    return event
