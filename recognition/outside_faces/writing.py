"""Faces that other programs found become photos and faces here: some photos in one short transaction.

Vectors keep their bits. An import that is run again finds what is there by the other program's ids and adds the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from recognition.active_embedder import get_active_embedder_id, require_active
from recognition.crash_points import crash_point
from recognition.embedders import Embedder
from recognition.faults import GalleryBusy
from recognition.gallery_journal import lock_gallery_state
from recognition.images import PhotoRefused
from recognition.models import Event, Face, FaceImport, ImportedFace, Photo
from recognition.outside_faces.describing import DescribedPhoto, describe_photo, describe_stand_in
from recognition.outside_faces.given import OutsidePhoto, RefusedFace, Written
from recognition.outside_faces.matching import all_hold, match_wanted, want_photo
from recognition.outside_faces.rows import RowWriter
from recognition.storage import crop_path, original_path, preview_path, thumb_path, write_file
from recognition.uploads.receiving import receive_or_refuse

# Between matching and writing somebody may name a face.
_ROUNDS = 20
_WRITERS = 8


class ImportEventGone(Exception):
    """The event was deleted while faces were written to it."""


def write_outside_photos(
    *,
    face_import: FaceImport,
    photos: Sequence[OutsidePhoto],
    user: User | None = None,
    embedder: Embedder | None = None,
) -> Written:
    """Write these photos with their faces, all or none; faces of this import that are there are passed over.

    With an `embedder`, which must be the active one, faces with pixels are embedded by it where no vector of it came
    along. Unnamed faces with a vector of the active embedder are matched like any other; the rest goes to the queue. Not
    inside a transaction. Raises ImportEventGone, GalleryBusy, WrongEmbedder, and OSError of our own data folder.
    """
    known = _known_ids(face_import, photos)
    waiting = [photo for photo in photos if any(face.external_id not in known for face in photo.faces)]
    with ExitStack() as files:
        described: list[DescribedPhoto] = []
        refused: list[RefusedFace] = []
        for photo in waiting:
            try:
                described.append(_describe(photo, face_import, embedder, files))
            except PhotoRefused as refusal:
                refused += [
                    RefusedFace(external_id=face.external_id, code=refusal.code, message=refusal.message)
                    for face in photo.faces
                    if face.external_id not in known
                ]
            else:
                refused += [one for one in described[-1].refused if one.external_id not in known]
        crash_point("outside_described")
        _write_files(described)
        crash_point("outside_files_written")
        written = _write(face_import, described, user=user, embedder=embedder)
    crash_point("outside_committed")
    passed = sum(len(photo.faces) for photo in photos) - sum(len(photo.faces) for photo in waiting)
    return written + Written(known=passed, refused=refused)


def _known_ids(face_import: FaceImport, photos: Sequence[OutsidePhoto]) -> set[str]:
    ids = [face.external_id for photo in photos for face in photo.faces]
    found: set[str] = set()
    for start in range(0, len(ids), 500):
        rows = ImportedFace.objects.filter(face_import=face_import, external_id__in=ids[start : start + 500])
        found.update(rows.order_by().values_list("external_id", flat=True))
    return found


def _describe(
    photo: OutsidePhoto, face_import: FaceImport, embedder: Embedder | None, files: ExitStack
) -> DescribedPhoto:
    if photo.path is None:
        # By the import's own sum: the same file in another import is another photo.
        return describe_stand_in(
            photo, mark=f"{face_import.fingerprint} {photo.key or photo.name}", embedder=embedder
        )
    try:
        handle = files.enter_context(photo.path.open("rb"))
    except OSError as error:
        message = f"The photo cannot be read ({error.strerror}). Check it and run the command again."
        raise PhotoRefused("unreadable", message) from error
    return describe_photo(photo, files.enter_context(receive_or_refuse(handle)), embedder=embedder)


def _write_files(photos: Sequence[DescribedPhoto]) -> None:
    files: dict[Path, bytes] = {}
    for photo in photos:
        row = Photo(sha256=photo.sha256, format=photo.format)
        files |= {preview_path(row): photo.preview, thumb_path(row): photo.thumb}
        if photo.png:
            files[original_path(photo.sha256, photo.format)] = photo.png
        files |= {crop_path(Face(crop=face.found.crop)): face.found.crop_jpeg for face in photo.faces}
    # Most of the time goes into waiting until each is on the disk, which it can do for several at once.
    with ThreadPoolExecutor(_WRITERS) as pool:
        for _ in pool.map(write_file, files.keys(), files.values()):
            pass


def _write(
    face_import: FaceImport,
    described: Sequence[DescribedPhoto],
    *,
    user: User | None,
    embedder: Embedder | None,
) -> Written:
    active = get_active_embedder_id()
    if embedder is not None:
        require_active(embedder.embedder_id)
    for _ in range(_ROUNDS):
        wanted = [want_photo(photo, active) for photo in described]
        matched = [match_wanted(one, face_import.event_id, active) for one in wanted]
        with transaction.atomic():
            lock_gallery_state()
            if not all_hold(matched, face_import.event_id):
                continue
            if not Event.objects.filter(pk=face_import.event_id, deleted_at=None).exists():
                raise ImportEventGone
            written = RowWriter(face_import, user=user, active=active).write(
                list(zip(described, wanted, matched, strict=True))
            )
            FaceImport.objects.filter(pk=face_import.pk).update(faces_done=F("faces_done") + written.added)
            crash_point("before_outside_commit")
        return written
    raise GalleryBusy
