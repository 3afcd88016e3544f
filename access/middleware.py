"""Every view is denied unless it says who may use it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from access.rules import rule_of


class DenyByDefaultMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        # Pages show faces: no shared cache, no copy after logout. Views of files set their own policy.
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        rule = rule_of(view)
        if rule is not None and rule.allows(request.user):
            return None
        # The admin signs people in by itself and asks for staff status on every view.
        if rule is None and _is_admin(request):
            return None
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        raise PermissionDenied


def _is_admin(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "admin" in match.app_names


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if getattr(request, "htmx", False):
        # A fragment request must not paint the login page into a card; after signing in, the page it came from returns.
        page = request.htmx.current_url_abs_path  # type: ignore[attr-defined]
        login = resolve_url(settings.LOGIN_URL)
        return HttpResponseClientRedirect(
            f"{login}?{urlencode({REDIRECT_FIELD_NAME: page})}" if page else login
        )
    return redirect_to_login(request.get_full_path(), resolve_url(settings.LOGIN_URL))
