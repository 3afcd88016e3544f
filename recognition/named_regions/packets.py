"""The XMP packets of a photo's file: where JPEG, PNG, WebP and HEIC keep them, also what did not fit into one segment."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import IO

from recognition._photo_header import DECODER_ERRORS
from recognition.exports.containers import (
    JPEG_XMP,
    PNG_XMP,
    NotThisContainer,
    jpeg_parts,
    png_packet,
    png_parts,
    webp_parts,
)
from recognition.exports.xmp import MAX_BYTES

_JPEG_MORE = b"http://ns.adobe.com/xmp/extension/\0"
# Sum of the whole, its length, and where this piece begins.
_MORE_HEADER = struct.Struct(">32sII")
_MORE_NAMED = re.compile(rb"HasExtendedXMP\s*(?:=\s*[\"']|>)\s*([0-9A-Fa-f]{32})")
# Where the pixels of a JPEG begin; more metadata than this no program writes.
_HEAD_BYTES = 64 * 1024 * 1024


def read_packets(file: IO[bytes], photo_format: str) -> list[bytes]:
    """The packets, the main one first; none where the file has none. Raises NotThisContainer for a damaged file."""
    readers = {"JPEG": _read_jpeg, "PNG": _read_png, "WEBP": _read_webp, "HEIC": _read_heic}
    try:
        return readers[photo_format](file)
    except (struct.error, IndexError, zlib.error) as error:
        raise NotThisContainer(photo_format) from error


def _read_jpeg(file: IO[bytes]) -> list[bytes]:
    main = b""
    pieces: dict[bytes, dict[int, bytes]] = {}
    lengths: dict[bytes, int] = {}
    for part in jpeg_parts(_jpeg_head(file)):
        if part.kind != b"\xe1":
            continue
        if part.body.startswith(JPEG_XMP):
            main = main or part.body[len(JPEG_XMP) :]
        elif part.body.startswith(_JPEG_MORE):
            at = len(_JPEG_MORE)
            digest, length, offset = _MORE_HEADER.unpack_from(part.body, at)
            pieces.setdefault(digest, {})[offset] = part.body[at + _MORE_HEADER.size :]
            lengths[digest] = length
    if not main:
        return []
    named = _MORE_NAMED.search(main)
    more = _put_together(pieces.get(named[1], {}), lengths.get(named[1], 0)) if named else b""
    return [main, more] if more else [main]


def _put_together(pieces: dict[int, bytes], length: int) -> bytes:
    """The rest of a packet; empty where a piece is missing, since half of it is no XML."""
    if not 0 < length <= MAX_BYTES:
        return b""
    whole = bytearray()
    for offset in sorted(pieces):
        if offset != len(whole):
            return b""
        whole += pieces[offset]
    return bytes(whole) if len(whole) == length else b""


def _jpeg_head(file: IO[bytes]) -> bytes:
    """The segments before the pixels: of a large photo that is a small part."""
    head = bytearray(file.read(2))
    while len(head) < _HEAD_BYTES:
        marker = file.read(2)
        while marker == b"\xff\xff":
            marker = b"\xff" + file.read(1)
        head += marker
        if len(marker) < 2 or marker[0] != 0xFF or marker[1] in (0xDA, 0xD9):
            break
        size = file.read(2)
        head += size
        head += file.read(max(0, int.from_bytes(size, "big") - 2))
    return bytes(head)


def _read_png(file: IO[bytes]) -> list[bytes]:
    for part in png_parts(file.read()):
        if part.kind == b"iTXt" and part.body.startswith(PNG_XMP):
            return [png_packet(part.body)]
    return []


def _read_webp(file: IO[bytes]) -> list[bytes]:
    return [part.body for part in webp_parts(file.read()) if part.kind == b"XMP "][:1]


def _read_heic(file: IO[bytes]) -> list[bytes]:
    """By libheif, which finds the item among the others; nothing where it is not installed."""
    from recognition._heic import is_installed, open_heic

    if not is_installed():
        return []
    try:
        packet = open_heic(io.BytesIO(file.read())).info.get("xmp")
    except DECODER_ERRORS as error:
        raise NotThisContainer("HEIC") from error
    return [packet] if isinstance(packet, bytes) and packet else []
