"""From what was typed or pressed on a card to a decision, with the questions that come back instead of a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from labeling.decisions import (
    DecisionConflict,
    NameRefused,
    NameShared,
    NothingToDecide,
    PersonGone,
    find_repeated,
    label_faces,
    record_verdicts,
    reject_faces,
)
from labeling.evidence import weigh_faces
from labeling.forms import ChoiceForm, DecideForm
from labeling.models import Decision
from labeling.suggestions import named_beside
from labeling.targets import Target, aim_at_face, aim_at_rest
from recognition.models import Face, Person, Sighting, UnlabeledFace
from recognition.people.loading import load_people
from recognition.text import clean_name, fold

# So many faces of a group are asked whom they look like.
_ASKED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is unclear about a name: several people have it, one has it already, nobody does, or what is wrong with it.

    With `beside` the person is clear, but that other face of the photo has their name already. `code` is for programs.
    """

    code: str
    name: str = ""
    people: tuple[Person, ...] = ()
    beside: Sighting | None = None
    error: str = ""


# The same for somebody whom the labeler does not see and for nobody: which ids there are is not told.
NOT_OFFERED = Question(
    code="person_not_offered",
    error="That choice is not there any more. Choose one of the suggested people, or type the name.",
)


class NameUnclear(Exception):
    def __init__(self, question: Question) -> None:
        super().__init__("It is unclear whom the name means.")
        self.question = question


def decide_from(form: DecideForm, *, face: Face, actor: User) -> Decision:
    """Carry out what a form asks for about one face; nothing but whom it is about may be wrong with it.

    Raises NameUnclear, and DecisionConflict.
    """
    data = form.cleaned_data
    # Asked before anything about names: the first of two clicks may have created the person.
    if (repeated := find_repeated(data["key"], face, actor)) is not None:
        return repeated
    if form.errors:
        raise NameUnclear(NOT_OFFERED)
    if data["rest"]:
        target = aim_at_rest(face, data["version"])
        return decide_target({**data, "verdict": UnlabeledFace.Verdict.STRANGER}, target=target, actor=actor)
    return decide_target(data, target=aim_at_face(face, data["version"]), actor=actor)


def decide_target(data: Mapping[str, Any], *, target: Target, actor: User) -> Decision:
    """The same about the faces of any card; `data` is a ChoiceForm's. Asks the gallery, so call it outside transactions."""
    common: dict[str, Any] = {
        "faces": target.faces,
        "actor": actor,
        "versions": target.versions,
        "key": data["key"],
        "cluster": target.cluster,
    }
    try:
        if data["verdict"]:
            return record_verdicts(kind=data["verdict"], **common)
        return _decide_name(data, target, actor, common)
    except NothingToDecide:
        raise DecisionConflict(None) from None


def _decide_name(data: Mapping[str, Any], target: Target, actor: User, common: dict[str, Any]) -> Decision:
    name = clean_name(data["name"])
    chosen = [person for person in (data["twice"], data["person"], data["reject"], *data["none"]) if person]
    if chosen and not may_choose(chosen, target.faces, actor, typed=name):
        raise NameUnclear(NOT_OFFERED)
    try:
        if data["none"] or data["reject"] is not None:
            return reject_faces(people=data["none"] or [data["reject"]], **common)
        if data["twice"] is not None:
            return label_faces(person=data["twice"], twice=True, **common)
        if data["person"] is not None:
            return _label_once(data["person"], target, actor, common)
        if data["new"] == ChoiceForm.ANOTHER:
            return label_faces(name=name, new=True, **common)
        # Everybody of the name, also from events that the labeler does not see: else each event made its own Alice.
        known = list(Person.objects.named(name)) if name else []
        if data["new"]:
            if known:
                raise NameUnclear(_ask(name, known, actor))
            return label_faces(name=name, **common)
        # A typed name never creates anybody by itself: most unknown names are typing errors.
        if name and len(known) != 1:
            raise NameUnclear(_ask(name, known, actor))
        return _label_once(known[0], target, actor, common) if known else label_faces(name=name, **common)
    except NameShared as shared:
        raise NameUnclear(_ask(name, shared.people, actor)) from shared
    except NameRefused as refused:
        raise NameUnclear(Question(code="name_refused", error=str(refused))) from refused
    except PersonGone as gone:
        raise NameUnclear(Question(code="person_gone", error="This person was removed meanwhile.")) from gone


def may_choose(people: Sequence[Person], faces: Sequence[Face], actor: User, *, typed: str = "") -> bool:
    """Whether each is somebody they see, typed, or whom a face looks like: else names of other events could be had by
    counting ids."""
    seen = Person.objects.visible_to(actor).filter(pk__in=[person.pk for person in people])
    known = set(seen.values_list("pk", flat=True))
    left = {
        person.pk
        for person in people
        if person.pk not in known and not (typed and fold(typed) == fold(person.name))
    }
    if not left:
        return True
    for evidence in weigh_faces(faces[:_ASKED]).values():
        left -= {score.person_id for score in evidence.scores if evidence.resembles(score)}
    return not left


def _label_once(person: Person, target: Target, actor: User, common: dict[str, Any]) -> Decision:
    """Nobody is in a photo twice: one of the two faces is somebody else, unless the labeler says so.

    Of a group those faces stay open; where that is all of them, there is nothing to name.
    """
    if target.alone is not None:
        if (beside := named_beside(target.alone).get(person.pk)) is not None:
            raise NameUnclear(
                Question(
                    code="already_on_photo",
                    name=person.name,
                    people=tuple(load_people([person.pk], user=actor)),
                    beside=beside,
                )
            )
        return label_faces(person=person, twice=True, **common)
    try:
        return label_faces(person=person, **common)
    except NothingToDecide:
        error = f"{person.name} is named in every one of these photos already. These faces are somebody else."
        raise NameUnclear(Question(code="already_on_photo", error=error)) from None


def _ask(name: str, people: list[Person], user: User) -> Question:
    code = "name_shared" if len(people) > 1 else "name_taken" if people else "name_unknown"
    shown = load_people([person.pk for person in people], user=user)
    return Question(code=code, name=name, people=tuple(shown))
