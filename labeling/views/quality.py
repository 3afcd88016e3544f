"""The quality report: how good the names are, what another line would change, and measuring anew."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from access.roles import MANAGER, User, reach_of
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.checks import read_report
from labeling.quality_page import find_shift, read_page
from recognition.active_embedder import NoActiveEmbedder
from recognition.evaluation.reports import (
    LEAST_PEOPLE,
    finished_reports,
    is_stalled,
    open_report,
    request_report,
)
from recognition.models import QualityPlot, QualityReport
from recognition.sending import send_svg


@allow(MANAGER)
@require_safe
def quality(request: SignedInRequest) -> HttpResponse:
    """The newest report; ?line= asks what another line would change, for those who have no script."""
    _require_everywhere(request.user)
    report, pending = finished_reports().first(), open_report()
    context: dict[str, Any] = {
        **_card(pending),
        "report": report,
        "least_people": LEAST_PEOPLE,
        "precision": read_report(user=request.user),
    }
    if report is not None:
        context["page"] = read_page(report, user=request.user)
        context["shift"] = find_shift(report.figures, request.GET.get("line", ""))
    return render(request, "labeling/quality.html", context)


@allow(MANAGER)
@require_safe
def what_if(request: SignedInRequest) -> HttpResponse:
    """The answer to one position of the slider."""
    _require_everywhere(request.user)
    report = finished_reports().first()
    if report is None or not is_partial(request):
        return redirect("quality")
    context = {"shift": find_shift(report.figures, request.GET.get("line", ""))}
    response = render(request, "labeling/quality.html#what-if-answer", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@allow(MANAGER)
@require_POST
def measure(request: SignedInRequest) -> HttpResponse:
    _require_everywhere(request.user)
    try:
        request_report(user=request.user)
    except NoActiveEmbedder:
        messages.warning(
            request, "There is nothing to measure yet: an embedder is chosen when the worker first starts."
        )
    return redirect("quality")


@allow(MANAGER)
@require_safe
def progress(request: SignedInRequest) -> HttpResponse:
    """The card of the report that is being made, asked for until it is there; then the page comes anew."""
    _require_everywhere(request.user)
    pending = open_report()
    if not is_partial(request):
        return redirect("quality")
    if pending is None:
        return HttpResponseClientRefresh()
    response = render(request, "labeling/quality.html#progress", _card(pending))
    patch_vary_headers(response, ["HX-Request"])
    return response


@allow(MANAGER)
@require_safe
def plot(request: SignedInRequest, report_id: UUID, plot: str) -> HttpResponseBase:
    """A drawing as an SVG picture, such as roc-dark; it never changes."""
    _require_everywhere(request.user)
    name, _, scheme = plot.rpartition("-")
    found = get_object_or_404(
        QualityPlot, report__report_id=report_id, name=name, scheme=scheme, report__state="done"
    )
    return send_svg(request, found.svg, etag=f"{report_id}-{plot}")


def _card(pending: QualityReport | None) -> dict[str, Any]:
    return {"pending": pending, "stalled": pending is not None and is_stalled(pending)}


def _require_everywhere(user: User) -> None:
    """Its figures are about the faces of every event."""
    if not reach_of(user, MANAGER).everywhere:
        raise PermissionDenied
