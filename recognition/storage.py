"""The files of an installation: content-addressed, written under a temporary name, durable before any row names them.

photos/ab/<sha256>.jpg      originals, bytes as uploaded
previews/ab/<sha256>.jpg    re-encoded at most 1600 pixels wide or high, without metadata; sha256 of the original
thumbs/ab/<sha256>.jpg      the same at 480 pixels
crops/ab/<sha256>.jpg       one face each; sha256 of the crop itself
probes/<probe_id>...        pictures to search with; see recognition/probes/files.py
incoming/                   uploads on their way in, exports on their way out
videos/ab/<sha256>.video    recordings that were uploaded, bytes as uploaded
exports/<export_id>.zip     what a worker made for somebody to download, until it expires
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO
from uuid import UUID

from django.conf import settings

from recognition.models import Face, Photo

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "HEIC": "heic"}
_CHUNK = 1024 * 1024
# The picture of a search passes through here too, and nothing of it may be left after an hour.
_STALE_SECONDS = 30 * 60


def original_path(sha256: str, photo_format: str) -> Path:
    return _address("photos", sha256, SUFFIXES[photo_format])


def preview_path(photo: Photo) -> Path:
    return _address("previews", photo.sha256, "jpg")


def thumb_path(photo: Photo) -> Path:
    return _address("thumbs", photo.sha256, "jpg")


def crop_path(face: Face) -> Path:
    return _address("crops", face.crop, "jpg")


def video_path(sha256: str) -> Path:
    """Of a recording that was uploaded; what it is, its content says."""
    return _address("videos", sha256, "video")


def remove_photo_files(photo: Photo) -> None:
    """Delete the original and what was made of it. For recognition/photos/removal.py, which knows that nothing else needs them."""
    for path in (original_path(photo.sha256, photo.format), preview_path(photo), thumb_path(photo)):
        path.unlink(missing_ok=True)


def remove_crop(sha256: str) -> None:
    _address("crops", sha256, "jpg").unlink(missing_ok=True)


def scratch_folder() -> Path:
    """For what lives no longer than the work that writes it: on the data's own disk, since a system's /tmp is often small."""
    return _incoming()


def export_path(export_id: UUID) -> Path:
    folder: Path = settings.FACEVAULT_DATA
    return folder / "exports" / f"{export_id}.zip"


def export_part_path(export_id: UUID, lease: UUID) -> Path:
    """Where one attempt writes: a worker that lost its lease and writes on must not meet its successor's file."""
    return _incoming() / f"export-{export_id}-{lease}.part"


def publish_export(part: IO[bytes], export_id: UUID) -> None:
    """Make a whole export durable at its address. It replaces what an earlier attempt may have left there."""
    _flush(part)
    final = export_path(export_id)
    _make_folder(final.parent)
    _publish(Path(part.name), final)


def remove_export(export_id: UUID) -> None:
    """Delete the file of an export and what its attempts left behind."""
    export_path(export_id).unlink(missing_ok=True)
    for part in _incoming().glob(f"export-{export_id}-*.part"):
        part.unlink(missing_ok=True)


def list_exports() -> set[UUID]:
    """The exports that have a file, whole or in parts."""
    folder: Path = settings.FACEVAULT_DATA / "exports"
    names = [path.stem for path in folder.glob("*.zip")]
    names += [path.name.removeprefix("export-")[:36] for path in _incoming().glob("export-*.part")]
    found = set()
    for name in names:
        with suppress(ValueError):
            found.add(UUID(name))
    return found


def write_crop(data: bytes) -> str:
    """Store a crop; returns its sha256, which is its address."""
    sha256 = hashlib.sha256(data).hexdigest()
    write_file(_address("crops", sha256, "jpg"), data)
    return sha256


def write_file(path: Path, data: bytes) -> None:
    """Write all of `data` or nothing; what is at the path already is the same by its address and stays."""
    if path.exists():
        return
    _make_folder(path.parent)
    # All temporary files are in one folder, so that what a killed process leaves is found and removed.
    with NamedTemporaryFile(dir=_incoming(), suffix=".part", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(data)
            _flush(file)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    _publish(temporary, path)


class TooManyBytes(Exception):
    """The file is larger than the limit; what was read of it is gone again."""


class SourceUnreadable(Exception):
    """The file that was given cannot be read, in the system's words; any OSError is of our own data folder then."""


class Incoming:
    """An upload while it is being looked at: its bytes on disk, their sum, their number."""

    def __init__(self, path: Path, sha256: str, byte_size: int) -> None:
        self.path = path
        self.sha256 = sha256
        self.byte_size = byte_size

    def keep(self, photo_format: str) -> Path:
        """Move it to its address, durably. A whole file that is there already has the same bytes; a damaged one heals."""
        return self.move_to(original_path(self.sha256, photo_format))

    def move_to(self, final: Path) -> Path:
        """The same for a file whose address is not its sum."""
        _make_folder(final.parent)
        _publish(self.path, final)
        return final


@contextmanager
def receive(file: BinaryIO, *, max_bytes: int) -> Iterator[Incoming]:
    """Stream an upload to disk with its sha256; whatever was not kept is deleted at the end."""
    digest, size = hashlib.sha256(), 0
    with NamedTemporaryFile(dir=_incoming(), suffix=".part", delete=False) as copy:
        path = Path(copy.name)
        try:
            while chunk := _read(file):
                size += len(chunk)
                if size > max_bytes:
                    raise TooManyBytes
                digest.update(chunk)
                copy.write(chunk)
            _flush(copy)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    try:
        yield Incoming(path, digest.hexdigest(), size)
    finally:
        path.unlink(missing_ok=True)


def remove_stale_uploads() -> int:
    """Delete what killed processes left in incoming/, ours and Django's; returns how many files.

    An upload that still arrives is written to, and one that is being read stays open until its reader is done.
    """
    removed = 0
    for path in (*_incoming().glob("*.part"), *_incoming().glob("*.upload*")):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _STALE_SECONDS:
                path.unlink()
                removed += 1
    return removed


def _address(kind: str, sha256: str, suffix: str) -> Path:
    folder: Path = settings.FACEVAULT_DATA
    return folder / kind / sha256[:2] / f"{sha256}.{suffix}"


def _incoming() -> Path:
    folder: Path = settings.FACEVAULT_DATA / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise SourceUnreadable(error.strerror or type(error).__name__) from error


def _make_folder(folder: Path) -> None:
    """Make it and what is missing above it; each new name is on disk before anything is put under it."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _flush(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _publish(temporary: Path, final: Path) -> None:
    # The rename itself survives a power cut only once its folder is on disk.
    temporary.replace(final)
    _sync_folder(final.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
