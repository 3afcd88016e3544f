"""The API's own description: as OpenAPI for programs, and as a page of ours without any script."""

from __future__ import annotations

from functools import cache

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from access.rules import allow_api, allow_signed_in
from access.scopes import READ, SCOPE_TEXT
from api.reference import read_reference, read_schema


@allow_signed_in
@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "api/docs.html", {"body": _draw_reference()})


@allow_api(GET=(READ, ()))
@require_safe
def schema(request: HttpRequest) -> JsonResponse:
    return JsonResponse(read_schema())


@cache
def _draw_reference() -> SafeString:
    """The same for everybody, and the longest page of all: drawn once in each process."""
    return render_to_string("api/_reference.html", {"reference": read_reference(), "scopes": SCOPE_TEXT})
