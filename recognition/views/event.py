"""One event: its photos as a grid with filters, and how far it is."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from access.roles import LABELER, MANAGER, ROLES, SEEING, UPLOADER, reach_of, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial, render_page_or_part
from recognition.events.progress import PhotoCounts, count_faces, count_photos
from recognition.models import Event, Photo
from recognition.named_regions.reading import latest_reading
from recognition.photos.boxes import draw_thumbs
from recognition.photos.filters import (
    PEOPLE_OFFERED,
    filter_photos,
    name_on,
    offer_filters,
    people_on,
    read_filter,
)
from recognition.processing import retry_photos
from recognition.videos.listing import list_videos

PHOTOS_PER_PAGE = 60
FAILED_SHOWN = 20


@allow(*ROLES)
@require_safe
def event(request: SignedInRequest, event_pk: int) -> HttpResponse:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    return render_page_or_part(
        request, "recognition/event.html", part="fresh", context=_read_event(request, event)
    )


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


def _read_event(request: SignedInRequest, event: Event) -> dict[str, Any]:
    user = request.user
    photos = Photo.objects.visible_to(user).filter(event=event)
    names = event.pk in reach_of(user, *SEEING)
    chosen = read_filter(request.GET, names=names)
    counts = count_photos(user, event_pk=event.pk)
    labels = event.pk in reach_of(user, LABELER, MANAGER)
    # Of a large event the list of people costs more than the rest of the page: it is drawn when it is asked for.
    people = people_on(event) if names and request.GET.get("by") == "person" else None
    page = Paginator(filter_photos(photos, chosen), PHOTOS_PER_PAGE).get_page(request.GET.get("page"))
    return {
        "event": event,
        "page": page,
        "names": names,
        "photos": draw_thumbs(list(page.object_list), names=names),
        "chosen": chosen,
        "choices": offer_filters(photos, counts, chosen, names=names),
        "people": people,
        "people_cut": people is not None and len(people) == PEOPLE_OFFERED,
        "person": name_on(event, chosen.person) if chosen.person else "",
        "counts": counts,
        "seen": counts.done,
        "videos": (videos := list_videos(user, event)),
        "videos_waiting": any(card.is_waiting for card in videos),
        "faces": count_faces(user, event_pk=event.pk),
        "failed": photos.filter(state=Photo.State.FAILED)[:FAILED_SHOWN] if counts.failed else [],
        "labels": labels,
        "reading": latest_reading(event.pk) if labels else None,
        # No other program wrote into a frame or a stand-in.
        "may_tell": labels and photos.filter(origin=Photo.Origin.UPLOADED).exists(),
        "uploads": event.pk in reach_of(user, UPLOADER, MANAGER),
        "manages": event.pk in reach_of(user, MANAGER),
    }


def _render_progress(
    request: SignedInRequest, event: Event, counts: PhotoCounts, *, seen: int
) -> HttpResponse:
    context = {"event": event, "counts": counts, "seen": seen}
    return render(request, "recognition/event.html#progress", context)


def _read_seen(text: str, done: int) -> int:
    """How many photos the page shows: a small whole number, else as many as are done."""
    return min(int(text), done) if text.isascii() and text.isdigit() and len(text) < 10 else done
