"""Where JPEG, PNG and WebP files keep their XMP packet. Pixels and all other metadata are carried over byte by byte."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

Packet = Callable[[bytes | None], bytes]
# A file in pieces: the photo is in memory once, not once more for every copy.
Pieces = list[bytes | memoryview]

JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_JPEG_EXIF = b"Exif\0\0"
# A segment's length counts itself and is 16 bits; what is longer needs ExtendedXMP, which few programs read.
_JPEG_ROOM = 65_535 - 2 - len(JPEG_XMP)
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
PNG_XMP = b"XML:com.adobe.xmp\0"
_MAX_PACKET = 4 * 1024 * 1024
_WEBP_XMP_FLAG, _WEBP_ALPHA_FLAG = 0x04, 0x10


class NotThisContainer(Exception):
    """The file is not laid out as its format says, or has no room: it is left alone."""


class Part(NamedTuple):
    """A segment or chunk: what it is, its content, and where it is in the file with everything around it."""

    kind: bytes
    body: bytes
    start: int
    end: int


def replace_packet(data: bytes, photo_format: str, make: Packet) -> Pieces:
    """The file with the packet that `make` gives for the one it has, or for none."""
    writers = {"JPEG": _write_jpeg, "PNG": _write_png, "WEBP": _write_webp}
    if photo_format not in writers:
        raise NotThisContainer(photo_format)
    try:
        return writers[photo_format](data, make)
    except (struct.error, IndexError, zlib.error) as error:
        raise NotThisContainer(photo_format) from error


def _write_jpeg(data: bytes, make: Packet) -> Pieces:
    """In place of the packet's APP1 segment, else behind JFIF and EXIF, which come first."""
    old, place = None, 2
    for part in jpeg_parts(data):
        if part.kind == b"\xe1" and part.body.startswith(JPEG_XMP):
            old = part
            break
        if part.kind == b"\xe0" or (part.kind == b"\xe1" and part.body.startswith(_JPEG_EXIF)):
            place = part.end
    packet = make(old.body[len(JPEG_XMP) :] if old else None)
    if len(packet) > _JPEG_ROOM:
        raise NotThisContainer("the packet is too large for a segment")
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(JPEG_XMP) + len(packet)) + JPEG_XMP + packet
    start, end = (old.start, old.end) if old else (place, place)
    return [memoryview(data)[:start], segment, memoryview(data)[end:]]


def jpeg_parts(data: bytes) -> Iterator[Part]:
    """The segments before the pixels."""
    if data[:2] != b"\xff\xd8":
        raise NotThisContainer("JPEG")
    at = 2
    while True:
        start = at
        if data[at] != 0xFF:
            raise NotThisContainer("JPEG")
        while data[at] == 0xFF:  # any number of fill bytes
            at += 1
        kind = data[at : at + 1]
        if kind in (b"\xda", b"\xd9"):
            return
        (length,) = struct.unpack_from(">H", data, at + 1)
        end = at + 1 + length
        if length < 2 or end > len(data):
            raise NotThisContainer("JPEG")
        yield Part(kind, data[at + 3 : end], start, end)
        at = end


def _write_png(data: bytes, make: Packet) -> Pieces:
    """In place of the packet's iTXt chunk, else right behind the header, where every reader looks."""
    old, place = None, None
    for part in png_parts(data):
        if place is None:
            if part.kind != b"IHDR":
                raise NotThisContainer("PNG")
            place = part.end
        if part.kind == b"iTXt" and part.body.startswith(PNG_XMP):
            old = part
            break
    if place is None:
        raise NotThisContainer("PNG")
    packet = make(png_packet(old.body) if old else None)
    body = PNG_XMP + b"\0\0\0\0" + packet
    checksum = zlib.crc32(b"iTXt" + body)
    chunk = struct.pack(">I", len(body)) + b"iTXt" + body + struct.pack(">I", checksum)
    start, end = (old.start, old.end) if old else (place, place)
    return [memoryview(data)[:start], chunk, memoryview(data)[end:]]


def png_parts(data: bytes) -> Iterator[Part]:
    if not data.startswith(_PNG_MAGIC):
        raise NotThisContainer("PNG")
    at = len(_PNG_MAGIC)
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise NotThisContainer("PNG")
        yield Part(kind, data[at + 8 : end - 4] if kind == b"iTXt" else b"", at, end)
        if kind == b"IEND":
            return
        at = end


def png_packet(body: bytes) -> bytes:
    """The text of an iTXt chunk: behind keyword, compression, language and translated keyword."""
    compressed, method = body[len(PNG_XMP)], body[len(PNG_XMP) + 1]
    parts = body[len(PNG_XMP) + 2 :].split(b"\0", 2)
    if len(parts) != 3 or method:
        raise NotThisContainer("PNG")
    if not compressed:
        return parts[2]
    inflate = zlib.decompressobj()
    text = inflate.decompress(parts[2], _MAX_PACKET)
    if not inflate.eof:
        raise NotThisContainer("PNG")
    return text


def _write_webp(data: bytes, make: Packet) -> Pieces:
    """The XMP chunk comes last; a file of pixels alone first gets the header that says so (RFC 9649, section 2.7)."""
    parts = list(webp_parts(data))
    if not parts:
        raise NotThisContainer("WebP")
    old = next((part for part in parts if part.kind == b"XMP "), None)
    packet = make(data[old.start + 8 : old.start + 8 + len(old.body)] if old else None)
    first = parts[0]
    if first.kind == b"VP8X":
        header = bytes([first.body[0] | _WEBP_XMP_FLAG]) + first.body[1:]
        kept = [part for part in parts[1:] if part.kind != b"XMP "]
    else:
        header = _webp_header(first)
        kept = parts
    chunks: Pieces = [_webp_chunk(b"VP8X", header)]
    chunks += [memoryview(data)[part.start : part.end] for part in kept]
    chunks.append(_webp_chunk(b"XMP ", packet))
    size = 4 + sum(len(chunk) for chunk in chunks)
    return [b"RIFF" + struct.pack("<I", size) + b"WEBP", *chunks]


def webp_parts(data: bytes) -> Iterator[Part]:
    """Chunks with their padding. Only the content of small ones that are looked at is copied."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise NotThisContainer("WebP")
    (size,) = struct.unpack_from("<I", data, 4)
    at, stop = 12, 8 + size
    if stop > len(data):
        raise NotThisContainer("WebP")
    while at + 8 <= stop:
        kind, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        if at + 8 + length > stop or (length % 2 and end > stop):
            raise NotThisContainer("WebP")
        body = data[at + 8 : at + 8 + (length if kind == b"XMP " else min(length, 10))]
        yield Part(kind, body, at, end)
        at = end


def _webp_header(first: Part) -> bytes:
    """The extended header of a file that has none; width and height are those of its pixels."""
    flags = _WEBP_XMP_FLAG
    if first.kind == b"VP8 ":
        width = int.from_bytes(first.body[6:8], "little") & 0x3FFF
        height = int.from_bytes(first.body[8:10], "little") & 0x3FFF
    elif first.kind == b"VP8L" and first.body[0] == 0x2F:
        bits = int.from_bytes(first.body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        flags |= _WEBP_ALPHA_FLAG if bits >> 28 & 1 else 0
    else:
        raise NotThisContainer("WebP")
    return bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def _webp_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
