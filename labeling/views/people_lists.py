"""The two lists of what may be wrong with people: twice on a photo, and two who may be one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import F, Window
from django.db.models.functions import RowNumber
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.roles import LABELER, MANAGER, User, require_role
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.models import AlikePeople
from labeling.people.alike import pairs_seen_by, tell_different, tell_perhaps_one
from labeling.people.conflicts import load_twice, open_twice, settle_twice, twice_seen_by
from labeling.views._said import say_answered
from recognition.active_embedder import find_active_info
from recognition.models import Person, Photo, Sighting
from recognition.people.audit import Closeness, describe_closeness
from recognition.people.loading import load_people

PER_PAGE = 12
FACES_SHOWN = 4
UNDO = "undo"


class TwiceForm(forms.Form):
    photo = forms.ModelChoiceField(Photo.objects.none())
    person = forms.ModelChoiceField(Person.objects.none())


class DifferentForm(forms.Form):
    one = forms.ModelChoiceField(Person.objects.none())
    another = forms.ModelChoiceField(Person.objects.none())


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    person: Person
    faces: list[Sighting]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    """Two who may be one. `keep` is on more photos: the other one becomes part of them."""

    keep: Half
    other: Half
    closeness: Closeness | None
    key: UUID


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def twice(request: SignedInRequest) -> HttpResponse:
    """People who are on a photo more than once; a POST says of one that this is right, or takes that back."""
    if request.method == "POST":
        form = TwiceForm(_read_answer(request, "photo", "person"))
        _choose_from(form, "photo", Photo.objects.visible_to(request.user))
        _choose_from(form, "person", Person.objects.visible_to(request.user))
        if form.is_valid():
            photo, person = form.cleaned_data["photo"], form.cleaned_data["person"]
            require_role(request.user, photo.event_id, LABELER, MANAGER)
            if UNDO in request.POST:
                open_twice(photo=photo, person=person)
                messages.success(request, f"Undone. {person.name} on {photo.name} is to be looked at again.")
            elif settle_twice(photo=photo, person=person, actor=request.user):
                words = f"{person.name} may be on {photo.name} more than once."
                say_answered(request, words, undo=f"{photo.pk}-{person.pk}")
            else:
                messages.warning(request, f"{person.name} is not on {photo.name} more than once any more.")
        else:
            messages.warning(request, "This photo or person is not there any more.")
        return redirect("twice-on-photo")
    # All of them at once: counting and cutting would each go over all names.
    page = Paginator(list(twice_seen_by(request.user)), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(row, uuid4()) for row in load_twice(list(page.object_list), user=request.user)]
    return render(request, "labeling/twice.html", {"page": page, "rows": rows})


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def may_be_one(request: SignedInRequest) -> HttpResponse:
    """Pairs of people who look alike; a POST says of two that they are two, or takes that back."""
    if request.method == "POST":
        form = DifferentForm(_read_answer(request, "one", "another"))
        for name in ("one", "another"):
            _choose_from(form, name, Person.objects.visible_to(request.user))
        if form.is_valid() and form.cleaned_data["one"] != form.cleaned_data["another"]:
            one, another = form.cleaned_data["one"], form.cleaned_data["another"]
            editable = Person.objects.editable_by(request.user).filter(pk__in=[one.pk, another.pk])
            if editable.count() < 2:
                raise PermissionDenied
            if UNDO in request.POST:
                tell_perhaps_one(one=one, another=another)
                messages.success(request, f"Undone. {one.name} and {another.name} may be one again.")
            else:
                tell_different(one=one, another=another, actor=request.user)
                words = f"{one.name} and {another.name} are two people."
                say_answered(request, words, undo=f"{one.pk}-{another.pk}")
        else:
            messages.warning(request, "One of the two is not there any more.")
        return redirect("may-be-one")
    page = Paginator(pairs_seen_by(request.user), PER_PAGE).get_page(request.GET.get("page"))
    rows = _read_rows(list(page.object_list), request.user)
    return render(request, "labeling/may_be_one.html", {"page": page, "rows": rows})


def _read_answer(request: SignedInRequest, *names: str) -> Mapping[str, str]:
    """What an answer is about; the Undo of the last one posts the numbers as one value."""
    if UNDO in request.POST:
        return dict(zip(names, request.POST[UNDO].split("-"), strict=False))
    return request.POST


def _read_rows(pairs: list[AlikePeople], user: User) -> list[PairRow]:
    pks = list({pk for pair in pairs for pk in (pair.first_id, pair.second_id)})
    people = {person.pk: person for person in load_people(pks, user=user)}
    faces = read_best_faces(pks, user)
    rows = []
    for pair in pairs:
        both = [Half(person=people[pk], faces=faces[pk]) for pk in (pair.first_id, pair.second_id)]
        both.sort(key=lambda half: -half.person.visit_count)  # type: ignore[attr-defined]
        closeness = _describe(pair.similarity)
        rows.append(PairRow(keep=both[0], other=both[1], closeness=closeness, key=uuid4()))
    return rows


def read_best_faces(person_pks: Iterable[int], user: User) -> dict[int, list[Sighting]]:
    """The largest references of each."""
    place = Window(
        RowNumber(),
        partition_by=[F("person")],
        order_by=[F("is_reference").desc(), F("face__size").desc(), "pk"],
    )
    seen = Sighting.objects.visible_to(user).filter(person__in=list(person_pks)).order_by()
    best = seen.annotate(place=place).filter(place__lte=FACES_SHOWN).select_related("face__photo")
    found: defaultdict[int, list[Sighting]] = defaultdict(list)
    for sighting in best.order_by("person", "place"):
        found[sighting.person_id].append(sighting)
    return found


def _describe(similarity: float) -> Closeness | None:
    info = find_active_info()
    return describe_closeness(similarity, info.shipped) if info is not None else None


def _choose_from(form: forms.Form, name: str, rows: object) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ModelChoiceField)
    field.queryset = rows  # type: ignore[assignment]
