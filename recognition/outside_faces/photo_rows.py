"""The row and the files of a photo whose faces came with it. Belongs into a transaction that holds the gallery's lock."""

from __future__ import annotations

from typing import NamedTuple

from django.contrib.auth.models import User
from django.utils import timezone

from recognition.models import Photo
from recognition.outside_faces.describing import DescribedPhoto
from recognition.storage import original_path, preview_path, thumb_path, write_file


class FoundPhoto(NamedTuple):
    photo: Photo
    created: bool


def get_photo(event_pk: int, described: DescribedPhoto, *, user: User | None) -> FoundPhoto:
    """The photo of these bytes in the event, made if it is not there."""
    there = Photo.objects.filter(event=event_pk, sha256=described.sha256).first()
    _keep_files(described)
    if there is not None:
        return FoundPhoto(there, created=False)
    photo = Photo.objects.create(
        event_id=event_pk,
        sha256=described.sha256,
        name=described.given.name[-255:],
        format=described.format,
        byte_size=described.byte_size,
        width=described.width,
        height=described.height,
        captured_at=described.captured_at,
        uploaded_by=user,
        origin=Photo.Origin.STAND_IN if described.incoming is None else Photo.Origin.UPLOADED,
        # Its faces came with it, so no worker looks for them again.
        state=Photo.State.DONE,
        processed_at=timezone.now(),
    )
    return FoundPhoto(photo, created=True)


def _keep_files(described: DescribedPhoto) -> None:
    """Again under the lock: somebody may have deleted another photo of the same bytes meanwhile."""
    row = Photo(sha256=described.sha256, format=described.format)
    if described.incoming is None:
        write_file(original_path(described.sha256, described.format), described.png)
    elif not original_path(described.sha256, described.format).exists():
        described.incoming.keep(described.format)
    write_file(preview_path(row), described.preview)
    write_file(thumb_path(row), described.thumb)
