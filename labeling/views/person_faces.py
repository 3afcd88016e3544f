"""Decisions from a person's page: which faces are theirs, and which of them are references."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from access.roles import LABELER, MANAGER, SEEING, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.people.faces import ACTIONS, Chosen, decide_faces, outcome_words
from recognition.models import Face, Person
from recognition.people.forms import PersonPageForm
from recognition.views.people import FACES_PER_PAGE


class _FacesField(forms.MultipleChoiceField):
    """What the boxes post: a face's public id, and the version of it that the page showed."""

    def to_python(self, value: Any) -> Any:
        found = {}
        for text in super().to_python(value)[:FACES_PER_PAGE]:
            face_id, _, version = text.partition(":")
            try:
                found[UUID(face_id)] = int(version)
            except ValueError:
                raise forms.ValidationError("Choose the faces again.", code="invalid") from None
        return found

    def validate(self, value: Any) -> None:
        if not value:
            raise forms.ValidationError("Choose at least one face first.", code="required")


class PersonFacesForm(forms.Form):
    action = forms.ChoiceField(choices=[(action, action) for action in ACTIONS])
    key = forms.UUIDField()
    face = _FacesField(error_messages={"required": "Choose at least one face first."})


@allow(LABELER, MANAGER)
@require_POST
def person_faces(request: SignedInRequest, person_pk: int) -> HttpResponse:
    """Decide about the chosen faces, then show the person again."""
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=person_pk)
    form = PersonFacesForm(request.POST)
    if not form.is_valid():
        said = form.errors.get("face") or ["Choose a button below the faces."]
        messages.warning(request, str(said[0]))
        return _back(request, person)
    versions: dict[UUID, int] = form.cleaned_data["face"]
    shown = Face.objects.for_role(request.user, *SEEING).filter(face_id__in=versions)
    faces = {face.face_id: face for face in shown.select_related("photo")}
    if len(faces) < len(versions):
        raise Http404
    for face in faces.values():
        require_role(request.user, face.photo.event_id, LABELER, MANAGER)
    outcome = decide_faces(
        person=person,
        chosen=[Chosen(face=faces[face_id], version=version) for face_id, version in versions.items()],
        action=form.cleaned_data["action"],
        actor=request.user,
        key=form.cleaned_data["key"],
    )
    words = " ".join(outcome_words(form.cleaned_data["action"], outcome))
    if outcome.done:
        link = reverse("decisions") + "?who=mine"
        messages.success(request, format_html('{} <a href="{}">Undo under Decisions</a>', words, link))
    else:
        messages.warning(request, words)
    return _back(request, person)


def _back(request: SignedInRequest, person: Person) -> HttpResponse:
    """To where the faces were chosen. With the last face the person may have left the user's sight."""
    if not Person.objects.visible_to(request.user).filter(pk=person.pk).exists():
        return redirect("people")
    form = PersonPageForm(request.POST)
    form.is_valid()
    page = request.POST.get("page", "")
    values = {"show": form.cleaned_data["show"], "page": page if page.isdecimal() and page != "1" else ""}
    given = urlencode({name: value for name, value in values.items() if value})
    return redirect(reverse("person", args=[person.pk]) + (f"?{given}" if given else ""))
