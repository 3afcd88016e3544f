"""Where the packet is in a file, for every container, and that damage is told apart from "no packet"."""

from __future__ import annotations

import io
import struct

import pytest

from recognition.exports.containers import NotThisContainer
from recognition.named_regions.packets import read_packets
from recognition.named_regions.parsing import parse_regions
from tests.recognition.exports.making import encode, paint
from tests.recognition.named_regions.packets import as_elements, wrap

PIXELS = paint(80, 40, (10, 10, 20, 20))
PACKET = wrap(as_elements("Alice"))
GUID = b"0123456789ABCDEF0123456789ABCDEF"


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP"])
def test_the_packet_is_found(photo_format: str) -> None:
    data = encode(PIXELS, photo_format, xmp=PACKET)
    assert [part.strip() for part in read_packets(io.BytesIO(data), photo_format)] == [PACKET.strip()]


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP"])
def test_a_photo_without_a_packet_has_none(photo_format: str) -> None:
    assert read_packets(io.BytesIO(encode(PIXELS, photo_format)), photo_format) == []


@pytest.mark.parametrize("photo_format", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_is_cut_short_is_told(photo_format: str) -> None:
    data = encode(PIXELS, photo_format, xmp=PACKET)
    cut = data[: data.index(b"photoshop") if b"photoshop" in data else 60]
    with pytest.raises(NotThisContainer):
        read_packets(io.BytesIO(cut), photo_format)


def extended(*, missing: int | None = None) -> bytes:
    """A JPEG whose regions did not fit into one segment: two pieces, the second one first."""
    main = wrap(f'<rdf:Description xmpNote:HasExtendedXMP="{GUID.decode()}"/>')
    rest = wrap(as_elements("Alice"))
    half = len(rest) // 2
    segments = b""
    for number, (offset, piece) in enumerate([(half, rest[half:]), (0, rest[:half])]):
        if number != missing:
            header = struct.pack(">32sII", GUID, len(rest), offset)
            body = b"http://ns.adobe.com/xmp/extension/\0" + header + piece
            segments += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    data = encode(PIXELS, "JPEG", xmp=main)
    at = data.index(b"\xff\xdb")
    return data[:at] + segments + data[at:]


def test_what_did_not_fit_into_a_segment_is_put_together() -> None:
    _, more = read_packets(io.BytesIO(extended()), "JPEG")
    assert [region.name for region in parse_regions(more)] == ["Alice"]


@pytest.mark.parametrize("missing", [0, 1])
def test_half_of_a_packet_is_left_alone(missing: int) -> None:
    assert len(read_packets(io.BytesIO(extended(missing=missing)), "JPEG")) == 1


def test_a_heic_gives_its_packet() -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    from PIL import Image

    pillow_heif.from_pillow(Image.fromarray(PIXELS)).save(out, xmp=PACKET)
    out.seek(0)
    [packet] = read_packets(out, "HEIC")
    assert [region.name for region in parse_regions(packet)] == ["Alice"]
