"""The roster of an event, for its managers: who was invited, who of them is known and seen, a new list, and none."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.roles import MANAGER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.events.roster import remove_roster, replace_roster
from recognition.events.roster_form import RosterForm
from recognition.events.roster_listing import Show, list_roster
from recognition.models import Event

ROWS_PER_PAGE = 200
_CHOICES: tuple[tuple[Show, str], ...] = (
    ("", "All"),
    ("seen", "Seen here"),
    ("missing", "Not seen yet"),
    ("unknown", "Nobody known"),
)


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def event_roster(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """POST replaces the list as a whole, or changes nothing."""
    event = _managed(request, event_pk)
    form = RosterForm(request.POST, request.FILES) if request.method == "POST" else RosterForm()
    if form.is_valid():
        taken = form.cleaned_data["roster"]
        replace_roster(event=event, external_ids=taken.external_ids)
        again = f" {taken.repeated:,} came more than once." if taken.repeated else ""
        messages.success(request, f"The roster has {_people(len(taken.external_ids))}.{again}")
        return redirect("event-roster", event.pk)
    listing = list_roster(event, user=request.user)
    show = request.GET.get("show", "")
    chosen: Show = next((value for value, _ in _CHOICES if value == show), "")
    context = {
        "event": event,
        "form": form,
        "roster": listing,
        "show": chosen,
        "choices": [(value, label, len(listing.choose(value))) for value, label in _CHOICES],
        "page": Paginator(listing.choose(chosen), ROWS_PER_PAGE).get_page(request.GET.get("page")),
        "section": "events",
    }
    return render(request, "recognition/event_roster.html", context, status=422 if form.errors else 200)


@allow(MANAGER)
@require_POST
def remove(request: SignedInRequest, event_pk: int) -> HttpResponse:
    event = _managed(request, event_pk)
    if remove_roster(event=event):
        messages.success(request, "The roster is removed. Everybody has the usual line at this event again.")
    return redirect("event-roster", event.pk)


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number:,} people"


def _managed(request: SignedInRequest, event_pk: int) -> Event:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, MANAGER)
    return event
