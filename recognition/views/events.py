"""Events: their list, a new one, and one event with its photos and how far it is."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from access.roles import MANAGER, ROLES, SEEING, UPLOADER, reach_of, require_role, roles_of
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial, render_page_or_part
from recognition.boxes import draw_thumbs
from recognition.events import create_event
from recognition.forms import EventForm
from recognition.models import Event, Photo
from recognition.processing import retry_photos
from recognition.progress import PhotoCounts, count_faces, count_photos, progress_by_event

EVENTS_PER_PAGE = 24
PHOTOS_PER_PAGE = 60
FAILED_SHOWN = 100


@allow(*ROLES)
@require_http_methods(["GET", "HEAD", "POST"])
def events(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _event_list(request, EventForm())
    if roles_of(request.user).isdisjoint({UPLOADER, MANAGER}):
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


@allow(*ROLES)
@require_safe
def event(request: SignedInRequest, event_pk: int) -> HttpResponse:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    photos = Photo.objects.visible_to(request.user).filter(event=event)
    page = Paginator(photos, PHOTOS_PER_PAGE).get_page(request.GET.get("page"))
    counts = count_photos(request.user, event_pk=event.pk)
    names = event.pk in reach_of(request.user, *SEEING)
    context = {
        "event": event,
        "page": page,
        "names": names,
        "photos": draw_thumbs(list(page.object_list), names=names),
        "counts": counts,
        "seen": counts.done,
        "faces": count_faces(request.user, event_pk=event.pk),
        "failed": photos.filter(state=Photo.State.FAILED)[:FAILED_SHOWN] if counts.failed else [],
    }
    return render_page_or_part(request, "recognition/event.html", part="fresh", context=context)


@allow(*ROLES)
@require_safe
def progress(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """The fragment that asks for itself again while photos wait; `seen` is how many done ones the page shows."""
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    counts = count_photos(request.user, event_pk=event.pk)
    response = _render_progress(
        request, event, counts, seen=_read_seen(request.GET.get("seen", ""), counts.done)
    )
    # The last photo is done: the grid of the page draws itself anew, once.
    return response if counts.waiting else trigger_client_event(response, "photos-ready", after="settle")


@allow(UPLOADER, MANAGER)
@require_POST
def retry(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """Every failed photo of the event that the user sees waits again."""
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, UPLOADER, MANAGER)
    retry_photos(Photo.objects.visible_to(request.user).filter(event=event, state=Photo.State.FAILED))
    if not is_partial(request):
        return redirect("event", event.pk)
    counts = count_photos(request.user, event_pk=event.pk)
    response = _render_progress(request, event, counts, seen=counts.done)
    # The grid and the list of failed photos show other states now.
    return trigger_client_event(response, "photos-ready", after="settle")


def _render_progress(
    request: SignedInRequest, event: Event, counts: PhotoCounts, *, seen: int
) -> HttpResponse:
    context = {"event": event, "counts": counts, "seen": seen}
    return render(request, "recognition/event.html#progress", context)


def _read_seen(text: str, done: int) -> int:
    """How many photos the page shows: a small whole number, else as many as are done."""
    return min(int(text), done) if text.isascii() and text.isdigit() and len(text) < 10 else done


def _event_list(request: SignedInRequest, form: EventForm, *, status: int = 200) -> HttpResponse:
    page = Paginator(Event.objects.visible_to(request.user), EVENTS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    progress_of = progress_by_event(request.user, [event.pk for event in page.object_list])
    context = {
        "page": page,
        "rows": [(event, progress_of[event.pk]) for event in page.object_list],
        "form": form,
    }
    return render(request, "recognition/events.html", context, status=status)
