"""People on their way out: the list as CSV, and with portraits as a ZIP that another installation imports."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from access.roles import MANAGER, User
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.events.listing import newest_first
from recognition.models import Event
from recognition.people.csv_out import (
    MOST_PORTRAITS,
    PeopleScope,
    count_people,
    count_unclear,
    stream_people_csv,
    stream_people_zip,
)
from recognition.sending import send_stream


class PeopleExportForm(forms.Form):
    """Who, and how many portraits of each; an event is one that the user manages."""

    event = forms.ModelChoiceField(
        Event.objects.none(),
        required=False,
        label="Who",
        empty_label="Everybody",
        help_text="Everybody, or who was seen at one event.",
    )
    portraits = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_PORTRAITS,
        initial=3,
        label="Portraits of each, at most",
        help_text="Verified faces, the chosen cover first. An import makes references of them.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["event"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = newest_first(Event.objects.for_role(user, MANAGER))


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def export_people(request: SignedInRequest) -> HttpResponse:
    """POST leads to the download."""
    form = PeopleExportForm(request.POST or None, user=request.user)
    if form.is_valid():
        event = form.cleaned_data["event"]
        query = {"event": str(event.pk)} if event else {}
        if request.POST.get("kind") == "csv":
            return redirect(_address("export-people-csv", query))
        portraits = form.cleaned_data["portraits"]
        query["portraits"] = str(3 if portraits is None else portraits)
        return redirect(_address("export-people-zip", query))
    everybody = PeopleScope(user=request.user)
    context = {
        "form": form,
        "people": count_people(everybody),
        "unclear": count_unclear(everybody),
        "section": "people",
    }
    return render(request, "recognition/people_export.html", context, status=422 if form.is_bound else 200)


@allow(MANAGER)
@require_safe
def people_csv(request: SignedInRequest) -> HttpResponseBase:
    pieces = stream_people_csv(_read_scope(request))
    return send_stream(request, pieces, content_type="text/csv; charset=utf-8", name="people.csv")


@allow(MANAGER)
@require_safe
def people_zip(request: SignedInRequest) -> HttpResponseBase:
    pieces = stream_people_zip(_read_scope(request))
    return send_stream(request, pieces, content_type="application/zip", name="people.zip")


def _read_scope(request: SignedInRequest) -> PeopleScope:
    form = PeopleExportForm(request.GET, user=request.user)
    if not form.is_valid():
        raise BadRequest("event is one that you manage, portraits a small number.")
    data = form.cleaned_data
    portraits = 3 if data["portraits"] is None else data["portraits"]
    return PeopleScope(user=request.user, event=data["event"], portraits=portraits)


def _address(route: str, query: dict[str, str]) -> str:
    return reverse(route) + (f"?{urlencode(query)}" if query else "")
