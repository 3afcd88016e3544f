"""The files of an installation: content-addressed, written under a temporary name, durable before any row names them.

photos/ab/<sha256>.jpg      originals, bytes as uploaded
previews/ab/<sha256>.jpg    re-encoded at most 1600 pixels wide or high, without metadata; sha256 of the original
thumbs/ab/<sha256>.jpg      the same at 480 pixels
crops/ab/<sha256>.jpg       one face each; sha256 of the crop itself
incoming/                   uploads on their way in
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, BinaryIO

from django.conf import settings

from recognition.models import Face, Photo

SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_CHUNK = 1024 * 1024
_STALE_SECONDS = 24 * 60 * 60


def original_path(sha256: str, photo_format: str) -> Path:
    return _address("photos", sha256, SUFFIXES[photo_format])


def preview_path(photo: Photo) -> Path:
    return _address("previews", photo.sha256, "jpg")


def thumb_path(photo: Photo) -> Path:
    return _address("thumbs", photo.sha256, "jpg")


def crop_path(face: Face) -> Path:
    return _address("crops", face.crop, "jpg")


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
        final = original_path(self.sha256, photo_format)
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
    """Delete what killed processes left in incoming/ more than a day ago; returns how many files."""
    removed = 0
    for path in _incoming().glob("*.part"):
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
