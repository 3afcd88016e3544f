"""What one face caused under a name: the page that lists it, and the one button that takes it all back."""

from __future__ import annotations

from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from access.roles import LABELER, MANAGER, reach_of
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import DecisionConflict, NothingToDecide, PersonGone, take_back
from labeling.fields import SeenFacesField
from labeling.history.one import read_taken_back
from labeling.history.resting import PEOPLE_SHOWN, find_names, read_resting
from labeling.views._said import count_faces
from labeling.words import short_words
from recognition.models import Face, Person, Sighting

_GONE = "Somebody decided about one of these faces meanwhile, or nothing is left to take back. Look again."


class TakeBackForm(forms.Form):
    """The name to take off, and the faces named by people that lose it too."""

    person = forms.IntegerField(min_value=1)
    key = forms.UUIDField()
    version = forms.IntegerField(min_value=0)
    face = SeenFacesField(most=PEOPLE_SHOWN, required=False)


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def face_caused(request: SignedInRequest, face_id: UUID) -> HttpResponse:
    """List what rests on the face; a POST says that the face is not the person, and takes back what was chosen."""
    labeled = Face.objects.for_role(request.user, LABELER, MANAGER).select_related("photo__event")
    face = get_object_or_404(labeled, face_id=face_id)
    people = find_names(face, user=request.user)
    if request.method != "POST":
        return _show(request, face, people, _choose(people, request.GET.get("person", "")))
    form = TakeBackForm(request.POST)
    if not form.is_valid():
        notice = "Choose the faces again, then press the button."
        return _show(request, face, people, _choose(people, ""), notice=notice, status=422)
    data = form.cleaned_data
    person = next((one for one in people if one.pk == data["person"]), None)
    if person is None:
        raise Http404
    versions: dict[UUID, int] = data["face"] or {}
    also = list(labeled.filter(face_id__in=versions).exclude(pk=face.pk).order_by("pk"))
    if len(also) < len(versions.keys() - {face.face_id}):
        raise Http404
    try:
        decision = take_back(
            face=face,
            person=person,
            actor=request.user,
            also=also,
            versions={face.pk: data["version"], **{one.pk: versions[one.face_id] for one in also}},
            key=data["key"],
        )
    except (DecisionConflict, NothingToDecide, PersonGone):
        return _show(request, face, find_names(face, user=request.user), person, notice=_GONE, status=409)
    taken = decision.face_count + len(read_taken_back(decision, user=request.user))
    messages.success(
        request, f"{short_words(decision)}. {count_faces(taken)} in one decision; undo it below."
    )
    return redirect("decision", key=decision.key)


def _show(
    request: SignedInRequest,
    face: Face,
    people: list[Person],
    person: Person | None,
    *,
    notice: str = "",
    status: int = 200,
) -> HttpResponse:
    sighting = Sighting.objects.filter(face=face, person=person).first() if person is not None else None
    context = {
        "face": face,
        "person": person,
        "people": people,
        "scoped": not reach_of(request.user, LABELER, MANAGER).everywhere,
        "told": read_resting(face, person, user=request.user) if person is not None else None,
        "has_name": sighting is not None,
        "by_machine": sighting is not None and sighting.decided_by == Sighting.DecidedBy.MACHINE,
        "is_reference": sighting is not None and sighting.is_reference,
        "seen": person is not None and Person.objects.visible_to(request.user).filter(pk=person.pk).exists(),
        "key": uuid4(),
        "notice": notice,
        "section": "people",
    }
    return render(request, "labeling/caused.html", context, status=status)


def _choose(people: list[Person], asked: str) -> Person | None:
    """The name that was asked for, else that of now."""
    chosen = next((one for one in people if str(one.pk) == asked), None)
    return chosen or (people[0] if people else None)
