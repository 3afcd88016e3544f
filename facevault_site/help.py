"""The help page: words, roles, every key, and how to do what is done most."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.rules import allow_signed_in
from facevault_site.htmx import SignedInRequest


@allow_signed_in
@require_safe
def help_page(request: SignedInRequest) -> HttpResponse:
    return render(request, "help.html")
