"""Who labels an event, how many names are looked at twice, and leaving the desk."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from access.roles import LABELER, MANAGER, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.models import Assignment, EventReview
from labeling.team.assignments import assign_labeler, assignments_of, labelers_of, unassign_labeler
from labeling.team.leases import release_leases
from labeling.team.opinions import differing_opinions, measure_agreement, set_review
from labeling.words import user_words
from recognition.models import Event


class AssignForm(forms.Form):
    user = forms.ModelChoiceField(User.objects.none(), label="Account", empty_label=None)

    def __init__(self, *args: Any, accounts: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["user"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = accounts


class ReviewForm(forms.Form):
    percent = forms.IntegerField(
        min_value=0, max_value=100, label="Percent of the names", widget=forms.NumberInput(attrs={"step": 1})
    )


@allow(MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def event_labelers(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """Assign the event to somebody who may label it."""
    event = _managed(request, event_pk)
    form = AssignForm(request.POST if request.method == "POST" else None, accounts=_unassigned(event))
    if request.method == "POST" and form.is_valid():
        user: User = form.cleaned_data["user"]
        assign_labeler(event=event, user=user, actor=request.user)
        messages.success(request, f"The queue of {user_words(user)} begins with {event.name} now.")
        return redirect("event-labelers", event.pk)
    return _show(request, event, form=form)


@allow(MANAGER)
@require_POST
def unassign(request: SignedInRequest, event_pk: int, assignment_pk: int) -> HttpResponse:
    event = _managed(request, event_pk)
    assignment = get_object_or_404(Assignment.objects.select_related("user"), pk=assignment_pk, event=event)
    unassign_labeler(assignment)
    messages.success(request, f"{event.name} is no longer assigned to {user_words(assignment.user)}.")
    return redirect("event-labelers", event.pk)


@allow(MANAGER)
@require_POST
def event_review(request: SignedInRequest, event_pk: int) -> HttpResponse:
    """How many of the event's names a second person is asked about."""
    event = _managed(request, event_pk)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _show(request, event, review=form)
    set_review(event=event, percent=form.cleaned_data["percent"])
    messages.success(request, "Saved.")
    return redirect("event-labelers", event.pk)


@allow(LABELER, MANAGER)
@require_POST
def leave_desk(request: SignedInRequest) -> HttpResponse:
    """A page with a card was closed: the card goes back at once instead of in two minutes."""
    release_leases(user=request.user, card=request.POST.get("card", "").replace("\0", "")[:60])
    return HttpResponse(status=204)


def _show(
    request: SignedInRequest,
    event: Event,
    *,
    form: AssignForm | None = None,
    review: ReviewForm | None = None,
) -> HttpResponse:
    percent = EventReview.objects.filter(event=event).values_list("percent", flat=True).first() or 0
    accounts = _unassigned(event)
    context = {
        "event": event,
        "form": form or AssignForm(accounts=accounts),
        "accounts": [(account.pk, user_words(account)) for account in accounts],
        "review": review or ReviewForm(initial={"percent": percent}),
        "percent": percent,
        "assignments": [(row, user_words(row.user)) for row in assignments_of(event)],
        "agreement": measure_agreement(event),
        "differing": differing_opinions(request.user, event=event).count(),
        "section": "events",
    }
    wrong = (form is not None and form.errors) or (review is not None and review.errors)
    return render(request, "labeling/team_event.html", context, status=422 if wrong else 200)


def _unassigned(event: Event) -> QuerySet[User]:
    return labelers_of(event).exclude(assignments__event=event)


def _managed(request: SignedInRequest, event_pk: int) -> Event:
    event = get_object_or_404(Event.objects.visible_to(request.user), pk=event_pk)
    require_role(request.user, event.pk, MANAGER)
    return event
