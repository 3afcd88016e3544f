"""From what was typed or pressed on a card to a decision, with the questions that come back instead of a guess."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from labeling.decisions import (
    NameRefused,
    NameShared,
    PersonGone,
    find_repeated,
    label_face,
    record_verdict,
    reject_person,
)
from labeling.forms import DecideForm
from labeling.models import Decision
from labeling.suggestions import named_beside, weigh_face
from recognition.models import Face, Person, Sighting
from recognition.people.loading import load_people
from recognition.text import clean_name, fold


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
    """Carry out what a valid form asks for. Raises NameUnclear, and DecisionConflict."""
    data = form.cleaned_data
    # Asked before anything about names: the first of two clicks may have created the person.
    if (repeated := find_repeated(data["key"], face, actor)) is not None:
        return repeated
    common: dict[str, Any] = {"face": face, "actor": actor, "version": data["version"], "key": data["key"]}
    if data["verdict"]:
        return record_verdict(kind=data["verdict"], **common)
    name = clean_name(data["name"])
    chosen = data["twice"] or data["person"] or data["reject"]
    if chosen is not None and not _may_choose(chosen, face, actor, typed=name):
        raise NameUnclear(NOT_OFFERED)
    try:
        if data["reject"] is not None:
            return reject_person(person=data["reject"], **common)
        if data["twice"] is not None:
            return label_face(person=data["twice"], **common)
        if data["person"] is not None:
            return _label_once(data["person"], **common)
        if data["new"] == DecideForm.ANOTHER:
            return label_face(name=name, new=True, **common)
        # Everybody of the name, also from events that the labeler does not see: else each event made its own Alice.
        known = list(Person.objects.named(name)) if name else []
        if data["new"]:
            if known:
                raise NameUnclear(_ask(name, known, actor))
            return label_face(name=name, **common)
        # A typed name never creates anybody by itself: most unknown names are typing errors.
        if name and len(known) != 1:
            raise NameUnclear(_ask(name, known, actor))
        return _label_once(known[0], **common) if known else label_face(name=name, **common)
    except NameShared as shared:
        raise NameUnclear(_ask(name, shared.people, actor)) from shared
    except NameRefused as refused:
        raise NameUnclear(Question(code="name_refused", error=str(refused))) from refused
    except PersonGone as gone:
        raise NameUnclear(Question(code="person_gone", error="This person was removed meanwhile.")) from gone


def _may_choose(person: Person, face: Face, actor: User, *, typed: str) -> bool:
    """Somebody they see, typed, or whom the face looks like: else names of other events could be had by counting ids."""
    if Person.objects.visible_to(actor).filter(pk=person.pk).exists():
        return True
    if typed and fold(typed) == fold(person.name):
        return True
    evidence = weigh_face(face)
    return any(score.person_id == person.pk and evidence.resembles(score) for score in evidence.scores)


def _label_once(person: Person, *, face: Face, actor: User, **common: Any) -> Decision:
    """Nobody is in a photo twice: one of the two faces is somebody else, unless the labeler says so."""
    if (beside := named_beside(face).get(person.pk)) is not None:
        raise NameUnclear(
            Question(
                code="already_on_photo",
                name=person.name,
                people=tuple(load_people([person.pk], user=actor)),
                beside=beside,
            )
        )
    return label_face(face=face, person=person, actor=actor, **common)


def _ask(name: str, people: list[Person], user: User) -> Question:
    code = "name_shared" if len(people) > 1 else "name_taken" if people else "name_unknown"
    shown = load_people([person.pk for person in people], user=user)
    return Question(code=code, name=name, people=tuple(shown))
