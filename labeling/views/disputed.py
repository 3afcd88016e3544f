"""The queue of disputed names: the face between two people's references, and three answers."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import DecisionConflict, PersonGone
from labeling.disputes import answer_dispute, disputes_seen_by, reopen_dispute
from labeling.views._said import say_answered, say_done
from labeling.views.people_lists import UNDO, Half, read_best_faces
from recognition.embedders import EmbedderUnknown, describe_embedder
from recognition.models import DisputedFace
from recognition.people.audit import NOT_COMPARED, Closeness, describe_closeness
from recognition.people.loading import load_people

PER_PAGE = 12
Answer = DisputedFace.Answer


class AnswerForm(forms.Form):
    dispute = forms.ModelChoiceField(DisputedFace.objects.none())
    answer = forms.ChoiceField(choices=[(answer, answer) for answer in Answer if answer])
    version = forms.IntegerField(min_value=0)


class UndoForm(forms.Form):
    undo = forms.IntegerField(min_value=1)


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def disputed_faces(request: SignedInRequest) -> HttpResponse:
    """Names that the other embedder would give to somebody else; a POST answers one, or takes an answer back."""
    if request.method == "POST":
        _take_back(request) if UNDO in request.POST else _answer(request)
        return redirect("disputed-faces")
    disputes = disputes_seen_by(request.user).select_related(
        "face__photo__event", "face__sighting", "reembedding"
    )
    page = Paginator(disputes, PER_PAGE).get_page(request.GET.get("page"))
    pks = list({pk for one in page.object_list for pk in (one.named_id, one.proposed_id)})
    people = {person.pk: person for person in load_people(pks, user=request.user)}
    faces = read_best_faces(pks, request.user)
    rows = [
        {
            "dispute": one,
            "named": Half(person=people[one.named_id], faces=faces[one.named_id]),
            "proposed": Half(person=people[one.proposed_id], faces=faces[one.proposed_id]),
            "named_word": _word_of(one, one.similarity),
            "proposed_word": _word_of(one, one.proposed_similarity),
        }
        for one in page.object_list
    ]
    return render(request, "labeling/disputed.html", {"page": page, "rows": rows, "section": "label"})


def _word_of(dispute: DisputedFace, similarity: float | None) -> Closeness:
    """By the lines that the other embedder came with."""
    try:
        lines = describe_embedder(dispute.reembedding.target).shipped
    except EmbedderUnknown:
        return NOT_COMPARED
    return NOT_COMPARED if similarity is None else describe_closeness(similarity, lines)


def _answer(request: SignedInRequest) -> None:
    form = AnswerForm(request.POST)
    field = form.fields["dispute"]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = disputes_seen_by(request.user).select_related("face__photo", "named", "proposed")
    if not form.is_valid():
        messages.warning(request, "Somebody has answered for this face, or its name has changed.")
        return
    dispute, answer = form.cleaned_data["dispute"], form.cleaned_data["answer"]
    try:
        decision = answer_dispute(
            dispute=dispute, actor=request.user, answer=answer, version=form.cleaned_data["version"]
        )
    except DecisionConflict:
        messages.warning(request, "Somebody decided about this face meanwhile. Nothing of yours was saved.")
    except PersonGone:
        messages.warning(request, "That person was removed meanwhile. Look at the face at the desk.")
    else:
        words = {
            Answer.KEPT: f"{dispute.named.name} stays.",
            Answer.CHANGED: f"Now it is {dispute.proposed.name}.",
            Answer.UNSURE: f"{dispute.named.name} stays, and the face is off this list.",
        }[answer]
        if decision is None:
            say_answered(request, words, undo=str(dispute.pk))
        else:
            person = dispute.proposed_id if answer == Answer.CHANGED else dispute.named_id
            say_done(request, words, decision=decision, person_pk=person)


def _take_back(request: SignedInRequest) -> None:
    form = UndoForm(request.POST)
    if form.is_valid() and reopen_dispute(dispute_pk=form.cleaned_data["undo"], actor=request.user):
        messages.success(request, "Undone. The face is on the list again.")
    else:
        messages.warning(request, "There is no such answer of yours any more.")
