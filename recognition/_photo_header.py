"""A photo's header: what the file is, how large, which way up, and when it was taken. No pixel is decoded."""

from __future__ import annotations

import contextlib
import io
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import BinaryIO

from PIL import ExifTags, Image

from recognition._heic import is_installed, name_brand, open_heic

MAX_BYTES = 50 * 1024 * 1024
MAX_PIXELS = 50_000_000
MAX_SIDE = 16_384
MAX_ASPECT = 50
MIN_SIDE = 16

_FORMATS = ("JPEG", "PNG", "WEBP")
# PGM and PPM, as research sets of faces have them: what Pillow calls PPM.
_PORTABLE = "PPM"
_PORTABLE_STARTS = (b"P2", b"P3", b"P5", b"P6")
_HEAD_BYTES = 64
# Everything Pillow's three decoders and libheif were seen to raise on damaged files; a bug of ours would be a NameError
# or an AssertionError and still surfaces.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
)
# catch_warnings swaps process-wide filters, so only one thread at a time may be inside it.
_warnings_lock = threading.Lock()


class PhotoRefused(Exception):
    """A file that is not taken as a photo. `code` is stable; `message` is one sentence saying what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


@dataclass(frozen=True, slots=True)
class OpenPhoto:
    image: Image.Image
    format: str
    orientation: int
    captured_at: datetime | None


@contextlib.contextmanager
def open_checked(
    file: BinaryIO, *, max_pixels: int, max_bytes: int, heic: bool, portable: bool = False
) -> Iterator[OpenPhoto]:
    """A photo whose header passed every check, not yet decoded."""
    kind = _check_bytes(file, max_pixels=max_pixels, max_bytes=max_bytes, heic=heic, portable=portable)
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            image = (
                open_heic(file)
                if kind == "HEIC"
                else Image.open(file, formats=(*_FORMATS, _PORTABLE) if portable else _FORMATS)
            )
        except Image.DecompressionBombError as error:
            raise _too_many_pixels(max_pixels) from error
        except DECODER_ERRORS as error:
            reraise_disk_error(error)
            raise damaged(kind) from error
        try:
            exif = _read_exif(image)
            # libheif turns by the file's own properties; EXIF in a HEIC repeats them and must not turn it again.
            orientation = 1 if kind == "HEIC" else _orientation(exif)
            captured_at = _captured_at(exif)
        except DECODER_ERRORS:  # a photo is not refused for its metadata
            orientation, captured_at = 1, None
    try:
        _check_size(*image.size, max_pixels=max_pixels)
        yield OpenPhoto(image, kind, orientation, captured_at)
    finally:
        # The stream is the caller's; Image.close() would close it.
        file.seek(0)


def _check_bytes(file: BinaryIO, *, max_pixels: int, max_bytes: int, heic: bool, portable: bool) -> str:
    """The format by content; refuse what is empty, too large, foreign, or a WebP whose canvas is too large."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size == 0:
        raise PhotoRefused("empty_file", "The file is empty; upload it again.")
    if size > max_bytes:
        limit = max_bytes // (1024 * 1024)
        raise PhotoRefused(
            "file_too_large", f"The file is larger than {limit} MB; export the photo in a smaller size."
        )
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    kind = _sniff(head)
    if portable and head[:2] in _PORTABLE_STARTS:
        return _PORTABLE
    if kind in _FORMATS:
        # Pillow's WebP plugin builds its decoder, canvas included, while opening: look before that.
        if kind == "WEBP" and (canvas := _webp_canvas(head)) is not None:
            _check_size(*canvas, max_pixels=max_pixels)
        return kind
    if kind == "HEIC":
        _check_heic(allowed=heic)
        return kind
    if kind:
        raise PhotoRefused(
            "unsupported_format", f"{kind} files are not supported; export the photo as JPEG, PNG or WebP."
        )
    raise PhotoRefused("not_an_image", "This is not an image file; upload a JPEG, PNG or WebP photo.")


def _check_heic(*, allowed: bool) -> None:
    if not allowed:
        raise PhotoRefused(
            "unsupported_format",
            "HEIC photos are not switched on here. On the phone choose 'Most compatible' for the camera's format or "
            "export the photo as JPEG, or ask the administrator to switch HEIC on.",
        )
    if not is_installed():
        raise PhotoRefused(
            "heic_unavailable",
            "This server cannot read HEIC photos: the package pillow-heif is missing. Ask the administrator to install "
            "it, or export the photo as JPEG.",
        )


def _sniff(head: bytes) -> str:
    """The name of the format that the first bytes announce, or ""."""
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WEBP"
    if head[4:8] == b"ftyp":
        return name_brand(head)
    for magic, name in (
        (b"GIF8", "GIF"),
        (b"II*\0", "TIFF or camera raw"),
        (b"MM\0*", "TIFF or camera raw"),
        (b"BM", "BMP"),
        (b"8BPS", "Photoshop"),
        (b"%PDF", "PDF"),
        (b"%!PS", "PostScript"),
        (b"\0\0\1\0", "Icon"),
        (b"\0\0\0\x0cjP  ", "JPEG 2000"),
        (b"\xff\x0a", "JPEG XL"),
        (b"\0\0\0\x0cJXL ", "JPEG XL"),
    ):
        if head.startswith(magic):
            return name
    return ""


def _webp_canvas(head: bytes) -> tuple[int, int] | None:
    """Width and height by the first WebP chunk; None if it is cut short (RFC 9649, sections 2.5 to 2.7)."""
    chunk, body = head[12:16], head[20:]
    if len(body) < 10:
        return None
    if chunk == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if chunk == b"VP8 ":
        width, height = struct.unpack("<HH", body[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
    return None


def _check_size(width: int, height: int, *, max_pixels: int) -> None:
    shorter, longer = sorted((width, height))
    if width * height > max_pixels:
        raise _too_many_pixels(max_pixels)
    if longer > MAX_SIDE:
        raise PhotoRefused(
            "side_too_long",
            f"A side is longer than {MAX_SIDE} pixels; scale the photo down and upload it again.",
        )
    if shorter < MIN_SIDE:
        raise PhotoRefused(
            "too_small", f"A side is shorter than {MIN_SIDE} pixels; upload the photo in its full size."
        )
    if longer > MAX_ASPECT * shorter:
        raise PhotoRefused(
            "bad_aspect",
            f"The photo is more than {MAX_ASPECT} times longer than wide; crop it and upload it again.",
        )


def _too_many_pixels(max_pixels: int) -> PhotoRefused:
    return PhotoRefused(
        "too_many_pixels",
        f"The photo has more than {max_pixels / 1e6:g} million pixels; scale it down and upload it again.",
    )


def damaged(kind: str) -> PhotoRefused:
    return PhotoRefused(
        "truncated", f"The {kind} file is cut short or damaged; copy it again from the camera and upload it."
    )


def reraise_disk_error(error: BaseException) -> None:
    """A failing disk is not the photo's fault: Pillow's own OSErrors carry no errno."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error


def _read_exif(image: Image.Image) -> Image.Exif:
    # Pillow decodes a PNG to look for an eXIf chunk behind the pixels; only one before them counts.
    if image.format == "PNG" and "exif" not in image.info:
        return Image.Exif()
    return image.getexif()


def _orientation(exif: Image.Exif) -> int:
    value = exif.get(ExifTags.Base.Orientation)
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _captured_at(exif: Image.Exif) -> datetime | None:
    tags = exif.get_ifd(ExifTags.IFD.Exif)
    text = tags.get(ExifTags.Base.DateTimeOriginal)
    found = re.fullmatch(
        r"(\d{4}):(\d\d):(\d\d) (\d\d):(\d\d):(\d\d)", text.strip(" \0") if isinstance(text, str) else ""
    )
    if found is None:
        return None
    try:
        taken = datetime(*(int(part) for part in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    # Before 1970 and after 2099 it is a camera whose clock was never set.
    if not 1970 <= taken.year <= 2099:
        return None
    offset = tags.get(ExifTags.Base.OffsetTimeOriginal)
    signed = re.fullmatch(r"([+-])(\d\d):(\d\d)", offset.strip(" \0") if isinstance(offset, str) else "")
    if signed is None:
        return taken
    minutes = int(signed[2]) * 60 + int(signed[3])
    if minutes > 14 * 60:
        return taken
    return taken.replace(tzinfo=timezone(timedelta(minutes=minutes if signed[1] == "+" else -minutes)))
