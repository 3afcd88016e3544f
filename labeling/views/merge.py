"""Merge two people: find the other one, look at both side by side, merge; and take back what a person's page did."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import (
    DecisionConflict,
    PersonGone,
    UndoRefused,
    decisions_seen_by,
    faces_of,
    undo_decision,
)
from labeling.models import Decision
from labeling.people.merging import SamePerson, TogetherOnPhotos, merge_people
from labeling.people.sides import compare_sides, find_candidates
from labeling.views._said import count_faces, refusal_words, say_done
from recognition.models import Face, Person
from recognition.people.merged import find_kept
from recognition.views.merged import redirect_to_kept


class MergeForm(forms.Form):
    key = forms.UUIDField()
    together = forms.BooleanField(required=False)


class CandidatesForm(forms.Form):
    q = forms.CharField(required=False, max_length=200, strip=True)


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: SignedInRequest, person_pk: int) -> HttpResponse:
    """The person of the address stays; `with` is who becomes part of them. Without it, whom to merge with is asked."""
    keep = Person.objects.visible_to(request.user).filter(pk=person_pk).first()
    if keep is None:
        return redirect_to_kept(request, person_pk)
    _require_editable(request, keep)
    chosen = (request.POST if request.method == "POST" else request.GET).get("with", "")
    if not chosen.isdecimal() or len(chosen) > 18:
        return _ask_with_whom(request, keep)
    other = Person.objects.visible_to(request.user).filter(pk=int(chosen)).first()
    if other is None and (kept := find_kept(int(chosen))) is not None:
        # Merged meanwhile, or an old address: what is left to say is said of whom they are now.
        other = get_object_or_404(Person.objects.visible_to(request.user), pk=kept)
        if request.method == "POST":
            return _draw(request, keep, other, notice="They were merged into somebody meanwhile.", status=409)
    other = other or get_object_or_404(Person.objects.none())
    _require_editable(request, other)
    if other.pk == keep.pk:
        return _ask_with_whom(request, keep, notice=f"That is {keep.name}. Choose somebody else.")
    if request.method == "POST":
        return _merge(request, keep, other)
    return _draw(request, keep, other)


@allow(LABELER, MANAGER)
@require_POST
def undo_on_person(request: SignedInRequest, person_pk: int, key: UUID) -> HttpResponse:
    """Undo what a person's page did, and show the person again."""
    mine = Q(
        actor=request.user,
        kind=Decision.Kind.COVER,
        face__in=Face.objects.for_role(request.user, LABELER, MANAGER),
    )
    seen = decisions_seen_by(request.user).order_by().values("pk")
    decision = get_object_or_404(Decision.objects.filter(Q(pk__in=seen) | mine), key=key)
    visible = Person.objects.visible_to(request.user).filter(pk=person_pk)
    if person_pk != decision.person_id and not visible.exists():
        raise Http404
    try:
        undo_decision(decision=decision, actor=request.user)
    except UndoRefused as refused:
        messages.warning(request, refusal_words(refused))
    else:
        messages.success(request, "Undone. Everything is as it was before.")
    if request.POST.get("back") == "may-be-one":
        return redirect("may-be-one")
    return redirect("person", person_pk) if visible.exists() else redirect("people")


def _merge(request: SignedInRequest, keep: Person, other: Person) -> HttpResponse:
    form = MergeForm(request.POST)
    if not form.is_valid():
        return _draw(request, keep, other, notice="Press the button again.", status=422)
    try:
        decision = merge_people(keep=keep, other=other, actor=request.user, **form.cleaned_data)
    except TogetherOnPhotos:
        return _draw(request, keep, other, status=422)
    except (SamePerson, PersonGone):
        messages.warning(request, "One of the two was merged or removed meanwhile. Nothing was changed.")
        return redirect("people")
    except DecisionConflict:
        notice = "Somebody decided about these faces in this moment. Look again, then merge."
        return _draw(request, keep, other, notice=notice, status=409)
    # A face of another event may have said who it is not.
    moved = faces_of(decision, user=request.user).count()
    words = f"{other.name} is part of {keep.name} now: {count_faces(moved)} moved."
    say_done(request, words, decision=decision, person_pk=keep.pk)
    if request.POST.get("back") == "may-be-one":
        return redirect("may-be-one")
    return redirect("person", keep.pk)


def _ask_with_whom(request: SignedInRequest, keep: Person, *, notice: str = "") -> HttpResponse:
    form = CandidatesForm(request.GET)
    query = form.cleaned_data["q"] if form.is_valid() else ""
    context: dict[str, Any] = {
        "person": keep,
        "query": query,
        "candidates": find_candidates(keep, query=query, user=request.user),
        "notice": notice,
    }
    return render(request, "labeling/merge_with.html", context, status=422 if notice else 200)


def _draw(
    request: SignedInRequest, keep: Person, other: Person, *, notice: str = "", status: int = 200
) -> HttpResponse:
    swap = f"{reverse('merge-person', args=[other.pk])}?{urlencode({'with': keep.pk})}"
    context = {
        "compared": compare_sides(keep, other, user=request.user),
        "swap": swap,
        "key": uuid4(),
        "notice": notice,
    }
    return render(request, "labeling/merge.html", context, status=status)


def _require_editable(request: SignedInRequest, person: Person) -> None:
    """Whoever may rename both may merge them: people who are at no other events than those where they label."""
    if not Person.objects.editable_by(request.user).filter(pk=person.pk).exists():
        raise PermissionDenied
