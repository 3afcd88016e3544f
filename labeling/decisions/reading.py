"""Which decisions there are: whose they are to see and to undo, the last one about a face, and one that was sent twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q, QuerySet

from access.roles import LABELER, MANAGER, reach_of, roles_of
from labeling.decisions.errors import DecisionConflict
from labeling.models import DecidedFace, Decision
from recognition.models import Event, Face


def decisions_seen_by(user: User) -> QuerySet[Decision]:
    """About a face of an event where the user labels; who labels at all of them also sees those whose faces are gone.

    An event that is being deleted is gone for everybody.
    """
    rows = DecidedFace.objects.filter(decision=OuterRef("pk"), caused=False).order_by()
    reach = reach_of(user, LABELER, MANAGER)
    doomed = list(Event.objects.filter(deleted_at__isnull=False).values_list("pk", flat=True))
    if reach.everywhere and not doomed:
        return Decision.objects.all()
    alive = rows.filter(reach.within("face__photo__event")).exclude(face__photo__event__in=doomed)
    # A cover changes no face: it is about the one that it shows.
    cover = Q(face_count=0, face__isnull=False) & reach.within("face__photo__event")
    if not reach.everywhere:
        return Decision.objects.filter(Exists(alive) | (cover & ~Q(face__photo__event__in=doomed)))
    gone = ~Exists(rows) & ~Q(face__photo__event__in=doomed)
    return Decision.objects.filter(Exists(alive) | gone)


def faces_of(decision: Decision, *, user: User) -> QuerySet[Face]:
    """The decision's faces that the user may decide about."""
    rows = DecidedFace.objects.filter(decision=decision, caused=False).order_by().values("face")
    return Face.objects.for_role(user, LABELER, MANAGER).filter(pk__in=rows)


def may_undo(decision: Decision, user: User) -> bool:
    """One's own decisions, as long as one labels there; a manager of all its events anybody's."""
    return decision.pk in undoable_by([decision], user)


def undoable_by(decisions: Iterable[Decision], user: User) -> set[int]:
    """Of these the primary keys of those that the user may undo and redo, by one query."""
    asked = list(decisions)
    events: defaultdict[int, set[int]] = defaultdict(set)
    rows = DecidedFace.objects.filter(decision__in=asked, caused=False).order_by()
    # With a merge goes along who a face was said not to be, at whatever event that was.
    rows = rows.exclude(decision__kind=Decision.Kind.MERGE, before__sighting=None)
    for decision_pk, event_pk in rows.values_list("decision", "face__photo__event").distinct():
        events[decision_pk].add(event_pk)
    covers = [one for one in asked if one.face_count == 0 and one.face_id is not None]
    if covers:
        shown = Face.objects.filter(pk__in={one.face_id for one in covers}).order_by()
        event_of = dict(shown.values_list("pk", "photo__event"))
        for one in covers:
            events[one.pk].update({event_of[one.face_id]} if one.face_id in event_of else set())
    labels, manages = reach_of(user, LABELER, MANAGER), reach_of(user, MANAGER)
    found = set()
    for decision in asked:
        mine = decision.actor_id == user.pk
        if not events[decision.pk]:
            allowed = mine or MANAGER in roles_of(user)
        else:
            reach = labels if mine else manages
            allowed = all(event in reach for event in events[decision.pk])
        if allowed:
            found.add(decision.pk)
    return found


def find_later(decision: Decision) -> Decision | None:
    """The decision in force that stands on one of this decision's faces, the first one made."""
    mine = DecidedFace.objects.filter(decision=decision, caused=False).values("face")
    later = _decisive().filter(face__in=mine, decision__gt=decision.pk)
    found = later.select_related("decision__actor", "decision__person").order_by("decision_id").first()
    return found.decision if found else None


def overtaken(decisions: Collection[Decision]) -> set[int]:
    """Of these the primary keys of those that a later decision in force stands on, by one query."""
    later = _decisive().filter(face=OuterRef("face"), decision__gt=OuterRef("decision")).order_by()
    asked = [one.pk for one in decisions if one.kind not in Decision.POSTPONING]
    rows = DecidedFace.objects.filter(Exists(later), decision__in=asked, caused=False).order_by()
    return set(rows.values_list("decision", flat=True).distinct())


def latest_decision(face_pk: int) -> Decision | None:
    """The decision that made the face what it is; one that put it off made nothing."""
    last = (
        _decisive()
        .filter(face=face_pk)
        .select_related("decision__actor", "decision__person")
        .order_by("-decision_id")
        .first()
    )
    return last.decision if last else None


def find_repeated(key: UUID, face: Face | None, actor: User) -> Decision | None:
    """The decision of a repeated request about this face. A key of somebody else's, or of another face's, is none."""
    return find_repeated_about(key, [face.pk] if face else [], actor)


def find_repeated_about(key: UUID, face_pks: Collection[int], actor: User) -> Decision | None:
    """The same for many faces: the decision left some of them out perhaps, and it is about no others."""
    found = Decision.objects.filter(key=key).select_related("actor", "person").first()
    if found is None:
        return None
    same = found.face_id in face_pks if found.face_id is not None else not face_pks
    if found.actor_id != actor.pk or not same:
        raise DecisionConflict(latest_decision(next(iter(face_pks))) if face_pks else None)
    return found


def _decisive() -> QuerySet[DecidedFace]:
    """What decisions in force made of faces."""
    return DecidedFace.objects.filter(Q(decision__undone_at=None), caused=False).exclude(
        decision__kind__in=Decision.POSTPONING
    )
