"""Everything that rests on one face under one name: what the machine named by it, what people named after that, and on."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from labeling.models import DecidedFace, Decision
from recognition.models import Face, Person, Sighting

_AT_ONCE = 1000


class Why(StrEnum):
    """Why a name that a person gave rests on another face."""

    # FaceVault had named it by that face, and somebody said yes.
    CONFIRMED = "confirmed"
    # That face was the nearest one of the person, and like it, when somebody gave the name.
    EVIDENCE = "evidence"
    # It was named in one group with such a face.
    GROUP = "group"


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanName:
    """A face that people named, resting on the face `through`; `named` are those that the machine named by it in turn."""

    face_pk: int
    why: Why
    through: int
    named: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resting:
    """Primary keys of faces. `direct` has the machine named by the face itself, `settled` are other people beside all
    these: a close call between the two of them, until the one was found on the same photo. `behind` are names of the
    machine for which one of all these faces answered behind a nearer one: those stand on that one."""

    direct: tuple[int, ...]
    people: tuple[HumanName, ...]
    settled: tuple[int, ...]
    behind: tuple[int, ...]


def find_resting(*, face_pk: int, person_pk: int) -> Resting:
    """What carries the person's name and would not, or not on this ground, had the face never had it.

    A score is that of the best reference, and a sighting keeps the references that answered, best first: a name stands on
    the first of them. A person's yes to it makes a reference that names others, so this follows it as far as it goes;
    as many statements for many names as for few, but for one per thousand.
    """
    machine, humans, behind = _read_names(face_pk, person_pk)
    parents = _read_parents(person_pk, humans)
    mates = _read_mates(person_pk)
    children: defaultdict[int, list[tuple[int, Why]]] = defaultdict(list)
    for child, (why, grounds) in parents.items():
        for parent in grounds:
            children[parent].append((child, why))
    found: dict[int, tuple[Why, int]] = {}
    waiting = deque([face_pk])
    while waiting:
        parent = waiting.popleft()
        in_group = ((child, Why.GROUP) for child in mates.get(parent, ()) if child in parents)
        for child, why in [*children.get(parent, ()), *(in_group if parent != face_pk else ())]:
            if child != face_pk and child not in found:
                found[child] = (why, parent)
                waiting.append(child)
    everything = {face_pk, *found}
    named = [pk for parent in everything for pk in machine.get(parent, ())]
    taken = set(named)
    return Resting(
        direct=tuple(machine.get(face_pk, ())),
        settled=tuple(find_settled([*everything, *named], person_pk=person_pk)),
        people=tuple(
            HumanName(face_pk=child, why=why, through=parent, named=tuple(machine.get(child, ())))
            for child, (why, parent) in found.items()
        ),
        behind=tuple(
            pk for pk, others in behind.items() if not everything.isdisjoint(others) and pk not in taken
        ),
    )


def named_by(*, person_pk: int, face_pks: Collection[int]) -> list[int]:
    """Faces that the machine named as the person by one of these, the nearest that it knew."""
    rows = Sighting.objects.filter(person=person_pk, decided_by=Sighting.DecidedBy.MACHINE).order_by("pk")
    return [
        pk
        for pk, references in rows.values_list("face_id", "references")
        if references and references[0] in face_pks
    ]


def find_settled(face_pks: Sequence[int], *, person_pk: int) -> list[int]:
    """Beside these faces those that the machine named after somebody else, because the person was on the photo already."""
    found: list[int] = []
    for start in range(0, len(face_pks), _AT_ONCE):
        photos = Face.objects.filter(pk__in=face_pks[start : start + _AT_ONCE]).order_by().values("photo")
        rows = Sighting.objects.filter(
            face__photo__in=photos, decided_by=Sighting.DecidedBy.MACHINE, thresholds__settled=True
        )
        found += rows.exclude(person=person_pk).order_by("pk").values_list("face_id", flat=True)
    return list(dict.fromkeys(found))


def _read_names(
    face_pk: int, person_pk: int
) -> tuple[dict[int, list[int]], dict[int, list[int]], dict[int, list[int]]]:
    """Of the person: the machine's names by their best reference, the people's names with what answered for them, and
    of the machine's names the references behind the best."""
    machine: defaultdict[int, list[int]] = defaultdict(list)
    humans: dict[int, list[int]] = {}
    behind: dict[int, list[int]] = {}
    rows = Sighting.objects.filter(person=person_pk).exclude(face=face_pk).order_by("pk")
    for pk, decided_by, references, similarity, lines in rows.values_list(
        "face_id", "decided_by", "references", "similarity", "thresholds"
    ):
        if decided_by == Sighting.DecidedBy.HUMAN:
            # Somebody who does not look like it was named for another reason.
            alike = similarity is not None and similarity >= lines.get("suggest", -1.0)
            humans[pk] = references if alike else []
        elif references:
            machine[references[0]].append(pk)
            behind[pk] = references[1:]
    return machine, humans, behind


def _read_parents(person_pk: int, humans: Mapping[int, list[int]]) -> dict[int, tuple[Why, tuple[int, ...]]]:
    """Of each face that people named, the faces that its name rests on, and why.

    The decision that made the machine's name a person's keeps the machine's: by then another face may be nearer.
    """
    confirmed = _read_confirmed(person_pk)
    parents: dict[int, tuple[Why, tuple[int, ...]]] = {}
    for pk, references in humans.items():
        evidence = tuple(references[:1])
        why = Why.CONFIRMED if pk in confirmed else Why.EVIDENCE
        parents[pk] = (why, tuple(dict.fromkeys((*confirmed.get(pk, ()), *evidence))))
    return parents


def _read_confirmed(person_pk: int) -> dict[int, list[int]]:
    same = _merged_into(person_pk)
    rows = DecidedFace.objects.filter(
        caused=False,
        decision__kind=Decision.Kind.LABEL,
        decision__undone_at=None,
        face__sighting__person=person_pk,
        face__sighting__decided_by=Sighting.DecidedBy.HUMAN,
    ).order_by("decision_id")
    confirmed: defaultdict[int, list[int]] = defaultdict(list)
    for face_pk, before in rows.values_list("face_id", "before__sighting"):
        if _is_machines(before) and before["person_id"] in same and before["references"]:
            confirmed[face_pk].append(before["references"][0])
    return confirmed


def _is_machines(before: dict[str, Any] | None) -> bool:
    return before is not None and before["decided_by"] == Sighting.DecidedBy.MACHINE


def _read_mates(person_pk: int) -> dict[int, set[int]]:
    """Of each face that was named as one of a group the others of it."""
    rows = DecidedFace.objects.filter(
        caused=False,
        decision__kind=Decision.Kind.LABEL,
        decision__undone_at=None,
        decision__cluster__isnull=False,
        face__sighting__person=person_pk,
    ).order_by("decision_id")
    decision_of: dict[int, int] = dict(rows.values_list("face_id", "decision_id"))
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for face_pk, decision_pk in decision_of.items():
        groups[decision_pk].add(face_pk)
    return {face_pk: groups[decision_pk] - {face_pk} for face_pk, decision_pk in decision_of.items()}


def _merged_into(person_pk: int) -> set[int]:
    """The person, and everybody who was merged into them."""
    found, latest = {person_pk}, {person_pk}
    while latest:
        rows: Iterable[int] = Person.objects.filter(merged_into__in=latest).values_list("pk", flat=True)
        latest = set(rows) - found
        found |= latest
    return found
