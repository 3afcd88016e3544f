"""Photos that failed, over all events: why, what to do, and trying them again one by one or together."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.roles import MANAGER, UPLOADER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.forms import FailedFilterForm
from recognition.models import Event
from recognition.photos.failed import count_reasons, failed_photos
from recognition.processing import retry_photos
from recognition.querysets import PhotoQuerySet

PHOTOS_PER_PAGE = 50


@allow(UPLOADER, MANAGER)
@require_safe
def failed(request: SignedInRequest) -> HttpResponse:
    everything = failed_photos(request.user)
    form = FailedFilterForm(request.GET)
    in_event = _narrow(everything, form, "event")
    photos = _narrow(in_event, form, "code").select_related("event", "uploaded_by")
    page = Paginator(photos.order_by("failure_code", "-pk"), PHOTOS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    reasons = count_reasons(in_event)
    context = {
        "page": page,
        "reasons": reasons,
        "total": sum(reason.photos for reason in reasons),
        "events": Event.objects.filter(pk__in=everything.order_by().values("event")).order_by("name"),
        "code": form.cleaned_data.get("code"),
        "event_pk": form.cleaned_data.get("event"),
        "narrowed": bool(request.GET.get("event") or request.GET.get("code")),
        "section": "events",
    }
    return render(request, "recognition/failed.html", context)


@allow(UPLOADER, MANAGER)
@require_POST
def retry(request: SignedInRequest) -> HttpResponse:
    """All that the user may retry, or of one reason, one event, one photo."""
    form = FailedFilterForm(request.POST)
    photos = failed_photos(request.user)
    for name in ("event", "code", "photo"):
        photos = _narrow(photos, form, name)
    retried = retry_photos(photos)
    messages.success(
        request,
        f"{retried:,} photo{'' if retried == 1 else 's'} will be tried again."
        if retried
        else "No photo was left to try again.",
    )
    event = form.cleaned_data.get("event")
    return redirect(reverse("failed", query={"event": event} if event else None))


def _narrow(photos: PhotoQuerySet, form: FailedFilterForm, name: str) -> PhotoQuerySet:
    """Rubbish leaves nothing: it must not widen what is retried."""
    if name in form.errors:
        return photos.none()
    value = form.cleaned_data[name]
    lookup = {"event": "event", "code": "failure_code", "photo": "pk"}[name]
    return photos if value in {"", None} else photos.filter(**{lookup: value})
