"""Pictures of faces and photos: re-encoded files alone, each time only to those who may see them."""

from uuid import UUID

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from access.roles import ROLES
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.models import Face, Photo
from recognition.sending import send_picture
from recognition.storage import crop_path, preview_path, thumb_path


@allow(*ROLES)
@require_safe
def photo_preview(request: SignedInRequest, photo_pk: int) -> HttpResponseBase:
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_pk)
    return send_picture(request, preview_path(photo), etag=f"{photo.sha256}-preview")


@allow(*ROLES)
@require_safe
def photo_thumb(request: SignedInRequest, photo_pk: int) -> HttpResponseBase:
    photo = get_object_or_404(Photo.objects.visible_to(request.user), pk=photo_pk)
    return send_picture(request, thumb_path(photo), etag=f"{photo.sha256}-thumb")


@allow(*ROLES)
@require_safe
def crop(request: SignedInRequest, face_id: UUID) -> HttpResponseBase:
    face = get_object_or_404(Face.objects.visible_to(request.user), face_id=face_id)
    return send_picture(request, crop_path(face), etag=face.crop)
