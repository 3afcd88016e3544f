"""Checks of the machine's names: one drawn name at a time, yes or no, and what came out so far."""

from __future__ import annotations

from typing import Any, get_args
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from access.roles import LABELER, MANAGER, SEEING
from access.rules import allow
from facevault_site.htmx import SignedInRequest, is_partial
from labeling.checks import checks_to_ask, find_check, next_check, read_report, reopen_check
from labeling.checks.asking import CheckAnswered, Reply, answer_check, card_of, person_of
from labeling.decisions import DecisionConflict, NothingToDecide, PersonGone, UndoRefused
from labeling.models import NameCheck
from labeling.team.leases import take_lease
from labeling.views._said import refusal_words
from recognition.models import Face, Person, Sighting
from recognition.photos.boxes import draw_preview

REFERENCES_SHOWN = 3
_TEXT_LINES = 32
_SAID: dict[Reply, str] = {
    "right": "Right: {} is verified.",
    "wrong": "Wrong: {} is taken off this face, which is back in the queue.",
    "unsure": "Kept as “cannot tell”. {} stays as it is.",
}


class AnswerForm(forms.Form):
    answer = forms.ChoiceField(choices=[(reply, reply) for reply in get_args(Reply)])
    key = forms.UUIDField()
    version = forms.IntegerField(min_value=0)


@allow(LABELER, MANAGER)
@require_safe
def name_checks(request: SignedInRequest) -> HttpResponse:
    """The next name to check, and how often the machine was right so far."""
    return _show(request, next_check(request.user))


@allow(LABELER, MANAGER)
@require_safe
def name_check(request: SignedInRequest, check_pk: int) -> HttpResponse:
    """One of them on an address of its own; one that is answered leads to the next."""
    check = _find(request, check_pk)
    if check.answer != NameCheck.Answer.NONE:
        return redirect("name-checks")
    return _show(request, check)


@allow(LABELER, MANAGER)
@require_POST
def answer(request: SignedInRequest, check_pk: int) -> HttpResponse:
    """Keep the answer as a decision, then show the next name."""
    check = _find(request, check_pk)
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _show(request, check, notice="Press one of the buttons below the question.", status=422)
    data = form.cleaned_data
    reply: Reply = data["answer"]
    name = person_of(check).name
    try:
        answer_check(check=check, reply=reply, actor=request.user, version=data["version"], key=data["key"])
    except (CheckAnswered, DecisionConflict, NothingToDecide, PersonGone):
        notice = "Somebody decided about that face first. Nothing of yours was saved; here is the next name."
        return _show(request, next_check(request.user), notice=notice, status=409)
    said = format_html(
        '{} <button type="submit" class="link" form="undo-check" formaction="{}" data-hotkey="u" '
        'aria-keyshortcuts="u">Undo</button> <kbd>u</kbd>',
        _SAID[reply].format(name),
        reverse("undo-check", args=[check.pk]),
    )
    if reply == "wrong" and (cause := _find_cause(check, request)) is not None:
        link = reverse("face-caused", args=[cause.face_id])
        said = format_html('{} <a href="{}">What its reference caused</a>', said, link)
    if is_partial(request):
        return _show(request, next_check(request.user), said=said)
    messages.success(request, said)
    return redirect("name-checks")


@allow(LABELER, MANAGER)
@require_POST
def undo(request: SignedInRequest, check_pk: int) -> HttpResponse:
    """Take one's own answer back, and ask again."""
    check = _find(request, check_pk)
    try:
        reopen_check(check=check, actor=request.user)
    except UndoRefused as refused:
        return _show(request, next_check(request.user), notice=refusal_words(refused), status=409)
    except (CheckAnswered, PermissionDenied):
        notice = "That answer is not yours to take back, or somebody decided since."
        return _show(request, next_check(request.user), notice=notice, status=409)
    if is_partial(request):
        return _show(request, _find(request, check_pk), said="Undone. Answer again.")
    messages.success(request, "Undone. Answer again.")
    return redirect("name-check", check_pk=check.pk)


def _show(
    request: SignedInRequest, check: NameCheck | None, *, notice: str = "", said: str = "", status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "report": read_report(user=request.user),
        "left": checks_to_ask(request.user).count(),
        "notice": notice,
        "said": said,
        "section": "quality",
    }
    if check is not None:
        context |= _describe(request, check)
    template = "labeling/checks.html" + ("#checks" if is_partial(request) else "")
    return render(request, template, context, status=status)


def _describe(request: SignedInRequest, check: NameCheck) -> dict[str, Any]:
    """The card: the face, the person by some references that the user may see, and the photo. No score: it would tell."""
    face, person = check.face, person_of(check)
    drawn = draw_preview(face.photo, names=False, lines=_TEXT_LINES)
    references = Face.objects.for_role(request.user, *SEEING).filter(
        sighting__person=person, sighting__is_reference=True
    )
    return {
        "check": check,
        "face": face,
        "person": person,
        "references": references.exclude(pk=face.pk).order_by("-size", "pk")[:REFERENCES_SHOWN],
        "seen": Person.objects.visible_to(request.user).filter(pk=person.pk).exists(),
        "this": next((box for box in drawn.faces if box.face.pk == face.pk), None),
        "elsewhere": take_lease(user=request.user, card=card_of(check)),
        "key": uuid4(),
    }


def _find(request: SignedInRequest, check_pk: int) -> NameCheck:
    check = find_check(check_pk, request.user)
    if check is None:
        raise Http404
    return check


def _find_cause(check: NameCheck, request: SignedInRequest) -> Face | None:
    """The reference that the wrong name stood on, if it still is one and the user may decide about it."""
    taken = check.face.decided.filter(before__sighting__decided_by=Sighting.DecidedBy.MACHINE)
    before = taken.order_by("-decision_id").values_list("before__sighting__references", flat=True).first()
    if not before:
        return None
    labeled = Face.objects.for_role(request.user, LABELER, MANAGER)
    return labeled.filter(pk=before[0], sighting__is_reference=True).first()
