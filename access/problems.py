"""Errors of the API as problem details (RFC 9457)."""

from typing import Any

from django.http import JsonResponse

CONTENT_TYPE = "application/problem+json"


def problem(status: int, code: str, detail: str, *, title: str = "", **extra: Any) -> JsonResponse:
    """`code` is stable and for programs, `detail` is a sentence that says what to do."""
    body = {"type": "about:blank", "title": title or code.replace("_", " ").capitalize(), "status": status}
    response = JsonResponse(
        {**body, "code": code, "detail": detail, **extra}, status=status, content_type=CONTENT_TYPE
    )
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response
