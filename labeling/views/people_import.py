"""Bring in a list of people with their portraits, and see what became of each row."""

from __future__ import annotations

from typing import BinaryIO, cast
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from access.roles import MANAGER, User, reach_of
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from labeling.enrolment import count_import, find_event, import_list, write_report
from labeling.enrolment.forms import ImportForm
from labeling.enrolment.report import list_refusals
from labeling.models import PeopleImport
from recognition.events.progress import nothing_moves
from recognition.people.portraits import read_uploads
from recognition.sending import send_stream

REFUSALS_SHOWN = 200
EARLIER_SHOWN = 20


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: SignedInRequest) -> HttpResponse:
    """The form and one's earlier imports; POST leads to the page of the new one."""
    _require_everywhere(request.user)
    form = ImportForm(request.POST, request.FILES) if request.method == "POST" else ImportForm()
    if form.is_valid():
        try:
            event = find_event(form.cleaned_data["event"], user=request.user)
        except ValidationError as error:
            form.add_error("event", error.messages[0])
        else:
            files = [(file.name or "", cast(BinaryIO, file.file)) for file in form.cleaned_data["portraits"]]
            done = import_list(
                people=form.cleaned_data["people"],
                portraits=read_uploads(files),
                event=event,
                user=request.user,
            )
            return redirect("people-import", done.import_id)
    context = {"form": form, "earlier": _mine(request.user)[:EARLIER_SHOWN], "section": "people"}
    return render(request, "labeling/import_people.html", context, status=422 if form.is_bound else 200)


@allow(MANAGER)
@require_safe
def done(request: SignedInRequest, import_id: UUID) -> HttpResponse:
    """One import; its card asks for itself again while portraits wait."""
    _require_everywhere(request.user)
    found = get_object_or_404(_mine(request.user).select_related("event"), import_id=import_id)
    counts = count_import(found)
    refusals = list_refusals(found)
    context = {
        "import": found,
        "counts": counts,
        "refusals": refusals[:REFUSALS_SHOWN],
        "more": max(0, len(refusals) - REFUSALS_SHOWN),
        "stalled": bool(counts.waiting) and nothing_moves(),
        "section": "people",
    }
    return render_page_or_part(request, "labeling/people_import.html", part="card", context=context)


@allow(MANAGER)
@require_safe
def report(request: SignedInRequest, import_id: UUID) -> HttpResponseBase:
    _require_everywhere(request.user)
    found = get_object_or_404(_mine(request.user), import_id=import_id)
    pieces = (line.encode() for line in write_report(found))
    return send_stream(request, pieces, content_type="text/csv; charset=utf-8", name="import.csv")


def _mine(user: User) -> QuerySet[PeopleImport]:
    """Whoever sees them reads names of people whom only managers of all events may see without a face."""
    return PeopleImport.objects.filter(user=user.pk)


def _require_everywhere(user: User) -> None:
    if not reach_of(user, MANAGER).everywhere:
        raise PermissionDenied
