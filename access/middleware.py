"""Who is asking, by token or session, and the door: every view is denied unless it says who may use it."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRedirect

from access.models import ApiToken
from access.problems import problem
from access.rules import ApiRule, rule_of
from access.tokens import find_token

API = "/api/"


class TokenMiddleware:
    """Makes a request of the API that bears a token one of the token's user; pages know sessions alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        header = request.headers.get("Authorization", "")
        if header and request.path_info.startswith(API):
            kind, _, secret = header.partition(" ")
            token = find_token(secret.strip(), address=_address_of(request))
            if kind.lower() != "bearer" or token is None:
                return problem(
                    401,
                    "token_invalid",
                    "This token is not valid (any more). Make a new one on the Tokens page.",
                )
            request.user = token.user
            request.api_token = token  # type: ignore[attr-defined]
        return self.get_response(request)


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
        if isinstance(rule, ApiRule):
            return _check_api(request, rule)
        if rule is not None and rule.allows(request.user):
            return None
        # The admin signs people in by itself and asks for staff status on every view.
        if rule is None and _is_admin(request):
            return None
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        raise PermissionDenied


def token_of(request: HttpRequest) -> ApiToken | None:
    """The token that the request came with, if it came with one."""
    return getattr(request, "api_token", None)


def _address_of(request: HttpRequest) -> str | None:
    """Who is at the other end. Behind the proxy that ends TLS that is the last address it noted: the peer is the proxy."""
    behind: tuple[str, str] | None = settings.SECURE_PROXY_SSL_HEADER
    noted = request.headers.get("X-Forwarded-For", "") if behind is not None else ""
    for address in (noted.rpartition(",")[2].strip(), request.META.get("REMOTE_ADDR", "")):
        try:
            return str(ip_address(address))
        except ValueError:
            continue
    return None


def _check_api(request: HttpRequest, rule: ApiRule) -> HttpResponse | None:
    method = request.method or ""
    if not request.user.is_authenticated:
        return problem(
            401,
            "not_signed_in",
            "Send a token: `Authorization: Bearer fv_...`. A token is made on the Tokens page.",
        )
    token, scope, stated = token_of(request), rule.scope_of(method), rule.of(method)
    if token is not None and scope is not None and scope not in token.scopes:
        return problem(403, "scope_missing", f"This token lacks the scope `{scope}`. Make one that has it.")
    if stated is not None and not stated.allows(request.user):
        return problem(403, "forbidden", "Your roles do not allow this. Ask a manager.")
    return None


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
