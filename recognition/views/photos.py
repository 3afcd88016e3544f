"""One photo with its faces."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.roles import MANAGER, ROLES, SEEING, UPLOADER, reach_of, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from recognition.boxes import draw_preview
from recognition.models import Photo
from recognition.processing import retry_photos


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


def _read_photo(request: SignedInRequest, photo_pk: int) -> dict[str, Any]:
    visible = Photo.objects.visible_to(request.user)
    photo = get_object_or_404(visible.select_related("event", "uploaded_by"), pk=photo_pk)
    siblings = visible.filter(event=photo.event)
    names = photo.event_id in reach_of(request.user, *SEEING)
    return {
        "photo": photo,
        "names": names,
        "drawn": draw_preview(photo, names=names),
        "previous": siblings.filter(pk__lt=photo.pk).order_by("-pk").first(),
        "next": siblings.filter(pk__gt=photo.pk).order_by("pk").first(),
    }
