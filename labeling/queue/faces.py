"""The queue face by face, as programs work it: every open face, the best first, whatever card it is on."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery

from labeling.models import Decision
from labeling.queue.scope import Scope
from labeling.team.leases import leased_by_others
from recognition.models import Event, Face, UnlabeledFace

_DEPTH = 48


def get_unlabeled(
    *, user: User, event: Event | None = None, skipped: bool = False
) -> QuerySet[UnlabeledFace]:
    """Open entries that the user may decide about, best first; or the ones they skipped, the longest ago first."""
    scope = Scope.of(user, event)
    entries = scope.entries().select_related("face__photo__event")
    put_off = scope.put_off_faces().filter(face=OuterRef("face")).order_by()
    if not skipped:
        return entries.filter(~Exists(put_off))
    skips = put_off.filter(decision__kind=Decision.Kind.SKIP)
    last_skip = skips.values("face").annotate(last=Max("decision")).values("last")
    return entries.filter(Exists(skips)).annotate(last_skip=Subquery(last_skip)).order_by("last_skip", "pk")


def next_face(
    *, user: User, event: Event | None = None, skipped: bool = False, after: Face | None = None
) -> Face | None:
    """The next face for this user, never `after`, the one they just decided about."""
    faces = next_faces(user=user, event=event, skipped=skipped, after=after, count=1)
    return faces[0] if faces else None


def next_faces(
    *, user: User, event: Event | None = None, skipped: bool = False, after: Face | None = None, count: int
) -> list[Face]:
    """The next few; those that others have open come last."""
    entries = get_unlabeled(user=user, event=event, skipped=skipped)
    if after is not None:
        entries = entries.exclude(face=after.pk)
    if skipped:
        return [entry.face for entry in entries[:count]]
    leased = leased_by_others(user)
    found = [entry.face for entry in entries[: max(count, _DEPTH)]]
    found.sort(
        key=lambda face: f"face-{face.pk}" in leased
    )  # stable: within free and open ones the order stays
    return found[:count]
