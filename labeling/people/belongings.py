"""What a merged person has beside the rows of their faces: names, number, cover, portraits to come. Taken over, and given back."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db.models import Q, QuerySet

from labeling.decisions.errors import UndoRefused
from labeling.models import DecidedFace, Decision, Enrolment, Look
from recognition.models import Face, Person
from recognition.text import fold


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """What the kept person got from the other beside faces, as `details` of the decision: numbers only, no names."""

    aliases: list[int]
    external_id: bool
    cover: bool
    enrolments: list[int]


def faces_of(person: Person) -> QuerySet[Face]:
    """Faces that carry the name, and those of which somebody said that they are not them."""
    return Face.objects.filter(Q(sighting__person=person) | Q(rejections__person=person)).distinct()


def take_over(keep: Person, other: Person) -> dict[str, Any]:
    """Give `keep` what is the other's beside faces, and hide the other's row behind it."""
    known = {fold(name) for name in (keep.name, *keep.aliases)}
    added = []
    for at, name in enumerate(_names_of(other)):
        if fold(name) not in known:
            known.add(fold(name))
            added.append(at)
    moved = bool(other.external_id) and not keep.external_id
    waiting = Enrolment.objects.filter(person=other, state=Enrolment.State.WAITING)
    free = waiting.exclude(photo__enrolments__person=keep)
    taken = _Taken(
        aliases=added,
        external_id=moved,
        cover=keep.cover_face_id is None and other.cover_face_id is not None,
        enrolments=list(free.values_list("pk", flat=True)),
    )
    _carry_over(keep, other, taken)
    return asdict(taken)


def _carry_over(keep: Person, other: Person, taken: _Taken) -> None:
    names = _names_of(other)
    external_id = other.external_id
    if taken.external_id:
        other.external_id = None
    # First the one who gives the number away: it is nobody's twice.
    other.merged_into = keep
    other.save(update_fields=["external_id", "merged_into"])
    fresh = [names[at] for at in taken.aliases if at < len(names) and names[at] not in keep.aliases]
    keep.aliases = [*keep.aliases, *fresh]
    if taken.external_id:
        keep.external_id = external_id
    if taken.cover:
        keep.cover_face_id = other.cover_face_id
    keep.save(update_fields=["aliases", "external_id", "cover_face"])
    Enrolment.objects.filter(pk__in=taken.enrolments, person=other).update(person=keep)
    _look_again(keep, other)


def undo_merge(decision: Decision) -> None:
    keep, other, taken = _read_pair(decision)
    if other.merged_into_id != keep.pk:
        raise UndoRefused("These two people are not merged any more.")
    if keep.merged_into_id is not None:
        raise UndoRefused("The person was merged into somebody else later. Undo that first.")
    names = _names_of(other)
    given = {names[at] for at in taken.aliases if at < len(names)}
    keep.aliases = [alias for alias in keep.aliases if alias not in given]
    external_id = keep.external_id
    if taken.external_id:
        keep.external_id = None
    if taken.cover and keep.cover_face_id == other.cover_face_id:
        keep.cover_face_id = None
    keep.save(update_fields=["aliases", "external_id", "cover_face"])
    if taken.external_id:
        other.external_id = external_id
    other.merged_into = None
    other.save(update_fields=["external_id", "merged_into"])
    Enrolment.objects.filter(pk__in=taken.enrolments, person=keep, state=Enrolment.State.WAITING).update(
        person=other
    )
    _look_again(keep, other)


def redo_merge(decision: Decision) -> None:
    keep, other, taken = _read_pair(decision)
    if keep.merged_into_id is not None or other.merged_into_id is not None:
        raise UndoRefused("One of the two people was merged since. Merge them anew.")
    if keep.hidden_at is not None or other.hidden_at is not None:
        raise UndoRefused("One of the two people is gone. Merge anew.")
    mine = DecidedFace.objects.filter(decision=decision).values("face")
    if faces_of(other).exclude(pk__in=mine).exists():
        raise UndoRefused("More was decided about the two people since. Merge them anew.")
    if taken.external_id and keep.external_id:
        raise UndoRefused("The person got an external id since. Merge them anew.")
    _carry_over(keep, other, taken)


def _read_pair(decision: Decision) -> tuple[Person, Person, _Taken]:
    details = decision.details
    pair = Person.objects.in_bulk([decision.person_id, details.get("other")])
    if decision.person_id not in pair or details.get("other") not in pair:
        raise UndoRefused("One of the two people is gone.")
    taken = _Taken(**{name: details[name] for name in ("aliases", "external_id", "cover", "enrolments")})
    return pair[decision.person_id], pair[details["other"]], taken


def _names_of(person: Person) -> list[str]:
    return [person.name, *person.aliases]


def _look_again(*people: Person) -> None:
    """What was said of open faces about either is outdated: the worker looks anew."""
    Look.objects.filter(person__in=people).delete()
