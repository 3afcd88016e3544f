"""Deleting an event: what it costs, its disappearance at once, and the removal of all that was in it, batch by batch."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state, touch_gallery
from recognition.leases import request_task, stopping
from recognition.models import Event, Export, Face, FaceImport, Photo, Sighting, Video
from recognition.photos.removal import remove_photos
from recognition.querysets import ExportQuerySet
from recognition.tasks import delete_events
from recognition.videos.removal import remove_free_video

# A labeler's decision waits for one batch at most.
PHOTOS_PER_BATCH = 200
# Photos and exports get their turn between two tasks.
BATCHES_PER_TASK = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What goes away with an event. `people_left` have no face anywhere afterwards; their names stay in the list."""

    photos: int
    faces: int
    verified: int
    references: int
    people_left: int
    exports: int


def count_consequences(event: Event) -> Consequences:
    sightings = Sighting.objects.filter(face__photo__event=event).order_by()
    here = dict(sightings.values_list("person").annotate(Count("pk")))
    everywhere = Sighting.objects.filter(person__in=sightings.values("person")).order_by()
    return Consequences(
        photos=Photo.objects.filter(event=event).count(),
        faces=Face.objects.filter(photo__event=event).count(),
        **sightings.aggregate(
            verified=Count("pk", filter=Q(decided_by=Sighting.DecidedBy.HUMAN)),
            references=Count("pk", filter=Q(is_reference=True)),
        ),
        people_left=sum(
            here[person] == count for person, count in everywhere.values_list("person").annotate(Count("pk"))
        ),
        exports=_exports_with(event)
        .filter(state__in=[Export.State.QUEUED, Export.State.PROCESSING], expires_at__gt=timezone.now())
        .count(),
    )


def delete_event(event: Event) -> bool:
    """Nobody sees the event from here on and its name is free; a worker removes the rest. False if it was deleted already."""
    with transaction.atomic():
        # Its references answer no search from here on: a worker that matched by them before must match again.
        touch_gallery([])
        if not Event.objects.filter(pk=event.pk, deleted_at=None).update(deleted_at=timezone.now()):
            return False
        # What was prepared of its photos is handed out no more: the sweep removes files without a row, and a worker that
        # writes one finds its lease gone.
        _exports_with(event).delete()
        request_task(delete_events)
    return True


def delete_next_batch() -> bool:
    """Remove some photos of a deleted event, or the event itself once it is empty. False when there is nothing to do now."""
    for event in Event.objects.filter(deleted_at__isnull=False).order_by("deleted_at", "pk"):
        with transaction.atomic():
            # Two workers take turns: the second one finds what the first one left.
            lock_gallery_state()
            photos = Photo.objects.filter(event=event)
            # A worker that has a photo in hand still writes crops; what it finishes is the next batch's.
            free = photos.exclude(state=Photo.State.PROCESSING, lease_until__gt=timezone.now())
            # Locked, so that no worker claims one of them in between.
            pks = list(
                free.select_for_update().order_by("pk").values_list("pk", flat=True)[:PHOTOS_PER_BATCH]
            )
            if remove_photos(pks) if pks else _remove_if_empty(event):
                crash_point("before_deletion_commit")
                return True
    return False


def sweep_deletions() -> None:
    """Have a worker go on with deletions that a dead one dropped; every event with `deleted_at` is work."""
    if Event.objects.filter(deleted_at__isnull=False).exists():
        with transaction.atomic():
            request_task(delete_events)


def delete_some() -> bool:
    """The work of one task; whether some may be left."""
    for _ in range(BATCHES_PER_TASK):
        if stopping.is_set():
            return True
        if not delete_next_batch():
            return False
    return True


def _remove_if_empty(event: Event) -> bool:
    if Photo.objects.filter(event=event).exists():
        return False
    videos = Video.objects.filter(event=event)
    if videos.exists():
        # One that a worker has in hand is the next batch's, with the photos that it writes meanwhile.
        return remove_free_video(videos)
    # How other programs called its faces, and what they keep beside them, is of no use without the faces.
    FaceImport.objects.filter(event=event).delete()
    return bool(Event.objects.filter(pk=event.pk).delete()[0])


def _exports_with(event: Event) -> ExportQuerySet:
    """Those of the event, and those of people who are on its photos."""
    seen = Sighting.objects.filter(person=OuterRef("person"), face__photo__event=event).order_by()
    return Export.objects.filter(Q(event=event) | Exists(seen))
