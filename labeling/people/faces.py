"""What is decided on a person's page: about several of their faces at once, in one decision."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.contrib.auth.models import User

from labeling.decisions import (
    DecisionConflict,
    PersonGone,
    ReferenceRefused,
    label_faces,
    reject_faces,
    set_references,
)
from labeling.decisions.reading import find_repeated_about
from labeling.decisions.writing import read_versions
from labeling.models import Decision
from recognition.models import Face, Person, Sighting

Action = Literal["confirm", "reject", "reference", "unreference"]
ACTIONS: tuple[Action, ...] = ("confirm", "reject", "reference", "unreference")
_Told = Literal["done", "same", "unchecked", "changed"]
_ROUNDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A face as the page showed it."""

    face: Face
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How many faces were decided, were so already, only FaceVault has named, or somebody else changed meanwhile.

    `decision` is the one that was made, if one was.
    """

    done: int = 0
    same: int = 0
    unchecked: int = 0
    changed: int = 0
    decision: Decision | None = None


def decide_faces(
    *, person: Person, chosen: Iterable[Chosen], action: Action, actor: User, key: UUID
) -> Outcome:
    """Do it in one decision to the faces that still carry the person's name; the same `key` again changes nothing.

    Searches for evidence before, so call it outside transactions.
    """
    asked = list(chosen)
    try:
        if repeated := find_repeated_about(key, [one.face.pk for one in asked], actor):
            return Outcome(done=repeated.face_count, decision=repeated)
        for _ in range(_ROUNDS):
            told = _sort(person, asked, action)
            try:
                decision = _decide(person, told["done"], action, actor, key) if told["done"] else None
            except (ReferenceRefused, DecisionConflict):
                # Somebody decided between the look and the writing: look again.
                continue
            return Outcome(
                done=len(told["done"]),
                same=len(told["same"]),
                unchecked=len(told["unchecked"]),
                changed=len(told["changed"]),
                decision=decision,
            )
    except (DecisionConflict, PersonGone):
        pass
    return Outcome(changed=len(asked))


def _sort(person: Person, chosen: Sequence[Chosen], action: Action) -> defaultdict[_Told, list[Chosen]]:
    """What is to be done about which of the faces."""
    pks = [one.face.pk for one in chosen]
    named = {sighting.face_id: sighting for sighting in Sighting.objects.filter(face__in=pks, person=person)}
    versions = read_versions(pks)
    told: defaultdict[_Told, list[Chosen]] = defaultdict(list)
    for one in chosen:
        told[_tell(named.get(one.face.pk), action, current=versions.get(one.face.pk) == one.version)].append(
            one
        )
    return told


def _tell(sighting: Sighting | None, action: Action, *, current: bool) -> _Told:
    if sighting is None:
        return "changed"
    human = sighting.decided_by == Sighting.DecidedBy.HUMAN
    if action == "confirm" and human:
        return "same"
    if action in {"reference", "unreference"}:
        if sighting.is_reference == (action == "reference"):
            return "same"
        if not human:
            return "unchecked"
    return "done" if current else "changed"


def _decide(person: Person, chosen: Sequence[Chosen], action: Action, actor: User, key: UUID) -> Decision:
    faces = [one.face for one in chosen]
    versions = {one.face.pk: one.version for one in chosen}
    if action == "reject":
        return reject_faces(faces=faces, people=[person], actor=actor, versions=versions, key=key)
    if action == "confirm":
        return label_faces(faces=faces, person=person, actor=actor, versions=versions, key=key, twice=True)
    return set_references(
        faces=faces, reference=action == "reference", actor=actor, versions=versions, key=key
    )


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
