"""Decisions as a list shows them: in words, with a few of their faces, and whether one may take them back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from access.roles import LABELER, MANAGER
from labeling.decisions import overtaken, undoable_by
from labeling.models import DecidedFace, Decision
from labeling.words import ago, short_words, user_words
from recognition.models import Face, Person

CROPS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`faces` are a few of those that the reader may see, `count` is how many there are."""

    decision: Decision
    words: str
    who: str
    undone_by: str
    ago: str
    faces: list[Face]
    count: int
    # How many events beside the one of the first face.
    more_events: int
    may_undo: bool
    may_redo: bool
    # Somebody of other events only, whom a suggestion named, has no page for this user.
    linked: bool

    @property
    def more(self) -> int:
        """Faces that are not among the crops."""
        return self.count - len(self.faces)


def read_rows(decisions: Sequence[Decision], *, user: User) -> list[Row]:
    """The same number of queries for any number of decisions. They come with actor, person and undone_by."""
    faces = _few_faces(decisions, user)
    counts, events = defaultdict[int, int](int), defaultdict[int, int](int)
    for pk, count, places in _count_faces(decisions, user):
        counts[pk], events[pk] = count, places
    later, allowed = overtaken(decisions), undoable_by(decisions, user)
    known = set(
        Person.objects.visible_to(user)
        .filter(pk__in={one.person_id for one in decisions if one.person_id is not None})
        .values_list("pk", flat=True)
    )
    rows = []
    for one in decisions:
        # One about people only, a cover or a merge of somebody without faces, needs no face.
        free = one.pk in allowed and one.pk not in later and (counts[one.pk] > 0 or one.face_count == 0)
        rows.append(
            Row(
                decision=one,
                words=short_words(one),
                who=user_words(one.actor),
                undone_by=user_words(one.undone_by) if one.undone else "",
                ago=ago(one.created_at),
                faces=faces[one.pk],
                count=counts[one.pk],
                more_events=max(0, events[one.pk] - 1),
                may_undo=free and not one.undone,
                may_redo=free and one.undone,
                linked=not one.undone and one.person_id in known,
            )
        )
    return rows


def _seen(decisions: Sequence[Decision], user: User) -> QuerySet[DecidedFace]:
    labeled = Face.objects.for_role(user, LABELER, MANAGER).order_by()
    return DecidedFace.objects.filter(decision__in=decisions, caused=False, face__in=labeled)


def _few_faces(decisions: Sequence[Decision], user: User) -> defaultdict[int, list[Face]]:
    place = Window(RowNumber(), partition_by=F("decision"), order_by=F("pk").asc())
    rows = _seen(decisions, user).annotate(place=place).filter(place__lte=CROPS).order_by("decision", "place")
    found: defaultdict[int, list[Face]] = defaultdict(list)
    for row in rows.select_related("face__photo__event").defer("before", "after"):
        found[row.decision_id].append(row.face)
    # A cover is about a person: its face is there to be shown only.
    covers = [one.face_id for one in decisions if one.face_count == 0 and one.face_id is not None]
    shown = Face.objects.for_role(user, LABELER, MANAGER).select_related("photo__event").in_bulk(covers)
    for one in decisions:
        if one.face_id in shown and not found[one.pk]:
            found[one.pk].append(shown[one.face_id])
    return found


def _count_faces(decisions: Sequence[Decision], user: User) -> QuerySet[DecidedFace, tuple[int, int, int]]:
    """Of each decision its number of faces and of events."""
    counted = _seen(decisions, user).order_by().values_list("decision")
    return counted.annotate(count=Count("pk"), places=Count("face__photo__event", distinct=True))
