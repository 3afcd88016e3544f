"""One photo: whether somebody may remove it, removing it, and moving it to another event."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from access.roles import MANAGER, UPLOADER, reach_of, require_role
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Event, Photo, Sighting
from recognition.photos.removal import remove_photos
from recognition.signals import photo_moved

_CHANGED = "This photo was moved or deleted meanwhile. Reload the page."


class PhotoRefusal(Exception):
    """Nothing was changed; the message says why and what to do."""


def may_delete(photo: Photo, user: User) -> bool:
    """A manager of the event; whoever brought the photo as an uploader, as long as nobody named a face on it."""
    if photo.event_id in reach_of(user, MANAGER):
        return True
    if photo.uploaded_by_id != user.pk or photo.event_id not in reach_of(user, UPLOADER):
        return False
    named = Sighting.objects.filter(face__photo=photo, decided_by=Sighting.DecidedBy.HUMAN)
    return not named.exists()


def delete_photo(*, photo: Photo, user: User) -> None:
    """Remove the photo, its faces and its files. Raises PermissionDenied and PhotoRefusal."""
    with transaction.atomic():
        # Nobody names a face between the question and the removal.
        lock_gallery_state()
        # Nor does a worker claim it, nor was it moved to an event where this user may not delete.
        now = Photo.objects.select_for_update().filter(pk=photo.pk, event=photo.event_id).first()
        if now is None:
            raise PhotoRefusal(_CHANGED)
        if not may_delete(now, user):
            raise PermissionDenied
        if now.state == Photo.State.PROCESSING and now.lease_until and now.lease_until > timezone.now():
            raise PhotoRefusal("This photo is being processed. Wait a few seconds and delete it then.")
        remove_photos([photo.pk])


def move_photo(*, photo: Photo, to: Event, user: User) -> None:
    """Give the photo to another event, faces and names with it. Raises PermissionDenied and PhotoRefusal."""
    require_role(user, photo.event_id, MANAGER)
    require_role(user, to.pk, MANAGER)
    if photo.origin == Photo.Origin.FRAME:
        raise PhotoRefusal("This photo is a frame of a video and stays in the event of its video.")
    try:
        with transaction.atomic():
            # An event that is being deleted takes nothing in; the deletion holds the same lock.
            lock_gallery_state()
            if not Event.objects.filter(pk=to.pk, deleted_at=None).exists():
                raise PhotoRefusal("That event was deleted meanwhile. Choose another one.")
            here = Event.objects.filter(pk=photo.event_id, deleted_at=None)
            moved = Photo.objects.filter(pk=photo.pk, event__in=here).update(event=to)
            if moved:
                photo_moved.send(Photo, photo=photo)
    except IntegrityError:
        raise PhotoRefusal(f"{to.name} has the same photo already. Delete one of the two.") from None
    if not moved:
        raise PhotoRefusal(_CHANGED)
