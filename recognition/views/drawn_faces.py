"""Add a face that the detector missed: draw its box, wait for the worker, and name it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.roles import LABELER, MANAGER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.models import ManualBox, Photo
from recognition.photos.boxes import draw_preview
from recognition.photos.forms import BoxForm
from recognition.photos.manual_boxes import (
    BoxRefused,
    boxes_seen_by,
    draw_box,
    is_stalled,
    remove_box,
    retry_box,
)

# The box that the keyboard begins with: a share of the photo's shorter side, in its middle.
_FIRST_BOX = 0.2


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: SignedInRequest, photo_pk: int) -> HttpResponse:
    """The photo to draw on; POST leads to the card that waits for the face."""
    photos = Photo.objects.visible_to(request.user).select_related("event")
    photo = get_object_or_404(photos, pk=photo_pk)
    require_role(request.user, photo.event_id, LABELER, MANAGER)
    if photo.state != Photo.State.DONE:
        messages.warning(request, "This photo is not processed yet. Draw what is missing when it is.")
        return redirect("photo", photo.pk)
    form, there = BoxForm(initial=_first_box(photo)), None
    if request.method == "POST":
        form = BoxForm(request.POST)
        if form.is_valid():
            try:
                drawn = draw_box(photo=photo, box=form.box, user=request.user)
            except BoxRefused as refused:
                form.add_error(None, refused.message)
                there = refused.face
            else:
                return redirect("drawn-face", photo.pk, drawn.pk)
    context = {
        "photo": photo,
        "form": form,
        "there": there,
        "drawn": draw_preview(photo),
        "section": "events",
    }
    return render(request, "recognition/face_add.html", context, status=422 if form.is_bound else 200)


@allow(LABELER, MANAGER)
@require_safe
def drawn(request: SignedInRequest, photo_pk: int, box_pk: int) -> HttpResponse:
    """One drawn face; the card asks for itself again until it is a face or has failed."""
    box = _get_box(request, photo_pk, box_pk)
    context = {
        "box": box,
        "photo": box.photo,
        "drawn": draw_preview(box.photo),
        "waiting": box.state in {ManualBox.State.QUEUED, ManualBox.State.PROCESSING},
        "stalled": is_stalled(box),
        "section": "events",
    }
    return render_page_or_part(request, "recognition/face_drawn.html", part="card", context=context)


@allow(LABELER, MANAGER)
@require_POST
def retry(request: SignedInRequest, photo_pk: int, box_pk: int) -> HttpResponse:
    """The failed one waits again; one that did not fail is left as it is."""
    box = _get_box(request, photo_pk, box_pk)
    retry_box(box)
    return redirect("drawn-face", box.photo_id, box.pk)


@allow(LABELER, MANAGER)
@require_POST
def remove(request: SignedInRequest, photo_pk: int, box_pk: int) -> HttpResponse:
    """Taken back before it was a face; a face is taken away by the verdict "not a face"."""
    box = _get_box(request, photo_pk, box_pk)
    if remove_box(box):
        messages.success(request, "The drawn face is taken back.")
        return redirect("photo", box.photo_id)
    return redirect("drawn-face", box.photo_id, box.pk)


def _get_box(request: SignedInRequest, photo_pk: int, box_pk: int) -> ManualBox:
    mine = boxes_seen_by(request.user).select_related("photo__event", "face", "drawn_by")
    return get_object_or_404(mine, pk=box_pk, photo__pk=photo_pk)


def _first_box(photo: Photo) -> dict[str, int]:
    side = round(min(photo.width, photo.height) * _FIRST_BOX)
    left, top = round((photo.width - side) / 2), round((photo.height - side) / 2)
    return {"left": left, "top": top, "width": side, "height": side}
