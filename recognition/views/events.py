"""Events: their list, and a new one."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from access.roles import LABELER, MANAGER, ROLES, UPLOADER, reach_of, roles_of
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.events.edits import create_event
from recognition.events.listing import find_events, newest_first
from recognition.events.progress import progress_by_event
from recognition.forms import EventForm, EventSearchForm
from recognition.models import Event

EVENTS_PER_PAGE = 24


@allow(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def events(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _event_list(request, EventForm())
    if not _may_create(request):
        raise PermissionDenied
    form = EventForm(request.POST)
    if form.is_valid():
        try:
            event = create_event(**form.cleaned_data, user=request.user)
        except ValidationError as error:
            form.add_error(None, error)
        else:
            return redirect("event", event.pk)
    return _event_list(request, form, status=422)


def _event_list(request: SignedInRequest, form: EventForm, *, status: int = 200) -> HttpResponse:
    search = EventSearchForm(request.GET)
    search.is_valid()
    query = search.cleaned_data.get("q", "")
    visible = Event.objects.visible_to(request.user)
    found = find_events(visible, query)
    current, archived = found.current(), found.filter(archived_at__isnull=False)
    in_archive = request.GET.get("archived") == "1"
    page = Paginator(newest_first(archived if in_archive else current), EVENTS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    shown = list(page.object_list)
    progress_of = progress_by_event(request.user, [event.pk for event in shown])
    context = {
        "page": page,
        "rows": [(event, progress_of[event.pk]) for event in shown],
        "form": form,
        "may_create": _may_create(request),
        "labels_in": reach_of(request.user, LABELER, MANAGER),
        "uploads_to": reach_of(request.user, UPLOADER, MANAGER),
        "query": query,
        "in_archive": in_archive,
        "archived_count": page.paginator.count if in_archive else archived.count(),
        "current_count": current.count() if in_archive else page.paginator.count,
        "any": bool(shown) or bool(query) or visible.exists(),
    }
    return render_page_or_part(
        request, "recognition/events.html", part="list", context=context, status=status
    )


def _may_create(request: SignedInRequest) -> bool:
    """A new event belongs to no grant yet: it takes a role for all events."""
    return not roles_of(request.user).isdisjoint({UPLOADER, MANAGER})
