"""Decisions from a person's page: which faces are theirs, and which of them are references."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from access.roles import LABELER, MANAGER, SEEING, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import DecisionConflict, NothingToDecide, PersonGone
from labeling.fields import SeenFacesField
from labeling.people.conflicts import forget_counts
from labeling.people.covers import choose_cover
from labeling.people.faces import ACTIONS, Chosen, decide_faces, outcome_words
from labeling.views._said import say_done, say_undo_later
from recognition.models import Face, Person
from recognition.people.forms import PersonPageForm
from recognition.views.people import FACES_PER_PAGE

COVER = "cover"


class PersonFacesForm(forms.Form):
    action = forms.ChoiceField(choices=[(action, action) for action in (*ACTIONS, COVER)])
    key = forms.UUIDField()
    face = SeenFacesField(most=FACES_PER_PAGE)


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
    faces = find_faces(request, versions)
    if form.cleaned_data["action"] == COVER:
        return _choose_cover(request, person, list(faces.values()), form.cleaned_data["key"])
    outcome = decide_faces(
        person=person,
        chosen=[Chosen(face=faces[face_id], version=version) for face_id, version in versions.items()],
        action=form.cleaned_data["action"],
        actor=request.user,
        key=form.cleaned_data["key"],
    )
    words = " ".join(outcome_words(form.cleaned_data["action"], outcome))
    if outcome.decision is not None and _is_seen(request, person):
        say_done(request, words, decision=outcome.decision, person_pk=person.pk)
    elif outcome.done:
        say_undo_later(request, words)
    else:
        messages.warning(request, words)
    return _back(request, person)


def find_faces(request: SignedInRequest, face_ids: Collection[UUID]) -> dict[UUID, Face]:
    """These faces, by public id. Raises Http404 for one that the user does not see, PermissionDenied for one that is not
    theirs to decide about."""
    shown = Face.objects.for_role(request.user, *SEEING).filter(face_id__in=face_ids)
    faces = {face.face_id: face for face in shown.select_related("photo")}
    if len(faces) < len(face_ids):
        raise Http404
    for face in faces.values():
        require_role(request.user, face.photo.event_id, LABELER, MANAGER)
    return faces


def _choose_cover(request: SignedInRequest, person: Person, faces: Sequence[Face], key: UUID) -> HttpResponse:
    """What stands for a person is seen at all of their events, so it takes the right to rename them."""
    if not Person.objects.editable_by(request.user).filter(pk=person.pk).exists():
        raise PermissionDenied
    if len(faces) != 1:
        messages.warning(request, "Choose one face for the cover.")
        return _back(request, person)
    try:
        decision = choose_cover(person=person, face=faces[0], actor=request.user, key=key)
    except NothingToDecide:
        messages.warning(request, "This face is the cover already, or has lost the name meanwhile.")
    except (DecisionConflict, PersonGone):
        messages.warning(request, "Somebody changed this person meanwhile. Look again.")
    else:
        say_done(request, f"This face stands for {person.name} now.", decision=decision, person_pk=person.pk)
    return _back(request, person)


def _back(request: SignedInRequest, person: Person) -> HttpResponse:
    """To where the faces were chosen. With the last face the person may have left the user's sight."""
    if request.POST.get("back") == "twice":
        forget_counts()
        return redirect("twice-on-photo")
    if not _is_seen(request, person):
        return redirect("people")
    form = PersonPageForm(request.POST)
    form.is_valid()
    page = request.POST.get("page", "")
    values = {"show": form.cleaned_data["show"], "page": page if page.isdecimal() and page != "1" else ""}
    given = urlencode({name: value for name, value in values.items() if value})
    return redirect(reverse("person", args=[person.pk]) + (f"?{given}" if given else ""))


def _is_seen(request: SignedInRequest, person: Person) -> bool:
    return Person.objects.visible_to(request.user).filter(pk=person.pk).exists()
