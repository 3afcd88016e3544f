"""Photos out: their rows and the files that no other photo needs, in one transaction under the gallery's lock."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction

from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state, touch_gallery
from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
from recognition.storage import remove_crop, remove_photo_files


def remove_photos(photo_pks: Collection[int]) -> int:
    """Remove these photos with their faces, names and queue entries; decisions about them keep no face. Returns how many.

    Belongs into a transaction that holds the gallery's lock. Files go before the rows are committed: what a kill in between
    leaves is a row that is removed again, never a picture that nothing knows of. Whoever makes a row of the same bytes
    waits for the same lock (uploads/adding.py, ingest.py), so a file that is needed is never taken away.
    """
    lock_gallery_state()
    photos = list(Photo.objects.select_for_update().filter(pk__in=photo_pks).only("sha256", "format"))
    pks = [photo.pk for photo in photos]
    # Locked, too: a second opinion takes no lock of the gallery's, and one that came in between would fail the whole removal.
    locked = Face.objects.select_for_update().filter(photo__in=pks).order_by("pk")
    faces = dict(locked.values_list("pk", "crop"))
    if faces:
        touch_gallery(faces)
    Sighting.objects.filter(face__photo__in=pks).delete()
    UnlabeledFace.objects.filter(face__photo__in=pks).delete()
    Embedding.objects.filter(face__photo__in=pks).delete()
    # Through the querysets, so that decisions lose their face and rejections go with it.
    Face.objects.filter(photo__in=pks).delete()
    Photo.objects.filter(pk__in=pks).delete()
    crash_point("photos_removed")
    _remove_files(photos, set(faces.values()))
    crash_point("files_removed")
    return len(photos)


def remove_unused_crops(crops: Collection[str]) -> None:
    """Delete those of these crops that no face has any more, in a transaction of its own: whoever makes such a face waits."""
    if crops:
        with transaction.atomic():
            lock_gallery_state()
            _remove_crops(set(crops))


def _remove_files(photos: list[Photo], crops: set[str]) -> None:
    """Files are shared by their content: one stays as long as any row names it."""
    sums = {photo.sha256 for photo in photos}
    shared = set(Photo.objects.filter(sha256__in=sums).order_by().values_list("sha256", flat=True))
    for photo in photos:
        if photo.sha256 not in shared:
            remove_photo_files(photo)
    _remove_crops(crops)


def _remove_crops(crops: set[str]) -> None:
    for crop in crops - set(Face.objects.filter(crop__in=crops).order_by().values_list("crop", flat=True)):
        remove_crop(crop)
