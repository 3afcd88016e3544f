"""One view, page or fragment: what kind of request it is, and the answer that fits."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    htmx: HtmxDetails


class SignedInRequest(HtmxHttpRequest):
    """A request of a view whose rule lets nobody in who is not signed in."""

    user: User


def is_partial(request: HtmxHttpRequest) -> bool:
    """Whether the answer is a fragment: htmx asked, and not for a whole page."""
    return bool(request.htmx) and not request.htmx.boosted and not request.htmx.history_restore_request


def render_page_or_part(
    request: HtmxHttpRequest, template: str, *, part: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    """The page, or only its partial `part` when htmx asks. The server picks the partial, never the client."""
    name = f"{template}#{part}" if is_partial(request) else template
    response = render(request, name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
