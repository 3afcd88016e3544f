"""The first page: what waits, what is being processed, what was done lately, how far each event is, and the engine."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.roles import (
    LABELER,
    MANAGER,
    SEEING,
    UPLOADER,
    any_roles_of,
    reach_of,
    roles_of,
    sees_everything,
)
from access.rules import allow_signed_in
from facevault_site.htmx import SignedInRequest, is_partial, render_page_or_part
from labeling.activity import read_activity
from labeling.activity_chart import draw_activity
from labeling.checks import checks_to_ask
from labeling.team.assignments import assigned_events
from labeling.team.opinions import differing_opinions
from labeling.team.sampling import names_to_review
from recognition.embedders import EmbedderUnknown
from recognition.events.listing import newest_first
from recognition.events.progress import PhotoCounts, count_faces, count_photos, progress_by_event
from recognition.gallery_index import IndexStatus, get_gallery_index
from recognition.models import ActiveEmbedder, Event, Person
from recognition.photos.failed import failed_photos

EVENTS_SHOWN = 8
ASSIGNED_SHOWN = 5
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
    return render_page_or_part(request, "labeling/overview.html", part="processing", context=context)


def _read_overview(user: User, photos: PhotoCounts) -> dict[str, Any]:
    current = Event.objects.visible_to(user).current()
    shown = list(newest_first(current)[:EVENTS_SHOWN])
    labels = bool(reach_of(user, LABELER, MANAGER))
    assigned = list(newest_first(assigned_events(user).current())[:ASSIGNED_SHOWN]) if labels else []
    progress_of = progress_by_event(user, [event.pk for event in {*shown, *assigned}])
    faces = count_faces(user)
    sees = bool(reach_of(user, *SEEING))
    activity = read_activity(user) if sees else None
    failed = failed_photos(user).select_related("event").order_by("-pk") if photos.failed else None
    return {
        "photos": photos,
        "faces": faces,
        "sees": sees,
        "event_count": current.count(),
        "person_count": Person.objects.visible_to(user).count() if sees else 0,
        "rows": [(event, progress_of[event.pk]) for event in shown],
        "assigned": [(event, progress_of[event.pk]) for event in assigned],
        "reviews": names_to_review(user).count() if labels else 0,
        "differing": differing_opinions(user).count() if labels else 0,
        "checks": checks_to_ask(user).count() if labels else 0,
        "failed": failed[:FAILED_SHOWN] if failed is not None else [],
        # A new installation is led by the hand until the first face has a name.
        "start": not photos.total or (sees and not faces.by_human),
        "activity": activity,
        "chart": draw_activity(activity) if activity is not None and activity.total else None,
        "embedder": ActiveEmbedder.objects.first() if sees else None,
        "index": _index_status() if sees else None,
        # It counts the references of every event.
        "everywhere": sees_everything(user),
        "may_create": not roles_of(user).isdisjoint({UPLOADER, MANAGER}),
        "labels_in": reach_of(user, LABELER, MANAGER),
        "uploads_to": reach_of(user, UPLOADER, MANAGER),
    }


def _index_status() -> IndexStatus | None:
    """Of this process's index; none before an embedder is chosen, or for one that this version does not know."""
    try:
        return get_gallery_index().status() if ActiveEmbedder.objects.exists() else None
    except EmbedderUnknown:
        return None
