"""One photo with its faces: looking at it, trying it again, moving it and removing it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.roles import LABELER, MANAGER, ROLES, SEEING, UPLOADER, User, reach_of, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from recognition.events.listing import newest_first
from recognition.forms import MovePhotoForm
from recognition.looks.plan import is_look_search_on
from recognition.models import Event, Face, Photo, Sighting, Track, Video
from recognition.photos.boxes import draw_preview
from recognition.photos.edits import PhotoRefusal, delete_photo, may_delete, move_photo
from recognition.photos.filters import PhotoFilter, filter_photos, read_filter
from recognition.photos.manual_boxes import list_unfinished
from recognition.processing import retry_photos
from recognition.videos.listing import describe_span
from recognition.videos.words import clock


@allow(*ROLES)
@require_safe
def photo(request: SignedInRequest, photo_pk: int) -> HttpResponse:
    return render(request, "recognition/photo.html", _read_photo(request, photo_pk))


@allow(UPLOADER, MANAGER)
@require_POST
def retry(request: SignedInRequest, photo_pk: int) -> HttpResponse:
    """The failed photo waits again; one that did not fail is left as it is."""
    visible = Photo.objects.visible_to(request.user)
    photo = get_object_or_404(visible, pk=photo_pk)
    require_role(request.user, photo.event_id, UPLOADER, MANAGER)
    retry_photos(visible.filter(pk=photo.pk, state=Photo.State.FAILED))
    if is_partial(request):
        return render(request, "recognition/photo.html#photo", _read_photo(request, photo.pk))
    return redirect("photo", photo.pk)


@allow(UPLOADER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, photo_pk: int) -> HttpResponse:
    """Asks first, with what goes away; a manager, or whoever brought it as long as nobody named a face on it."""
    photo = _get_photo(request, photo_pk)
    if not may_delete(photo, request.user):
        raise PermissionDenied
    notice = ""
    if request.method == "POST":
        try:
            delete_photo(photo=photo, user=request.user)
        except PhotoRefusal as refusal:
            notice = str(refusal)
        else:
            messages.success(request, f"{photo.name} is deleted.")
            return redirect("event", photo.event_id)
    sightings = Sighting.objects.filter(face__photo=photo)
    context = {
        "photo": photo,
        "notice": notice,
        "faces": Face.objects.filter(photo=photo).count(),
        "verified": sightings.filter(decided_by=Sighting.DecidedBy.HUMAN).count(),
        "section": "events",
    }
    return render(request, "recognition/photo_delete.html", context, status=409 if notice else 200)


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: SignedInRequest, photo_pk: int) -> HttpResponse:
    photo = _get_photo(request, photo_pk)
    require_role(request.user, photo.event_id, MANAGER)
    targets = newest_first(Event.objects.for_role(request.user, MANAGER).exclude(pk=photo.event_id))
    form = MovePhotoForm(request.POST if request.method == "POST" else None, events=targets)
    if form.is_valid():
        event = form.cleaned_data["event"]
        try:
            move_photo(photo=photo, to=event, user=request.user)
        except PhotoRefusal as refusal:
            form.add_error("event", str(refusal))
        else:
            messages.success(request, f"{photo.name} is in {event.name} now.")
            return redirect("photo", photo.pk)
    context = {"photo": photo, "form": form, "targets": targets.exists(), "section": "events"}
    return render(request, "recognition/photo_move.html", context, status=422 if form.errors else 200)


def _get_photo(request: SignedInRequest, photo_pk: int) -> Photo:
    photos = Photo.objects.visible_to(request.user).select_related("event", "uploaded_by")
    return get_object_or_404(photos, pk=photo_pk)


def _read_photo(request: SignedInRequest, photo_pk: int) -> dict[str, Any]:
    photo = _get_photo(request, photo_pk)
    user = request.user
    names = photo.event_id in reach_of(user, *SEEING)
    labels = photo.event_id in reach_of(user, LABELER, MANAGER)
    chosen = read_filter(request.GET, names=names)
    in_event = Photo.objects.visible_to(user).filter(event=photo.event_id)
    siblings = filter_photos(in_event, chosen).order_by("pk")
    before = siblings.filter(pk__lt=photo.pk)
    return {
        "photo": photo,
        "names": names,
        "drawn": draw_preview(photo, names=names),
        "chosen": chosen,
        "back": _address("event", photo.event_id, chosen),
        "previous": before.reverse().first(),
        "next": siblings.filter(pk__gt=photo.pk).first(),
        # One that was decided meanwhile is in the filter no more; its neighbors still are.
        "number": before.count() + 1 if siblings.filter(pk=photo.pk).exists() else None,
        "total": siblings.count(),
        "labels": labels,
        # Who drew what is the labelers' business alone.
        "unfinished": list_unfinished(photo).select_related("drawn_by") if labels else [],
        "retries": photo.event_id in reach_of(user, UPLOADER, MANAGER),
        "manages": photo.event_id in reach_of(user, MANAGER),
        "deletes": may_delete(photo, user),
        "looks": names and is_look_search_on() and photo.origin != Photo.Origin.STAND_IN,
        **(_read_frame(photo, user) if photo.origin == Photo.Origin.FRAME else {}),
        "section": "events",
    }


def _read_frame(photo: Photo, user: User) -> dict[str, Any]:
    """Which moment of which video it is, and how long its only face is seen there; of several the video's page tells."""
    tracks = list(Track.objects.filter(face__photo=photo)[:2])
    return {
        "video": Video.objects.visible_to(user).filter(photos=photo).first(),
        "moment": clock(photo.frame_ms or 0, tenths=True),
        "span": describe_span(tracks[0]) if len(tracks) == 1 else "",
    }


def _address(name: str, pk: int, chosen: PhotoFilter) -> str:
    return reverse(name, args=[pk]) + (f"?{chosen.query}" if chosen.query else "")
