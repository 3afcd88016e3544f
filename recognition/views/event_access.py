"""Who may do what in one event: the list for its managers, giving a role and taking it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.forms import GrantForm
from access.grants import grant_role, take_role
from access.models import EventGrant
from access.roles import MANAGER, ROLES, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.models import Event


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def event_access(request: SignedInRequest, event_pk: int) -> HttpResponse:
    event = _managed(request, event_pk)
    form = GrantForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        grant = grant_role(user=data["user"], event_pk=event.pk, role=data["role"], actor=request.user)
        messages.success(request, f"{grant.user.get_username()} is {grant.role} of this event now.")
        return redirect("event-access", event.pk)
    everywhere = User.objects.filter(is_active=True, groups__name__in=ROLES).prefetch_related("groups")
    context = {
        "event": event,
        "form": form,
        "grants": event.grants.select_related("user", "granted_by").order_by("user__username", "role"),
        "everywhere": everywhere.distinct().order_by("username"),
        "administrators": User.objects.filter(is_active=True, is_superuser=True).order_by("username"),
        "section": "events",
    }
    return render(request, "recognition/event_access.html", context, status=422 if form.errors else 200)


@allow(MANAGER)
@require_POST
def take(request: SignedInRequest, event_pk: int, grant_pk: int) -> HttpResponse:
    event = _managed(request, event_pk)
    grant = get_object_or_404(EventGrant.objects.select_related("user"), pk=grant_pk, event=event)
    take_role(grant)
    messages.success(request, f"{grant.user.get_username()} is no {grant.role} of this event any more.")
    # Who took the role from themselves sees the page no more.
    return redirect("event-access", event.pk) if grant.user_id != request.user.pk else redirect("events")


def _managed(request: SignedInRequest, event_pk: int) -> Event:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, MANAGER)
    return event
