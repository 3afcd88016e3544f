"""Two people under one name: pick the faces of the other one, or take the proposal, and say who they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.roles import LABELER, MANAGER
from access.rules import allow
from facevault_site.htmx import SignedInRequest
from labeling.decisions import DecisionConflict, NameRefused, NameShared, NothingToDecide, PersonGone
from labeling.fields import SeenFacesField
from labeling.models import Decision
from labeling.people.renaming import NameAsked, may_choose, put_back, rename_faces, suggest_names
from labeling.people.splitting import propose_split
from labeling.views._said import count_faces, say_done
from labeling.views.person_faces import find_faces
from recognition.models import Face, Person, Sighting
from recognition.people.loading import load_people, mark_decidable
from recognition.views.merged import redirect_to_kept

# Of either part; the others are said to be there.
SHOWN = 96
_MOST = 2 * SHOWN


class SplitForm(forms.Form):
    """`pick` only shows the faces again; the others say what becomes of them, or a `person` does."""

    ACTIONS = ("pick", "name", "new", "another", "queue")

    action = forms.ChoiceField(choices=[(action, action) for action in ACTIONS], required=False)
    key = forms.UUIDField(required=False)
    face = SeenFacesField(most=_MOST)
    name = forms.CharField(required=False, max_length=2000, strip=False)
    person = forms.ModelChoiceField(Person.objects.current(), required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Faces of one of the two; `more` of them are not shown."""

    sightings: list[Sighting]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is unclear or wrong about the name that was typed."""

    name: str = ""
    people: Sequence[Person] = ()
    error: str = ""


@allow(LABELER, MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def split(request: SignedInRequest, person_pk: int) -> HttpResponse:
    person = Person.objects.visible_to(request.user).filter(pk=person_pk).first()
    if person is None:
        return redirect_to_kept(request, person_pk)
    if request.method != "POST":
        return _draw_proposal(request, person)
    form = SplitForm(request.POST)
    # Somebody who is not there is answered like somebody whom the user does not see: which ids there are is not told.
    if not form.is_valid() and form.errors.keys() - {"person"}:
        said = form.errors.get("face") or ["That choice is not there any more. Choose again."]
        messages.warning(request, str(said[0]))
        return (
            redirect("split-person", person.pk)
            if "face" not in request.POST
            else redirect("person", person.pk)
        )
    data = form.cleaned_data
    faces = find_faces(request, data["face"])
    chosen: Person | None = data.get("person")
    if form.errors or (chosen is not None and not may_choose(chosen, typed=data["name"], user=request.user)):
        return _draw_picked(request, person, faces, Asked(error="Choose somebody, or type a name."))
    if chosen is None and data["action"] in {"", "pick"}:
        return _draw_picked(request, person, faces)
    return _decide(request, person, form, faces)


def _decide(
    request: SignedInRequest, person: Person, form: SplitForm, faces: dict[UUID, Face]
) -> HttpResponse:
    data = form.cleaned_data
    versions = {faces[face_id].pk: version for face_id, version in data["face"].items()}
    mine = Sighting.objects.filter(person=person, face__in=versions).values_list("face", flat=True)
    theirs = set(mine)
    wanted = [face for face in faces.values() if face.pk in theirs]
    key = data["key"] or uuid4()
    try:
        if Decision.objects.filter(key=key, actor=request.user).exists():
            return redirect("person", person.pk)
        if data["action"] == "queue" and data["person"] is None:
            decision = put_back(person=person, faces=wanted, actor=request.user, versions=versions, key=key)
        else:
            decision = rename_faces(
                person=person,
                faces=wanted,
                actor=request.user,
                chosen=data["person"],
                name=data["name"],
                new=data["action"] == "new",
                another=data["action"] == "another",
                versions=versions,
                key=key,
            )
    except NameAsked as asked:
        people = load_people([one.pk for one in asked.people], user=request.user)
        return _draw_picked(request, person, faces, Asked(name=asked.name, people=people), status=422)
    except NameShared as shared:
        people = load_people([one.pk for one in shared.people], user=request.user)
        return _draw_picked(request, person, faces, Asked(name=data["name"], people=people), status=422)
    except NameRefused as refused:
        return _draw_picked(request, person, faces, Asked(error=str(refused)), status=422)
    except NothingToDecide:
        error = "Nothing is left to do: these faces were decided about, or the person is on all of their photos already."
        return _draw_picked(request, person, faces, Asked(error=error), status=409)
    except (DecisionConflict, PersonGone):
        error = "Somebody decided about one of these faces meanwhile. Nothing was changed: look again."
        return _draw_picked(request, person, faces, Asked(error=error), status=409)
    say_done(request, _done_words(decision, person, len(faces)), decision=decision, person_pk=person.pk)
    if Person.objects.visible_to(request.user).filter(pk=person.pk).exists():
        return redirect("person", person.pk)
    return redirect("people")


def _done_words(decision: Decision, person: Person, asked: int) -> str:
    moved, left = decision.face_count, asked - decision.face_count
    if decision.kind == Decision.Kind.REJECT:
        words = f"{count_faces(moved)} went back to the queue; {person.name} is not suggested for them again."
    else:
        named = decision.person.name if decision.person else "somebody else"
        words = f"{count_faces(moved)} {'is' if moved == 1 else 'are'} {named} now."
    if left:
        words += (
            f" {count_faces(left)} stayed: changed meanwhile, or on a photo that shows the person already."
        )
    return words


def _draw_proposal(request: SignedInRequest, person: Person) -> HttpResponse:
    seen = Sighting.objects.for_role(request.user, LABELER, MANAGER).filter(person=person)
    proposal = propose_split(seen)
    apart = _load(proposal.apart[:SHOWN], request) if proposal else []
    stays = _load(proposal.stays[:SHOWN], request) if proposal else []
    return _draw(
        request,
        person,
        apart=Part(sightings=apart, more=len(proposal.apart) - len(apart) if proposal else 0),
        stays=Part(sightings=stays, more=len(proposal.stays) - len(stays) if proposal else 0),
        ticked={sighting.face.face_id for sighting in apart} if proposal and proposal.clear else set(),
        clear=bool(proposal and proposal.clear),
    )


def _draw_picked(
    request: SignedInRequest,
    person: Person,
    faces: dict[UUID, Face],
    asked: Asked | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    mine = Sighting.objects.filter(person=person, face__in=[face.pk for face in faces.values()])
    pks = list(mine.order_by("pk").values_list("pk", flat=True))
    return _draw(
        request,
        person,
        apart=Part(sightings=_load(pks, request)),
        stays=None,
        ticked=set(faces),
        clear=True,
        asked=asked,
        status=status,
    )


def _draw(
    request: SignedInRequest,
    person: Person,
    *,
    apart: Part,
    stays: Part | None,
    ticked: set[UUID],
    clear: bool,
    asked: Asked | None = None,
    status: int = 200,
) -> HttpResponse:
    # Of a part that is hardly somebody else, only the person themselves would be suggested.
    suggested = suggest_names(apart.sightings, person=person, user=request.user) if clear else []
    context = {
        "person": person,
        "apart": apart,
        "stays": stays,
        "ticked": ticked,
        "clear": clear,
        "asked": asked,
        "typed": request.POST.get("name", "").replace("\0", "")[:200],
        "suggested": suggested,
        "key": uuid4(),
    }
    return render(request, "labeling/person_split.html", context, status=status)


def _load(pks: Sequence[int], request: SignedInRequest) -> list[Sighting]:
    found = Sighting.objects.visible_to(request.user).select_related("face__photo__event").in_bulk(list(pks))
    sightings = [found[pk] for pk in pks if pk in found]
    mark_decidable(sightings, user=request.user)
    return sightings
