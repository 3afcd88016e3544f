"""Pictures of faces and photos: re-encoded files alone, each time only to those who may see them."""

from pathlib import Path
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.http.response import FileResponse
from django.shortcuts import get_object_or_404
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from access.roles import ROLES
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.models import Face, Photo
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


def send_picture(request: HttpRequest, path: Path, *, etag: str) -> HttpResponseBase:
    """The file, or 304 where the browser has it. Asked again each time: a permission may be gone, a face erased."""
    headers = {
        "ETag": f'"{etag}"',
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    unchanged = get_conditional_response(request, etag=headers["ETag"])
    if unchanged is not None:
        for name, value in headers.items():
            unchanged.headers[name] = value
        return unchanged
    try:
        file = path.open("rb")
    except FileNotFoundError:
        # Not processed yet: the worker writes the files before it says that the photo is done.
        raise Http404("This picture is not there yet.") from None
    return FileResponse(file, content_type="image/jpeg", headers=headers)
