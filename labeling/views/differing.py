"""Names that two people see differently: a third one keeps the name or takes the other answer."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import DecisionConflict, PersonGone
from labeling.team.opinions import differing_opinions, may_settle, settle_opinion
from labeling.views.opinions import read_event
from labeling.words import user_words
from recognition.people.loading import load_people

PER_PAGE = 40


class SettleForm(forms.Form):
    take = forms.ChoiceField(choices=[("0", "keep"), ("1", "take")])
    version = forms.IntegerField(min_value=0)


@allow(LABELER, MANAGER)
@require_safe
def differing(request: SignedInRequest) -> HttpResponse:
    """Names that two people see differently, for a third one to look at."""
    event = read_event(request)
    opinions = differing_opinions(request.user, event=event).select_related(
        "face__photo__event", "face__sighting__person", "decision__actor", "actor", "person"
    )
    page = Paginator(opinions, PER_PAGE).get_page(request.GET.get("page"))
    named = {opinion.person_id for opinion in page.object_list} | {
        opinion.face.sighting.person_id for opinion in page.object_list
    }
    people = load_people([pk for pk in named if pk is not None], user=request.user)
    covers = {person.pk: getattr(person, "cover", None) for person in people}
    rows = [
        {
            "opinion": opinion,
            "first_cover": covers.get(opinion.face.sighting.person_id),
            "second_cover": covers.get(opinion.person_id or 0),
            "first": user_words(opinion.decision.actor),
            "second": user_words(opinion.actor),
            "settles": may_settle(opinion, request.user),
        }
        for opinion in page.object_list
    ]
    context = {"event": event, "page": page, "rows": rows, "section": "label"}
    return render(request, "labeling/team_differing.html", context)


@allow(LABELER, MANAGER)
@require_POST
def settle(request: SignedInRequest, opinion_pk: int) -> HttpResponse:
    opinion = get_object_or_404(
        differing_opinions(request.user).select_related(
            "face__photo", "face__sighting__person", "decision", "person__merged_into"
        ),
        pk=opinion_pk,
    )
    form = SettleForm(request.POST)
    event = read_event(request)
    back = reverse("differing-opinions") + (f"?event={event.pk}" if event else "")
    if not form.is_valid():
        messages.warning(request, "Press one of the buttons beside the face.")
        return redirect(back)
    take = form.cleaned_data["take"] == "1"
    if not may_settle(opinion, request.user):
        raise PermissionDenied
    try:
        settle_opinion(opinion=opinion, actor=request.user, take=take, version=form.cleaned_data["version"])
    except DecisionConflict:
        messages.warning(request, "Somebody decided about this face meanwhile. Nothing of yours was saved.")
    except PersonGone:
        messages.warning(
            request, "That person was removed meanwhile. Keep the name, or correct it at the desk."
        )
    else:
        messages.success(request, "The other answer was taken." if take else "The name stays.")
    return redirect(back)
