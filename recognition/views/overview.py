"""The first page: what waits for a decision, what is being processed, how far each event is."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.roles import SEEING, User, any_roles_of, reach_of
from access.rules import allow_signed_in
from facevault_site.htmx import SignedInRequest, is_partial, render_page_or_part
from recognition.models import Event, Person, Photo
from recognition.progress import PhotoCounts, count_faces, count_photos, progress_by_event

EVENTS_SHOWN = 8
FAILED_SHOWN = 5


@allow_signed_in
@require_safe
def overview(request: SignedInRequest) -> HttpResponse:
    """Everybody signed in may come here: it shows what their roles may see, and tells those without a role so."""
    if not any_roles_of(request.user):
        return render(request, "recognition/no_role.html")
    photos = count_photos(request.user)
    # The fragment is asked for every few seconds while photos are processed: it counts nothing else.
    context = {"photos": photos} if is_partial(request) else _read_overview(request.user, photos)
    return render_page_or_part(request, "recognition/overview.html", part="processing", context=context)


def _read_overview(user: User, photos: PhotoCounts) -> dict[str, Any]:
    events = Event.objects.visible_to(user)
    shown = list(events[:EVENTS_SHOWN])
    progress_of = progress_by_event(user, [event.pk for event in shown])
    faces = count_faces(user)
    failed = (
        Photo.objects.visible_to(user)
        .filter(state=Photo.State.FAILED)
        .select_related("event")
        .order_by("-pk")
    )
    return {
        "photos": photos,
        "faces": faces,
        "event_count": events.count(),
        "person_count": Person.objects.visible_to(user).count(),
        "rows": [(event, progress_of[event.pk]) for event in shown],
        "failed": failed[:FAILED_SHOWN] if photos.failed else [],
        # A new installation is led by the hand until the first face has a name.
        "start": not photos.total or (bool(reach_of(user, *SEEING)) and not faces.by_human),
    }
