"""The form with a picture to search with, for faces and for looks: a POST leads to the page of the new search."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO, cast

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from facevault_site.htmx import SignedInRequest, is_partial
from recognition.forms import ProbeForm
from recognition.images import PhotoRefused
from recognition.models import LookProbe, Probe


def answer_picture(
    request: SignedInRequest, *, add: Callable[..., Probe | LookProbe], route: str
) -> tuple[ProbeForm, HttpResponse | None]:
    """The form to show, and the answer where a picture was taken: `add` takes it, `route` is the page of its search."""
    if request.method != "POST":
        return ProbeForm(), None
    form = ProbeForm(request.POST, request.FILES)
    if form.is_valid():
        picture = cast(BinaryIO, form.cleaned_data["picture"].file)
        try:
            probe = add(file=picture, user=request.user)
        except PhotoRefused as refusal:
            form.add_error("picture", ValidationError(refusal.message, code=refusal.code))
        else:
            address = reverse(route, args=[probe.probe_id])
            return form, HttpResponseClientRedirect(address) if is_partial(request) else redirect(address)
    return form, None
