"""The queue of faces to decide about: what is in it for whom, in which order, and which face comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Exists, Max, OuterRef, QuerySet, Subquery
from django.utils import timezone

from access.roles import LABELER, MANAGER
from labeling.models import Decision
from recognition.models import Event, Face, UnlabeledFace

# Labelers who decided this recently are at their desks, and get different faces of the next few.
_AT_DESK = timedelta(minutes=5)
_SPREAD = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueCounts:
    """`left` and `skipped` are this user's; `decided` of `total` faces is everybody's progress."""

    left: int
    skipped: int
    decided: int
    total: int

    @property
    def percent(self) -> int:
        """Rounded down: 100 means that nothing is left."""
        return 100 * self.decided // self.total if self.total else 0


def get_unlabeled(
    *, user: User, event: Event | None = None, skipped: bool = False
) -> QuerySet[UnlabeledFace]:
    """Open entries that the user may decide about, best first; or the ones they skipped, the longest ago first."""
    entries = (
        UnlabeledFace.objects.for_role(user, LABELER, MANAGER).open().select_related("face__photo__event")
    )
    if event is not None:
        entries = entries.filter(face__photo__event=event)
    skips = Decision.objects.filter(
        face=OuterRef("face"), actor=user, kind=Decision.Kind.SKIP, undone_at=None
    ).order_by()
    if not skipped:
        return entries.filter(~Exists(skips))
    last_skip = skips.values("face").annotate(last=Max("pk")).values("last")
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
    """The next few, for the card and for what a page loads ahead."""
    entries = get_unlabeled(user=user, event=event, skipped=skipped)
    if after is not None:
        entries = entries.exclude(face=after.pk)
    if skipped:
        return [entry.face for entry in entries[:count]]
    place, desks = _desk_of(user)
    found = [entry.face for entry in entries[: max(count, _SPREAD if desks > 1 else 0)]]
    found.sort(key=lambda face: face.pk % desks != place)  # stable: within mine and others' the order stays
    return found[:count]


def count_queue(*, user: User, event: Event | None = None) -> QueueCounts:
    """From the few that are open and the fewer that were skipped: a count over all faces is the slowest on the page."""
    faces = Face.objects.for_role(user, LABELER, MANAGER)
    entries = UnlabeledFace.objects.for_role(user, LABELER, MANAGER).open()
    if event is not None:
        faces, entries = faces.filter(photo__event=event), entries.filter(face__photo__event=event)
    # Of entries that are counted: who skipped faces of an event and labels there no more has not skipped any of these.
    skips = Decision.objects.filter(
        Exists(entries.filter(face=OuterRef("face")).order_by()),
        actor=user,
        kind=Decision.Kind.SKIP,
        undone_at=None,
    )
    total, still_open = faces.count(), entries.count()
    skipped = skips.order_by().values("face").distinct().count() if still_open else 0
    return QueueCounts(left=still_open - skipped, skipped=skipped, decided=total - still_open, total=total)


def _desk_of(user: User) -> tuple[int, int]:
    """This user's place among the labelers at work, and how many there are. A spread, not a lock: see DecisionConflict."""
    since = timezone.now() - _AT_DESK
    recent = (
        Decision.objects.filter(actor__isnull=False).order_by("-pk").values_list("actor", "created_at")[:50]
    )
    at_work = sorted({user.pk} | {actor for actor, at in recent if at > since})
    return at_work.index(user.pk), len(at_work)
