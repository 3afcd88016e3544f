"""ZIP archives of photos: entries streamed one by one with caps on number and bytes, never extracted by their names."""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, BinaryIO, cast

from recognition.images import PhotoRefused

MAX_ENTRIES = 20_000
# A photo hardly compresses; an entry that unpacks to far more than it takes is a bomb.
MAX_RATIO = 200
# The other two methods are rare, and their decompressors take as much memory as the archive asks for.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# Everything that zipfile was seen to raise on damaged archives; UnicodeDecodeError is a ValueError, and an offset
# beyond any file an OverflowError. An OSError here is of the archive: our own files are written elsewhere.
_ZIP_ERRORS = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
    EOFError,
    struct.error,
    zlib.error,
)
_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: readable until the next one is asked for, or refused with a reason."""

    name: str
    file: BinaryIO | None = None
    refusal: PhotoRefused | None = None
    path: str = ""  # with its folders


def is_archive(file: BinaryIO) -> bool:
    """By content; the file's position stays at its start."""
    file.seek(0)
    head = file.read(4)
    file.seek(0)
    return head in _SIGNATURES


def open_entries(file: BinaryIO, *, max_bytes: int) -> Iterator[Entry]:
    """Every file in the archive. Raises PhotoRefused for the whole of it: broken, encrypted, or over a cap."""
    try:
        archive = zipfile.ZipFile(file)
    except _ZIP_ERRORS:
        raise PhotoRefused("archive_broken", "The ZIP file is broken or incomplete. Make it again.") from None
    with archive:
        entries = [
            entry for entry in archive.infolist() if not entry.is_dir() and not _is_clutter(entry.filename)
        ]
        if len(entries) > MAX_ENTRIES:
            raise PhotoRefused(
                "archive_too_many",
                f"The ZIP file holds more than {MAX_ENTRIES} files. Split it and upload the parts.",
            )
        if sum(entry.file_size for entry in entries) > max_bytes:
            raise PhotoRefused(
                "archive_too_large",
                f"The ZIP file unpacks to more than {max_bytes // 1024**2} MB. Split it and upload the parts.",
            )
        for entry in entries:
            yield from _open_entry(archive, entry)


def _open_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[Entry]:
    name = entry.filename.replace("\\", "/").rsplit("/", 1)[-1]
    if entry.flag_bits & 0x1:
        refusal = PhotoRefused("archive_encrypted", "The file is encrypted. Make the ZIP without a password.")
    elif stat.S_ISLNK(entry.external_attr >> 16):
        refusal = PhotoRefused(
            "archive_link", "This is a link, not a photo. Put the photo itself into the ZIP."
        )
    elif entry.compress_type not in _METHODS:
        refusal = PhotoRefused(
            "archive_method",
            "The ZIP file packs this file in an unusual way. Make the ZIP with normal compression (Deflate), or upload "
            "the file by itself.",
        )
    elif entry.file_size > MAX_RATIO * max(entry.compress_size, 1024):
        refusal = PhotoRefused(
            "archive_bomb", "The file unpacks to far more than a photo would. Upload it by itself."
        )
    else:
        try:
            stream = archive.open(entry)
        except _ZIP_ERRORS:
            refusal = _broken_entry()
        else:
            with stream:
                guarded = cast(BinaryIO, _Guarded(stream, entry.file_size))
                yield Entry(name, file=guarded, path=entry.filename)
            return
    yield Entry(name, refusal=refusal, path=entry.filename)


class _Guarded:
    """A stream that says so when an entry holds other bytes than the archive's directory announced."""

    def __init__(self, stream: IO[bytes], announced: int) -> None:
        self._stream = stream
        self._left = announced

    def read(self, size: int = -1) -> bytes:
        try:
            data = self._stream.read(size)
        except _ZIP_ERRORS:
            raise _broken_entry() from None
        self._left -= len(data)
        if self._left < 0:
            raise _broken_entry()
        return data


def _broken_entry() -> PhotoRefused:
    return PhotoRefused(
        "archive_entry_broken", "The file cannot be unpacked. Make the ZIP again, or upload it by itself."
    )


def _is_clutter(name: str) -> bool:
    """What operating systems put into archives beside the photos."""
    parts = name.split("/")
    return "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1] in {"Thumbs.db", "desktop.ini"}
