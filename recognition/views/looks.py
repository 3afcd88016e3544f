"""Search by look: with a picture that comes in, with a photo, or with the person around a face; off unless switched on."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.roles import SEEING
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.looks.asking import PictureOfSearch, find_by_address, is_poseless, outline_of
from recognition.looks.finding import look_of_face, look_of_photo
from recognition.looks.plan import is_look_search_on
from recognition.looks.probing import MAX_PEOPLE, add_look_probe, read_looks
from recognition.models import Face, LookProbe, Photo
from recognition.probes import delete_probe, is_stalled
from recognition.probes.files import probe_preview_path
from recognition.sending import send_probe_picture
from recognition.views._picture_form import answer_picture

_P = ParamSpec("_P")
_View = Callable[Concatenate[SignedInRequest, _P], HttpResponseBase]


def _switched_on(view: _View[_P]) -> _View[_P]:
    """Nothing is here where the search is off."""

    @wraps(view)
    def guarded(request: SignedInRequest, /, *args: _P.args, **kwargs: _P.kwargs) -> HttpResponseBase:
        if not is_look_search_on():
            raise Http404("Search by look is switched off.")
        return view(request, *args, **kwargs)

    return guarded


@allow(*SEEING)
@require_http_methods(["GET", "HEAD", "POST"])
@_switched_on
def look_search(request: SignedInRequest) -> HttpResponseBase:
    """The form and one's own searches that are still there; POST leads to the page of the new one."""
    form, answer = answer_picture(request, add=add_look_probe, route="look-probe")
    if answer is not None:
        return answer
    context = {
        "form": form,
        "searches": LookProbe.objects.visible_to(request.user).defer("vectors").order_by("-pk"),
        "poseless": is_poseless(),
    }
    status = 422 if form.is_bound else 200
    return render_page_or_part(
        request, "recognition/look_search.html", part="form", context=context, status=status
    )


@allow(*SEEING)
@require_safe
@_switched_on
def look_probe(request: SignedInRequest, look_id: UUID) -> HttpResponseBase:
    """One search; the fragment asks for itself again until the worker has looked at the picture."""
    probe = get_object_or_404(LookProbe.objects.visible_to(request.user), probe_id=look_id)
    context: dict[str, Any] = {
        "probe": probe,
        "waiting": probe.state in {LookProbe.State.QUEUED, LookProbe.State.PROCESSING},
        "failed": probe.state == LookProbe.State.FAILED,
        "stalled": is_stalled(probe),
        "max_people": MAX_PEOPLE,
        "picture": PictureOfSearch(
            address=reverse("look-probe-preview", args=[probe.probe_id]),
            width=probe.width,
            height=probe.height,
        ),
    }
    if probe.state == LookProbe.State.DONE:
        looks = read_looks(probe)
        context |= find_by_address(
            request.GET, looks=looks, user=request.user, descriptor_id=probe.descriptor_id
        )
        context["outlines"] = [outline_of(number, one) for number, one in enumerate(probe.looks) if number]
    return _answer(request, context)


@allow(*SEEING)
@require_safe
@_switched_on
def photo_looks_like(request: SignedInRequest, photo_pk: int) -> HttpResponseBase:
    """Photos like this one, by what is stored of it: nothing is uploaded and nothing computed."""
    photos = Photo.objects.for_role(request.user, *SEEING).select_related("event")
    photo = get_object_or_404(photos, pk=photo_pk)
    context = {
        "photo": photo,
        "picture": PictureOfSearch(
            address=reverse("photo-preview", args=[photo.pk]), width=photo.width, height=photo.height
        ),
    }
    found = find_by_address(
        request.GET, looks=lambda plan: look_of_photo(photo, plan), user=request.user, without=photo.pk
    )
    return _answer(request, {**context, **found})


@allow(*SEEING)
@require_safe
@_switched_on
def face_looks_like(request: SignedInRequest, face_id: UUID) -> HttpResponseBase:
    """People dressed and standing like the one around this face."""
    faces = Face.objects.for_role(request.user, *SEEING).select_related("photo__event")
    face = get_object_or_404(faces, face_id=face_id)
    photo = face.photo
    context = {
        "photo": photo,
        "face": face,
        "picture": PictureOfSearch(
            address=reverse("photo-preview", args=[photo.pk]),
            width=photo.width,
            height=photo.height,
            face=face.box,
        ),
    }
    found = find_by_address(
        request.GET, looks=lambda plan: look_of_face(face, plan), user=request.user, without=photo.pk
    )
    return _answer(request, {**context, **found})


@allow(*SEEING)
@require_POST
@_switched_on
def delete(request: SignedInRequest, look_id: UUID) -> HttpResponseBase:
    delete_probe(get_object_or_404(LookProbe.objects.visible_to(request.user), probe_id=look_id))
    messages.success(request, "The search is deleted, with its picture and everything computed from it.")
    return redirect("look-search")


@allow(*SEEING)
@require_safe
@_switched_on
def preview(request: SignedInRequest, look_id: UUID) -> HttpResponseBase:
    probe = get_object_or_404(LookProbe.objects.visible_to(request.user), probe_id=look_id)
    return send_probe_picture(probe_preview_path(probe.probe_id))


def _answer(request: SignedInRequest, context: dict[str, Any]) -> HttpResponse:
    return render_page_or_part(request, "recognition/look_result.html", part="result", context=context)
