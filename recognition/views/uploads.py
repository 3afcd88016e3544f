"""Uploading photos to an event: a plain form that upload.js feeds in batches."""

from __future__ import annotations

from collections import Counter

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_http_methods

from access.roles import MANAGER, UPLOADER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest, render_page_or_part
from recognition.events.progress import count_photos
from recognition.forms import UploadForm
from recognition.models import Event
from recognition.uploads.adding import add_uploaded


@allow(UPLOADER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """POST answers with one line per file that was not added and the totals; the fragment has these alone."""
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, UPLOADER, MANAGER)
    form, results = UploadForm(), None
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            results = add_uploaded(event=event, files=form.cleaned_data["files"], user=request.user)
    outcomes = Counter(result.outcome for result in results or [])
    counts = count_photos(request.user, event_pk=event.pk)
    context = {
        "event": event,
        "form": form,
        "uploaded": results is not None,
        "added": outcomes["added"],
        "duplicate": outcomes["duplicate"],
        "refused": outcomes["refused"],
        "videos": [result.video for result in results or [] if result.outcome == "added" and result.video],
        "not_added": [result for result in results or [] if result.outcome != "added"],
        "counts": counts,
        "seen": counts.done,
        "max_file_mb": settings.FACEVAULT_MAX_FILE_MB,
        "max_archive_mb": settings.FACEVAULT_MAX_ARCHIVE_MB,
        "max_video_mb": settings.FACEVAULT_MAX_VIDEO_MB,
        "max_video_minutes": settings.FACEVAULT_MAX_VIDEO_MINUTES,
        "section": "events",
    }
    return render_page_or_part(
        request,
        "recognition/upload.html",
        part="results",
        context=context,
        status=422 if form.is_bound and results is None else 200,
    )
