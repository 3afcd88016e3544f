"""Who asks the API: whoever access.middleware found, by token or session. A session must also prove that its page asks."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from access.middleware import token_of
from access.models import ApiToken
from api.errors import ApiProblem


class TokenOrSession(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[User, ApiToken | None] | None:
        asked: Any = request._request
        if not asked.user.is_authenticated:
            return None
        token = token_of(asked)
        if token is None:
            # The browser sends a session's cookie with the requests of any page, a token never.
            try:
                SessionAuthentication().enforce_csrf(request)
            except PermissionDenied as refused:
                raise ApiProblem(
                    403,
                    "csrf_failed",
                    "A session writes with the header X-CSRFToken of its page. A script sends a token instead.",
                ) from refused
        return asked.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
