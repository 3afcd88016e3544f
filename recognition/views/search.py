"""Search by photo: a picture comes in, its page polls until a worker has found the faces, then shows who they may be."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.roles import SEEING, sees_everything
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.looks.plan import is_look_search_on
from recognition.models import Probe
from recognition.probes import add_probe, delete_probe, is_stalled, read_probe
from recognition.probes.files import probe_crop_path, probe_preview_path
from recognition.probes.processing import MAX_FACES
from recognition.sending import send_probe_picture
from recognition.views._picture_form import answer_picture


@allow(*SEEING)
@require_http_methods(["GET", "HEAD", "POST"])
def search(request: SignedInRequest) -> HttpResponse:
    """The form and one's own searches that are still there; POST leads to the page of the new one."""
    form, answer = answer_picture(request, add=add_probe, route="probe")
    if answer is not None:
        return answer
    searches = Probe.objects.visible_to(request.user).annotate(face_count=Count("faces")).order_by("-pk")
    return render_page_or_part(
        request,
        "recognition/search.html",
        part="form",
        context={"form": form, "searches": searches, "look_search": is_look_search_on()},
        status=422 if form.is_bound else 200,
    )


@allow(*SEEING)
@require_safe
def probe(request: SignedInRequest, probe_id: UUID) -> HttpResponse:
    """One search; the fragment asks for itself again until it is done."""
    probe = get_object_or_404(Probe.objects.visible_to(request.user), probe_id=probe_id)
    done = probe.state == Probe.State.DONE
    context = {
        "probe": probe,
        "waiting": probe.state in {Probe.State.QUEUED, Probe.State.PROCESSING},
        "stalled": is_stalled(probe),
        "report": read_probe(probe, request.user) if done else None,
        "max_faces": MAX_FACES,
        "everywhere": sees_everything(request.user),
    }
    return render_page_or_part(request, "recognition/search_result.html", part="result", context=context)


@allow(*SEEING)
@require_POST
def delete(request: SignedInRequest, probe_id: UUID) -> HttpResponse:
    delete_probe(get_object_or_404(Probe.objects.visible_to(request.user), probe_id=probe_id))
    messages.success(request, "The search is deleted, with its picture and everything computed from it.")
    return redirect("search")


@allow(*SEEING)
@require_safe
def preview(request: SignedInRequest, probe_id: UUID) -> HttpResponseBase:
    probe = get_object_or_404(Probe.objects.visible_to(request.user), probe_id=probe_id)
    return send_probe_picture(probe_preview_path(probe.probe_id))


@allow(*SEEING)
@require_safe
def crop(request: SignedInRequest, probe_id: UUID, number: int) -> HttpResponseBase:
    visible = Probe.objects.visible_to(request.user)
    probe = get_object_or_404(visible, probe_id=probe_id, faces__number=number)
    return send_probe_picture(probe_crop_path(probe.probe_id, number))
