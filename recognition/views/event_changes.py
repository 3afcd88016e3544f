"""Changing an event: its name, date and place; the archive; and its end, with what that costs."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.roles import MANAGER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.events.deletion import count_consequences, delete_event
from recognition.events.edits import archive_event, change_event
from recognition.forms import ConfirmNameForm, EventForm
from recognition.models import Event


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, event_pk: int) -> HttpResponse:
    event = _managed(request, event_pk)
    name = event.name
    if request.method == "POST":
        form = EventForm(request.POST)
        if form.is_valid():
            try:
                change_event(event=event, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, "The changes are saved.")
                return redirect("event", event.pk)
    else:
        form = EventForm(initial={"name": event.name, "held_on": event.held_on, "place": event.place})
    context = {"event": event, "name": name, "form": form, "section": "events"}
    return render(request, "recognition/event_edit.html", context, status=422 if form.errors else 200)


@allow(MANAGER)
@require_POST
def archive(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """`archived=1` puts the event away, anything else takes it out again."""
    event = _managed(request, event_pk)
    archived = request.POST.get("archived") == "1"
    archive_event(event=event, archived=archived)
    messages.success(
        request, f"{event.name} is in the archive." if archived else f"{event.name} is out of the archive."
    )
    return redirect("event", event.pk)


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, event_pk: int) -> HttpResponse:
    event = _managed(request, event_pk)
    form = ConfirmNameForm(request.POST if request.method == "POST" else None, name=event.name)
    if form.is_valid():
        delete_event(event)
        messages.success(
            request, f"{event.name} is deleted. Its photos are being removed from the disk in the background."
        )
        return redirect("events")
    context = {
        "event": event,
        "form": form,
        "consequences": count_consequences(event),
        "section": "events",
    }
    return render(request, "recognition/event_delete.html", context, status=422 if form.errors else 200)


def _managed(request: SignedInRequest, event_pk: int) -> Event:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, MANAGER)
    return event
