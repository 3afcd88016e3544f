"""What is answered where no view answers: a page, or under /api/ a problem; a fault of ours names the request for the log."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views import defaults

from access.middleware import API
from access.problems import problem
from facevault_site.logs import request_id_of


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.bad_request(request, exception)
    return problem(
        400, "bad_request", "The server does not take this request. Check its headers and its body."
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.permission_denied(request, exception)
    return problem(403, "forbidden", "Your roles do not allow this. Ask a manager.")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    return problem(
        404,
        "not_found",
        "There is nothing at this address. Most addresses of the API end with a slash; all are listed at /api/v1/docs/.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Without a request in its context: whatever the context processors ask may be what broke."""
    request_id = request_id_of(request)
    if _is_api(request):
        return problem(
            500,
            "server_error",
            "Something broke on our side. Try again in a moment; if it stays, give the administrator the request_id.",
            request_id=request_id,
        )
    page = render_to_string("500.html", {"request_id": request_id})
    return HttpResponse(page, status=500)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith(API)
