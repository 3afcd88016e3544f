"""From a view class to an address: its access rule becomes the outermost decorator, and its writes repeatable."""

from __future__ import annotations

from django.urls import URLPattern, path

from access.rules import allow_api
from api.base import ApiView
from api.idempotency import answer_once

_HANDLERS = ("get", "post", "put", "patch", "delete")


def route(address: str, view: type[ApiView], *, name: str) -> URLPattern:
    """The pattern of a view. Raises ValueError where its `access` does not state exactly the methods that it has."""
    has = {method.upper() for method in _HANDLERS if hasattr(view, method)}
    if set(view.access) != has:
        raise ValueError(
            f"{view.__name__}.access states {sorted(view.access)}, but the view has {sorted(has)}."
        )
    answer = allow_api(**view.access)(answer_once(view.as_view()))
    # A redirect would turn a POST without its slash into a GET that looks like success.
    answer.should_append_slash = False  # type: ignore[attr-defined]
    return path(address, answer, name=f"api-{name}")
