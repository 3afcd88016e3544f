"""The videos of an event: how far they are, and of one who appears in it when."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import trigger_client_event

from access.roles import LABELER, MANAGER, ROLES, SEEING, UPLOADER, reach_of, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from recognition.models import Event, Video
from recognition.videos.listing import LINE_WIDTH, draw_track, list_videos, make_card, page_tracks
from recognition.videos.removal import VideoRefusal, count_consequences, delete_video
from recognition.videos.work import retry_videos


@allow(*ROLES)
@require_safe
def videos(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """The fragment of the event's page that asks for itself again while a video waits."""
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    if not is_partial(request):
        return redirect("event", event.pk)
    cards = list_videos(request.user, event)
    waiting = any(card.is_waiting for card in cards)
    context = {
        "event": event,
        "videos": cards,
        "videos_waiting": waiting,
        "uploads": event.pk in reach_of(request.user, UPLOADER, MANAGER),
    }
    response = render(request, "recognition/_videos.html", context)
    # The last one is done: the photos of its frames appear.
    return response if waiting else trigger_client_event(response, "photos-ready", after="settle")


@allow(*ROLES)
@require_safe
def video(request: SignedInRequest, event_pk: int, video_id: UUID) -> HttpResponse:
    video = _get_video(request, event_pk, video_id)
    user = request.user
    names = video.event_id in reach_of(user, *SEEING)
    page = page_tracks(video, request.GET.get("page"))
    context = {
        "video": video,
        "card": make_card(video, found=page.paginator.count),
        "page": page,
        "tracks": [draw_track(track, duration_ms=video.duration_ms, names=names) for track in page],
        "line_width": LINE_WIDTH,
        "names": names,
        "labels": video.event_id in reach_of(user, LABELER, MANAGER),
        "uploads": video.event_id in reach_of(user, UPLOADER, MANAGER),
        "manages": video.event_id in reach_of(user, MANAGER),
        "section": "events",
    }
    part = "#video" if is_partial(request) else ""
    return render(request, f"recognition/video.html{part}", context)


@allow(UPLOADER, MANAGER)
@require_POST
def retry(request: SignedInRequest, event_pk: int, video_id: UUID) -> HttpResponse:
    """The failed video goes on where it stopped; one that did not fail is left as it is."""
    video = _get_video(request, event_pk, video_id)
    require_role(request.user, video.event_id, UPLOADER, MANAGER)
    retry_videos(Video.objects.filter(pk=video.pk))
    return redirect("video", video.event_id, video.video_id)


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, event_pk: int, video_id: UUID) -> HttpResponse:
    """Asks first, with what goes away."""
    video = _get_video(request, event_pk, video_id)
    require_role(request.user, video.event_id, MANAGER)
    notice = ""
    if request.method == "POST":
        try:
            delete_video(video)
        except VideoRefusal as refusal:
            notice = str(refusal)
        else:
            messages.success(request, f"{video.name} is deleted.")
            return redirect("event", video.event_id)
    context = {
        "video": video,
        "notice": notice,
        "goes": count_consequences(video),
        "section": "events",
    }
    return render(request, "recognition/video_delete.html", context, status=409 if notice else 200)


def _get_video(request: SignedInRequest, event_pk: int, video_id: UUID) -> Video:
    videos = Video.objects.visible_to(request.user).select_related("event", "uploaded_by")
    return get_object_or_404(videos, event__pk=event_pk, video_id=video_id)
