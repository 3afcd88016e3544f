"""Create a person, change their names and number, and remove somebody whom no face carries."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from recognition.models import Person, Sighting
from recognition.people.edits import (
    ExternalIdTaken,
    NameTaken,
    PersonHasFaces,
    create_person,
    delete_person,
    may_create_people,
    update_person,
)
from recognition.people.forms import PersonForm
from recognition.people.loading import load_people
from recognition.views.merged import redirect_to_kept


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def create(request: SignedInRequest) -> HttpResponse:
    if not may_create_people(request.user):
        raise PermissionDenied
    return _edit(request, None)


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, person_pk: int) -> HttpResponse:
    person = Person.objects.visible_to(request.user).filter(pk=person_pk).first()
    if person is None:
        return redirect_to_kept(request, person_pk)
    if not Person.objects.editable_by(request.user).filter(pk=person.pk).exists():
        raise PermissionDenied
    return _edit(request, person)


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: SignedInRequest, person_pk: int) -> HttpResponse:
    person = get_object_or_404(Person.objects.visible_to(request.user), pk=person_pk)
    if not may_create_people(request.user):
        raise PermissionDenied
    status = 200
    if request.method == "POST":
        try:
            delete_person(person=person)
        except PersonHasFaces:
            status = 409
        else:
            messages.success(request, f"{person.name} is deleted.")
            return redirect("people")
    context = {"person": person, "faces": Sighting.objects.filter(person=person).count()}
    return render(request, "recognition/person_delete.html", context, status=status)


def _edit(request: SignedInRequest, person: Person | None) -> HttpResponse:
    if request.method != "POST":
        initial: dict[str, Any] = {"name": request.GET.get("name", "")}
        if person is not None:
            initial = {
                "name": person.name,
                "external_id": person.external_id,
                "aliases": person.aliases,
            }
        return _draw(request, person, PersonForm(initial=initial))
    form = PersonForm(request.POST)
    if not form.is_valid():
        return _draw(request, person, form, status=422)
    try:
        saved = (
            create_person(**form.cleaned_data)
            if person is None
            # A row of its own: what is drawn after a refusal is the person as they are.
            else update_person(person=Person.objects.get(pk=person.pk), **form.cleaned_data)
        )
    except NameTaken as taken:
        return _draw(request, person, form, namesakes=taken.people, status=422)
    except ExternalIdTaken as taken:
        own = person is not None and taken.owner is not None and taken.owner.pk == person.pk
        form.add_error(
            "external_id",
            "It is the id of somebody who was merged into this person. Undo the merge to use it."
            if own
            else "This external id belongs to somebody else.",
        )
        if own:
            return _draw(request, person, form, status=422)
        return _draw(request, person, form, owner=taken.owner, status=422)
    messages.success(
        request,
        "The changes are saved."
        if person
        else f"{saved.name} is created. Name faces after them at the desk.",
    )
    return redirect("person", saved.pk)


def _draw(
    request: SignedInRequest,
    person: Person | None,
    form: PersonForm,
    *,
    namesakes: list[Person] | None = None,
    owner: Person | None = None,
    status: int = 200,
) -> HttpResponse:
    """Of others the user learns what they may see: who shares a name is named by it anyway, who has a number is not."""
    asked = [other.pk for other in namesakes or []]
    visible = Person.objects.visible_to(request.user).filter(pk__in=[*asked, owner.pk if owner else 0])
    seen = set(visible.values_list("pk", flat=True)) if namesakes or owner else set()
    context = {
        "person": person,
        "form": form,
        "namesakes": load_people([pk for pk in asked if pk in seen], user=request.user),
        "hidden_namesakes": len(set(asked) - seen),
        "asking": bool(namesakes),
        "owner": owner if owner is not None and owner.pk in seen else None,
    }
    return render(request, "recognition/person_form.html", context, status=status)
