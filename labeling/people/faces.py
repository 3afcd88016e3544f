"""What is decided on a person's page: about several of their faces at once, each by a decision of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID, uuid5

from django.contrib.auth.models import User

from labeling.decisions import (
    DecisionConflict,
    PersonGone,
    ReferenceRefused,
    find_repeated,
    label_face,
    reject_person,
    set_reference,
)
from recognition.models import Face, Person, Sighting

Action = Literal["confirm", "reject", "reference", "unreference"]
ACTIONS: tuple[Action, ...] = ("confirm", "reject", "reference", "unreference")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A face as the page showed it."""

    face: Face
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many faces were decided, were so already, only FaceVault has named, or somebody else changed meanwhile."""

    done: int = 0
    same: int = 0
    unchecked: int = 0
    changed: int = 0


def decide_faces(
    *, person: Person, chosen: Iterable[Chosen], action: Action, actor: User, key: UUID
) -> Outcome:
    """Do it to each face that still carries the person's name; the same `key` again changes nothing.

    Searches for evidence before each decision, so call it outside transactions.
    """
    told = Counter(
        _decide_one(person, one, action, actor, uuid5(key, f"{action} {one.face.face_id}")) for one in chosen
    )
    return Outcome(done=told["done"], same=told["same"], unchecked=told["unchecked"], changed=told["changed"])


def _decide_one(
    person: Person, one: Chosen, action: Action, actor: User, key: UUID
) -> Literal["done", "same", "unchecked", "changed"]:
    try:
        if find_repeated(key, one.face, actor) is not None:
            return "done"
        sighting = Sighting.objects.filter(face=one.face, person=person).first()
        if sighting is None:
            return "changed"
        human = sighting.decided_by == Sighting.DecidedBy.HUMAN
        if action == "reject":
            reject_person(face=one.face, person=person, actor=actor, version=one.version, key=key)
        elif action == "confirm":
            if human:
                return "same"
            label_face(face=one.face, person=person, actor=actor, version=one.version, key=key)
        else:
            wanted = action == "reference"
            if sighting.is_reference == wanted:
                return "same"
            set_reference(face=one.face, reference=wanted, actor=actor, version=one.version, key=key)
    except ReferenceRefused:
        return "unchecked"
    except (DecisionConflict, PersonGone):
        return "changed"
    return "done"


_DONE: dict[Action, tuple[str, str]] = {
    "confirm": ("{} face is verified.", "{} faces are verified."),
    "reject": (
        "{} face is back in the queue, and this person is not suggested for it again.",
        "{} faces are back in the queue, and this person is not suggested for them again.",
    ),
    "reference": (
        "{} face is a reference: it answers searches.",
        "{} faces are references: they answer searches.",
    ),
    "unreference": (
        "{} face is no reference any more; it keeps its name.",
        "{} faces are no references any more; they keep their name.",
    ),
}


def outcome_words(action: Action, outcome: Outcome) -> Sequence[str]:
    """What to tell whoever asked for it, sentence by sentence."""
    said = []
    if outcome.done:
        said.append(_count(outcome.done, *_DONE[action]))
    if outcome.same:
        said.append(_count(outcome.same, "{} was so already.", "{} were so already."))
    if outcome.unchecked:
        said.append(
            _count(
                outcome.unchecked,
                "{} was named by FaceVault alone: say yes to it first.",
                "{} were named by FaceVault alone: say yes to them first.",
            )
        )
    if outcome.changed:
        said.append(
            _count(
                outcome.changed,
                "{} was changed meanwhile and is left as it is.",
                "{} were changed meanwhile and are left as they are.",
            )
        )
    return said


def _count(number: int, one: str, many: str) -> str:
    return (one if number == 1 else many).format(number)
