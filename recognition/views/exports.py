"""Exports: what would be downloaded, the downloads, and the large ones that a worker makes."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.roles import MANAGER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.exports import (
    ExportScope,
    TooManyExports,
    delete_export,
    find_events,
    find_export_file,
    is_stalled,
    request_export,
    select_photos,
    stream_csv,
    stream_zip,
    summarize,
)
from recognition.exports.work import scope_of
from recognition.forms import ExportForm
from recognition.models import Event, Export, Person, Photo
from recognition.sending import send_stream, send_zip

THUMBS_SHOWN = 8
EVENTS_SHOWN = 50


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def export_event(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """All photos of an event, or with ?person= those of one person in it."""
    return _offer(request, _find_target(request, event_pk=event_pk, person_pk=request.GET.get("person")))


@allow(MANAGER)
@require_safe
def event_zip(request: SignedInRequest, event_pk: int) -> HttpResponseBase:
    return _send_zip(request, _find_target(request, event_pk=event_pk, person_pk=request.GET.get("person")))


@allow(MANAGER)
@require_safe
def event_csv(request: SignedInRequest, event_pk: int) -> HttpResponseBase:
    return _send_csv(request, _find_target(request, event_pk=event_pk, person_pk=request.GET.get("person")))


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def export_person(request: SignedInRequest, person_pk: int) -> HttpResponse:
    """The photos of a person from all events that the user manages, or with ?event= from one."""
    return _offer(request, _find_target(request, event_pk=request.GET.get("event"), person_pk=person_pk))


@allow(MANAGER)
@require_safe
def person_zip(request: SignedInRequest, person_pk: int) -> HttpResponseBase:
    return _send_zip(request, _find_target(request, event_pk=request.GET.get("event"), person_pk=person_pk))


@allow(MANAGER)
@require_safe
def person_csv(request: SignedInRequest, person_pk: int) -> HttpResponseBase:
    return _send_csv(request, _find_target(request, event_pk=request.GET.get("event"), person_pk=person_pk))


@allow(MANAGER)
@require_safe
def exports(request: SignedInRequest) -> HttpResponse:
    mine = Export.objects.visible_to(request.user).select_related("event", "person")
    context = {
        "exports": mine,
        "stalled": is_stalled(mine),
        "hours": settings.FACEVAULT_EXPORT_HOURS,
    }
    return render(request, "recognition/exports.html", context)


@allow(MANAGER)
@require_safe
def export(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    """One export; its card asks for itself again until it is made."""
    export = _find_export(request, export_id)
    context = {"export": export, "stalled": is_stalled([export])}
    return render_page_or_part(request, "recognition/export.html", part="card", context=context)


@allow(MANAGER)
@require_safe
def export_file(request: SignedInRequest, export_id: UUID) -> HttpResponseBase:
    export = _find_export(request, export_id)
    path = find_export_file(user=request.user, export=export)
    if path is None:
        raise Http404("This export is not there.")
    return send_zip(path, name=f"{scope_of(export).title}.zip")


@allow(MANAGER)
@require_POST
def delete(request: SignedInRequest, export_id: UUID) -> HttpResponse:
    export = _find_export(request, export_id)
    was_made = export.state in {Export.State.DONE, Export.State.FAILED}
    delete_export(export)
    messages.success(request, "The export is deleted." if was_made else "The export is canceled.")
    return redirect("exports")


def _find_export(request: SignedInRequest, export_id: UUID) -> Export:
    mine = Export.objects.visible_to(request.user).select_related("event", "person")
    return get_object_or_404(mine, export_id=export_id)


def _find_target(
    request: SignedInRequest, *, event_pk: int | str | None, person_pk: int | str | None
) -> ExportScope:
    """Event and person of an address, without the choices. 404 for what the user does not see, 403 for an event that
    is not theirs to manage."""
    event = person = None
    if event_pk is not None:
        event = get_object_or_404(Event.objects.visible_to(request.user), pk=_number(event_pk))
        require_role(request.user, event.pk, MANAGER)
    if person_pk is not None:
        person = get_object_or_404(Person.objects.visible_to(request.user), pk=_number(person_pk))
    return ExportScope(event=event, person=person)


def _number(text: int | str) -> int:
    if isinstance(text, int):
        return text
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Http404("There is no such number.")
    return int(text)


def _choose(target: ExportScope, form: ExportForm) -> ExportScope:
    return ExportScope(
        event=target.event,
        person=target.person,
        with_machine=form.with_machine,
        with_names=form.with_names,
    )


def _offer(request: SignedInRequest, target: ExportScope) -> HttpResponse:
    """POST leads to the download, or to the export that a worker makes when there are many photos."""
    if request.method != "POST":
        return _render_offer(request, target, ExportForm(initial={"faces": "verified"}))
    form = ExportForm(request.POST)
    if not form.is_valid():
        return _render_offer(request, target, form, status=422)
    scope = _choose(target, form)
    if form.cleaned_data["kind"] == "csv":
        return redirect(_address(scope, "csv"))
    if summarize(user=request.user, scope=scope).photos <= settings.FACEVAULT_EXPORT_DIRECT:
        return redirect(_address(scope, "zip"))
    try:
        export = request_export(user=request.user, scope=scope)
    except TooManyExports:
        form.add_error(
            None, "You wait for several exports already. Delete one, or come back when they are made."
        )
        return _render_offer(request, target, form, status=422)
    return redirect("export", export.export_id)


def _render_offer(
    request: SignedInRequest, target: ExportScope, form: ExportForm, *, status: int = 200
) -> HttpResponse:
    everything = ExportScope(event=target.event, person=target.person, with_machine=True)
    photos = select_photos(user=request.user, scope=everything)
    context = {
        "scope": target,
        "form": form,
        "verified": summarize(user=request.user, scope=target),
        "all": summarize(user=request.user, scope=everything),
        "events": find_events(target.person, user=request.user)[:EVENTS_SHOWN] if target.person else [],
        "thumbs": photos.filter(state=Photo.State.DONE)[:THUMBS_SHOWN],
        "direct": settings.FACEVAULT_EXPORT_DIRECT,
        "hours": settings.FACEVAULT_EXPORT_HOURS,
    }
    return render(request, "recognition/export_new.html", context, status=status)


def _send_zip(request: SignedInRequest, target: ExportScope) -> HttpResponseBase:
    scope = _choose(target, _read_choice(request))
    if summarize(user=request.user, scope=scope).photos > settings.FACEVAULT_EXPORT_DIRECT:
        messages.warning(
            request, "These are too many photos to send at once. Press Download ZIP to have it made."
        )
        return redirect(_address(scope, ""))
    pieces = stream_zip(user=request.user, scope=scope)
    return send_stream(request, pieces, content_type="application/zip", name=f"{scope.title}.zip")


def _send_csv(request: SignedInRequest, target: ExportScope) -> HttpResponseBase:
    scope = _choose(target, _read_choice(request))
    pieces = stream_csv(user=request.user, scope=scope)
    return send_stream(request, pieces, content_type="text/csv; charset=utf-8", name=f"{scope.title}.csv")


def _read_choice(request: SignedInRequest) -> ExportForm:
    form = ExportForm(request.GET)
    if not form.is_valid():
        raise BadRequest("faces is verified or all.")
    return form


def _address(scope: ExportScope, kind: str) -> str:
    """Where an export is offered (`kind` empty), or its ZIP or CSV with the choices."""
    noun = "event" if scope.event is not None else "person"
    query: dict[str, str] = {}
    if scope.event is not None and scope.person is not None:
        query["person"] = str(scope.person.pk)
    if kind:
        query["faces"] = "all" if scope.with_machine else "verified"
        if scope.with_names:
            query["names"] = "1"
    of = scope.event or scope.person
    assert of is not None
    address = reverse(f"export-{noun}-{kind}" if kind else f"export-{noun}", args=[of.pk])
    return f"{address}?{urlencode(query)}" if query else address
