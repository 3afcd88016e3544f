"""The account's own keys: a page to change them, and the switch at the foot of the desk."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.rules import allow_signed_in
from facevault_site.htmx import SignedInRequest
from labeling.team.keys import KEYS, KeysRefused, choose_keys, read_preferences, reset_keys, switch_keys


@allow_signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: SignedInRequest) -> HttpResponse:
    if request.method != "POST":
        return _show(request)
    if "reset" in request.POST:
        reset_keys(user=request.user)
        messages.success(request, "The usual keys are back.")
        return redirect("keys")
    chosen = {key.action: request.POST.get(key.action, "") for key in KEYS}
    try:
        choose_keys(user=request.user, chosen=chosen)
    except KeysRefused as refused:
        return _show(request, chosen=chosen, problems=refused.problems)
    messages.success(request, "Your keys are saved. They hold wherever you sign in.")
    return redirect("keys")


@allow_signed_in
@require_POST
def switch(request: SignedInRequest) -> HttpResponse:
    """All single keys on or off."""
    on = request.POST.get("single_keys") == "1"
    switch_keys(user=request.user, on=on)
    if request.htmx:
        return HttpResponse(status=204)
    messages.success(request, "Single keys are on." if on else "Single keys are off.")
    return redirect("keys")


def _show(
    request: SignedInRequest,
    *,
    chosen: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
) -> HttpResponse:
    preferences, problems = read_preferences(request.user), problems or {}
    typed = preferences.keys if chosen is None else chosen
    rows = [
        {"key": key, "value": typed.get(key.action) or key.usual, "problem": problems.get(key.action, "")}
        for key in KEYS
    ]
    context = {
        "rows": rows,
        "single_keys": preferences.single_keys,
        "changed": bool(preferences.keys),
        "wrong": len(problems),
    }
    return render(request, "labeling/keys.html", context, status=422 if problems else 200)
