"""Files on their way out, to pages and to the API: none can run in a browser, and each says who may keep it how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils.cache import get_conditional_response

from recognition.exports.entry_names import clean_entry
from recognition.models import Photo
from recognition.storage import original_path

_INERT = {"Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff"}
_KEPT_BY_NOBODY = {"Cache-Control": "no-store, private", **_INERT}
_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "HEIC": "image/heic"}


def send_picture(request: HttpRequest, path: Path, *, etag: str) -> HttpResponseBase:
    """The file, or 304 where the browser has it. Asked again each time: a permission may be gone, a face erased."""
    headers = _asked_again(etag)
    # Not processed yet: the worker writes the files before it says that the photo is done.
    return _without_body_where_known(request, headers) or _send_jpeg(
        path, headers, "This picture is not there yet."
    )


def send_probe_picture(path: Path) -> HttpResponseBase:
    """The file, kept by nobody: it is gone from here within the hour, and must not outlive that in a browser."""
    return _send_jpeg(path, _KEPT_BY_NOBODY, "This picture is not there.")


def send_original(photo: Photo) -> HttpResponseBase:
    try:
        file = original_path(photo.sha256, photo.format).open("rb")
    except FileNotFoundError:
        raise Http404("The file of this photo is gone from the server.") from None
    response = FileResponse(file, content_type=_TYPES[photo.format], headers=_KEPT_BY_NOBODY)
    return _as_download(response, photo.name)


def send_zip(path: Path, *, name: str) -> HttpResponseBase:
    response = FileResponse(path.open("rb"), content_type="application/zip", headers=_KEPT_BY_NOBODY)
    return _as_download(response, name)


def send_stream(
    request: HttpRequest, pieces: Iterator[bytes], *, content_type: str, name: str
) -> HttpResponseBase:
    # A HEAD asks for the headers alone; nobody would read the photos.
    content: Iterable[bytes] = [] if request.method == "HEAD" else pieces
    response = StreamingHttpResponse(content, content_type=content_type, headers=_KEPT_BY_NOBODY)
    # A proxy that gathers the whole answer first would need the room that streaming saves.
    response.headers["X-Accel-Buffering"] = "no"
    return _as_download(response, name)


def _asked_again(etag: str) -> dict[str, str]:
    return {"ETag": f'"{etag}"', "Cache-Control": "private, no-cache", **_INERT}


def _without_body_where_known(request: HttpRequest, headers: dict[str, str]) -> HttpResponseBase | None:
    unchanged = get_conditional_response(request, etag=headers["ETag"])
    if unchanged is not None:
        for name, value in headers.items():
            unchanged.headers[name] = value
    return unchanged


def _send_jpeg(path: Path, headers: dict[str, str], missing: str) -> HttpResponseBase:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise Http404(missing) from None
    return FileResponse(file, content_type="image/jpeg", headers=headers)


def _as_download(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """To be saved under a name that every system takes and old programs read too."""
    name = clean_entry(name)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    return response


def send_svg(request: HttpRequest, svg: str, *, etag: str) -> HttpResponseBase:
    """A drawing of ours, made once: numbers as shapes, without any script or style. Asked again like a picture."""
    headers = _asked_again(etag)
    response = HttpResponse(svg, content_type="image/svg+xml", headers=headers)
    return _without_body_where_known(request, headers) or response
