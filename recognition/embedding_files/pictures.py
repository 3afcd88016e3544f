"""The photos and crops that belong to exported faces, under the names that the exported metadata gives them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.embedding_files.columns import BadRow, Columns, find_columns
from recognition.embedding_files.csv_text import read_cells
from recognition.embedding_files.files_below import is_safe_name
from recognition.embedding_files.selection import crop_entry, photo_entry
from recognition.images import PhotoRefused
from recognition.ingest import decode_original
from recognition.models import Face, FaceImport, Photo
from recognition.quality import NOT_MEASURED
from recognition.storage import crop_path, original_path

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


class PictureWriter:
    """Called with the faces of each block. What is there already is written again: a kill may have cut it.

    Faces of an import get the paths of their own metadata, and crops cut from the photo; the others ours.
    `missing` counts pictures that are not written: silhouettes, lost files, paths out of the folder.
    """

    def __init__(self, folder: Path, *, face_import: FaceImport | None, crops: bool, photos: bool) -> None:
        self._folder = folder
        self._crops = crops
        self._photos = photos
        self._columns: Columns | None = None
        if face_import is not None:
            names = face_import.details.get("metadata_names", [])
            self._columns = find_columns(names, file_name="the metadata")
        self._last_photo = 0
        self._pixels: NDArray[np.uint8] | None = None
        self.missing = 0

    def __call__(self, faces: Sequence[int]) -> None:
        if not (self._crops or self._photos):
            return
        rows = Face.objects.filter(pk__in=faces).select_related("photo", "imported").order_by("photo", "pk")
        for face in rows.iterator(chunk_size=500):
            image, crop = self._names(face)
            if (
                self._photos
                and face.photo.origin != Photo.Origin.STAND_IN
                and face.photo_id != self._last_photo
            ):
                self._put(image, self._original(face.photo))
            if self._crops:
                self._put(crop, self._crop(face, crop))
            self._last_photo = face.photo_id

    def _names(self, face: Face) -> tuple[str, str]:
        if self._columns is None:
            return photo_entry(face.photo.sha256, face.photo.format), crop_entry(face.face_id)
        try:
            said = self._columns.read(read_cells(face.imported.details["metadata"]))
        except (BadRow, KeyError):
            return "", ""
        return said.image, said.crop

    def _original(self, photo: Photo) -> bytes | None:
        try:
            return original_path(photo.sha256, photo.format).read_bytes()
        except FileNotFoundError:
            return None

    def _crop(self, face: Face, name: str) -> bytes | None:
        """As it is kept here; of an import as it came, cut from the photo by its box."""
        drawn = face.photo.origin == Photo.Origin.STAND_IN
        if drawn and face.sharpness == NOT_MEASURED:
            return None
        kind = _FORMATS.get(Path(name).suffix.lower())
        try:
            if self._columns is None or kind is None:
                return crop_path(face).read_bytes()
            if face.photo_id != self._last_photo or self._pixels is None:
                self._pixels = decode_original(face.photo)
        except (FileNotFoundError, PhotoRefused):
            return None
        at = face.box.clamped(face.photo.width, face.photo.height).as_ints()
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(self._pixels[at.top : at.bottom, at.left : at.right])).save(
            buffer, kind, quality=95
        )
        return buffer.getvalue()

    def _put(self, name: str, data: bytes | None) -> None:
        if data is None or not is_safe_name(name) or not _is_inside(self._folder, self._folder / name):
            self.missing += 1
            return
        path = self._folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(data)
        Path(file.name).replace(path)


def _is_inside(folder: Path, path: Path) -> bool:
    """A link below the folder may point out of it."""
    return path.parent.resolve().is_relative_to(folder.resolve())
