"""What drf-spectacular cannot read off the views: tokens, scopes and roles, problems, the idempotency key."""

from __future__ import annotations

import inspect
from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from access.problems import CONTENT_TYPE
from api.base import ApiView
from api.idempotency import WRITES
from api.serializers.common import Problem

_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="1 to 64 visible ASCII characters, new for each request: its repetition is done once and answered the same.",
)


class OperationSchema(AutoSchema):
    method: str

    def get_override_parameters(self) -> list[Any]:
        stated = list(super().get_override_parameters())
        return [*stated, _KEY] if self.method in WRITES else stated

    def get_description(self) -> str:  # type: ignore[override] # as in AutoSchema
        """Who may use it, after what it does."""
        scope, roles = self._rule
        said = inspect.getdoc(getattr(self.view, self.method.lower())) or ""
        who = f"Roles: {', '.join(roles)}." if roles else "For every account."
        return f"{said}\n\nScope: `{scope}`. {who}".strip()

    def get_extensions(self) -> dict[str, Any]:
        scope, roles = self._rule
        return {**super().get_extensions(), "x-scope": scope, "x-roles": list(roles)}

    @property
    def _rule(self) -> tuple[str, tuple[str, ...]]:
        assert isinstance(self.view, ApiView)
        return self.view.access[self.method]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        bodies["default"] = self._get_response_for_code(  # type: ignore[no-untyped-call]
            OpenApiResponse(Problem, description="What went wrong, and what to do."),
            "default",
            media_types=[CONTENT_TYPE],
        )
        return bodies


class TokenOrSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "api.authentication.TokenOrSession"
    name = ["token", "session"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{"token": []}, {"session": []}]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, Any]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "A token of the Tokens page: fv_..."},
            {
                "type": "apiKey",
                "in": "cookie",
                "name": settings.SESSION_COOKIE_NAME,
                "description": "A page's session; writes need its X-CSRFToken too.",
            },
        ]
