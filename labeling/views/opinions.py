"""The second opinion: one named face at a time, without its name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.models import SecondOpinion
from labeling.suggestions import Suggestion, suggest_people
from labeling.team.leases import take_lease
from labeling.team.opinions import OpinionRefused, differing_opinions, record_opinion
from labeling.team.sampling import names_to_review, next_to_review
from recognition.models import Event, Face, Person
from recognition.people.loading import load_people
from recognition.photos.boxes import draw_preview
from recognition.text import clean_name

CANDIDATES = 5
_TEXT_LINES = 32
# The same for somebody whom the user does not see and for nobody: which ids there are is not told.
_NOT_OFFERED = "That choice is not there any more."


class OpinionForm(forms.Form):
    """One answer: a person of the list, a typed name, or none of them."""

    person = forms.ModelChoiceField(
        Person.objects.current(), required=False, error_messages={"invalid_choice": _NOT_OFFERED}
    )
    name = forms.CharField(required=False, max_length=2000)
    answer = forms.ChoiceField(
        choices=[(value, value) for value in (SecondOpinion.Answer.UNSURE, SecondOpinion.Answer.STRANGER)],
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if not data.get("person") and not clean_name(data.get("name", "")) and not data.get("answer"):
            raise forms.ValidationError("Choose one of the people, type a name, or say that you cannot tell.")
        return data


@allow(LABELER, MANAGER)
@require_safe
def second_opinion(request: SignedInRequest) -> HttpResponse:
    """The next face to look at again, on an address of its own."""
    event = read_event(request)
    face = next_to_review(request.user, event=event)
    if face is not None:
        return redirect(_address(face, event))
    context = {
        "event": event,
        "differing": differing_opinions(request.user, event=event).count(),
        "section": "label",
    }
    return render(request, "labeling/team_second_none.html", context)


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def give_opinion(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    """Who is it? Nothing on the page tells what the first person said."""
    face = get_object_or_404(
        Face.objects.for_role(request.user, LABELER, MANAGER).select_related("photo__event"), face_id=face_id
    )
    event = read_event(request)
    if not names_to_review(request.user).filter(face=face).exists():
        if request.method == "POST":
            messages.info(request, "Somebody has answered for that face meanwhile.")
        return redirect(_next_address(event))
    suggestions = suggest_people(face, CANDIDATES, user=request.user)
    if request.method != "POST":
        take_lease(user=request.user, card=f"second-{face.pk}")
        return _show(request, face, event, suggestions)
    form = OpinionForm(request.POST)
    if not form.is_valid():
        return _show(request, face, event, suggestions, error=_first_error(form), status=422)
    data = form.cleaned_data
    person = data["person"]
    if person is not None and not _may_choose(person, request, suggestions):
        return _show(request, face, event, suggestions, error=_NOT_OFFERED, status=422)
    if person is None and not data["answer"]:
        named = list(Person.objects.named(data["name"]))
        if len(named) != 1:
            return _show_name_unclear(request, face, event, clean_name(data["name"]), named)
        person = named[0]
    try:
        record_opinion(
            face=face, actor=request.user, answer=data["answer"] or SecondOpinion.Answer.PERSON, person=person
        )
    except OpinionRefused as refused:
        messages.info(request, str(refused))
    else:
        messages.success(request, "Your answer is kept. No name was changed.")
    return HttpResponseRedirect(_next_address(event))


def _show(
    request: SignedInRequest,
    face: Face,
    event: Event | None,
    suggestions: list[Suggestion],
    *,
    error: str = "",
    name: str = "",
    people: list[Person] | None = None,
    status: int = 200,
) -> HttpResponse:
    drawn = draw_preview(face.photo, lines=_TEXT_LINES)
    context = {
        "face": face,
        "event": event,
        "suggestions": suggestions,
        "this": next((box for box in drawn.faces if box.face.pk == face.pk), None),
        "left": names_to_review(request.user, event=event).count(),
        "error": error,
        "name": name,
        "people": people or [],
        "section": "label",
    }
    return render(request, "labeling/team_second.html", context, status=status)


def _show_name_unclear(
    request: SignedInRequest, face: Face, event: Event | None, name: str, named: list[Person]
) -> HttpResponse:
    """Nobody is created here: an unknown name is nobody we name."""
    seen = Person.objects.visible_to(request.user).filter(pk__in=[person.pk for person in named])
    people = load_people(list(seen.values_list("pk", flat=True)), user=request.user)
    error = (
        f"Several people are called {name}. Choose one of them."
        if people
        else f"Nobody is called {name}. Check the spelling, or press “Nobody we name”."
    )
    suggestions = suggest_people(face, CANDIDATES, user=request.user)
    return _show(request, face, event, suggestions, error=error, name=name, people=people, status=422)


def _may_choose(person: Person, request: SignedInRequest, suggestions: list[Suggestion]) -> bool:
    """Somebody they see, or whom the card named: else names of other events could be had by counting ids."""
    if any(suggestion.person.pk == person.pk for suggestion in suggestions):
        return True
    return Person.objects.visible_to(request.user).filter(pk=person.pk).exists()


def read_event(request: SignedInRequest) -> Event | None:
    text = request.POST.get("event") or request.GET.get("event") or ""
    if not text.isdecimal() or len(text) > 18:
        return None
    return Event.objects.for_role(request.user, LABELER, MANAGER).filter(pk=int(text)).first()


def _address(face: Face, event: Event | None) -> str:
    return reverse("give-opinion", args=[face.face_id]) + (f"?event={event.pk}" if event else "")


def _next_address(event: Event | None) -> str:
    return reverse("second-opinion") + (f"?event={event.pk}" if event else "")


def _first_error(form: OpinionForm) -> str:
    return str(next(iter(next(iter(form.errors.values())))))
