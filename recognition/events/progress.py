"""How far events are: photos processed, faces decided. Counts only what the asking user may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from access.roles import User, sees_everything
from recognition.models import Face, Photo, Sighting, UnlabeledFace

# After so long without a sign of work the pages ask whether the worker runs.
_QUIET = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoCounts:
    """Photos of an event by what became of them; `stalled` when they wait and no worker moves any photo at all."""

    total: int = 0
    waiting: int = 0
    failed: int = 0
    stalled: bool = False

    @property
    def processed(self) -> int:
        """Done or failed: nothing more will happen to them by itself."""
        return self.total - self.waiting

    @property
    def done(self) -> int:
        return self.total - self.waiting - self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceShare:
    """How many of the faces are decided; those that turned out to be strangers or no faces are, too."""

    total: int = 0
    open: int = 0

    @property
    def decided(self) -> int:
        return self.total - self.open

    @property
    def percent(self) -> int:
        """Rounded down: 100 means that nothing is left."""
        return 100 * self.decided // self.total if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCounts(FaceShare):
    """And who named them."""

    by_machine: int = 0
    by_human: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventProgress:
    photos: PhotoCounts = PhotoCounts()
    faces: FaceShare = FaceShare()


_PHOTOS = {
    "total": Count("pk"),
    "waiting": Count("pk", filter=Q(state__in=[Photo.State.QUEUED, Photo.State.PROCESSING])),
    "failed": Count("pk", filter=Q(state=Photo.State.FAILED)),
}


def count_photos(user: User, *, event_pk: int | None = None) -> PhotoCounts:
    """Of one event, or of all."""
    photos = Photo.objects.visible_to(user)
    if event_pk is not None:
        photos = photos.filter(event=event_pk)
    counts = PhotoCounts(**photos.aggregate(**_PHOTOS))
    return replace(counts, stalled=nothing_moves()) if counts.waiting else counts


def nothing_moves() -> bool:
    """Whether photos wait for longer than they should, of whomever, and nobody works. Every question stops at its first row."""
    now = timezone.now()
    quiet = now - _QUIET
    in_hand = Photo.objects.filter(state=Photo.State.PROCESSING, lease_until__gt=now)
    if in_hand.exists() or Photo.objects.filter(processed_at__gt=quiet).exists():
        return False
    # A photo that failed for a passing reason waits until its lease_until: a worker was there.
    backing_off = Photo.objects.filter(state=Photo.State.QUEUED, lease_until__gt=quiet)
    # A worker that lives asks for the next task by itself, and a retry is asked for anew: its photos are old.
    if backing_off.exists() or DBTaskResult.objects.filter(enqueued_at__gt=quiet).exists():
        return False
    return Photo.objects.filter(
        state__in=[Photo.State.QUEUED, Photo.State.PROCESSING], uploaded_at__lt=quiet, event__deleted_at=None
    ).exists()


def count_faces(user: User, *, event_pk: int | None = None) -> FaceCounts:
    """Of one event, or of all. Each table is counted by itself: joined, 200,000 faces took two to three times as long."""
    faces = Face.objects.visible_to(user)
    entries, sightings = UnlabeledFace.objects.open(), Sighting.objects.all()
    if event_pk is not None:
        faces = faces.filter(photo__event=event_pk)
    if event_pk is not None or not sees_everything(user):
        entries, sightings = entries.filter(face__in=faces), sightings.filter(face__in=faces)
    # Two counts, each of which reads an index alone: grouped, SQLite looks into every row.
    named, by_human = sightings.count(), sightings.filter(decided_by=Sighting.DecidedBy.HUMAN).count()
    return FaceCounts(
        total=faces.count(), open=entries.count(), by_machine=named - by_human, by_human=by_human
    )


def progress_by_event(user: User, event_pks: Iterable[int]) -> dict[int, EventProgress]:
    """The progress of each of these events, in three queries; an event without photos is in it too."""
    wanted = list(event_pks)
    photos = Photo.objects.visible_to(user).filter(event__in=wanted)
    faces = Face.objects.visible_to(user).filter(photo__event__in=wanted)
    entries = UnlabeledFace.objects.open().filter(face__photo__event__in=wanted)
    if not sees_everything(user):
        entries = entries.filter(face__in=faces)
    total_of = dict(faces.order_by().values_list("photo__event").annotate(Count("pk")))
    open_of = dict(entries.order_by().values_list("face__photo__event").annotate(Count("pk")))
    rows: Iterable[dict[str, int]] = photos.order_by().values("event").annotate(**_PHOTOS)  # type: ignore[assignment]
    photos_of = {
        row["event"]: PhotoCounts(total=row["total"], waiting=row["waiting"], failed=row["failed"])
        for row in rows
    }
    return {
        pk: EventProgress(
            photos=photos_of.get(pk, PhotoCounts()),
            faces=FaceShare(total=total_of.get(pk, 0), open=open_of.get(pk, 0)),
        )
        for pk in wanted
    }
