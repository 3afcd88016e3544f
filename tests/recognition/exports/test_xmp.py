"""Names in copies: read back by another program's parser, for every container and orientation, pixels untouched."""

import io
import struct
import sys
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from recognition.exports.copies import CannotCarryNames, write_names
from recognition.exports.xmp import PacketRefused, Region, merge_regions
from recognition.images import decode_photo
from recognition.models import Face, Person, Photo, Sighting
from tests.recognition.exports.making import encode, paint

FORMATS = ["JPEG", "PNG", "WEBP"]
BOX = (120, 20, 60, 40)  # left, top, width, height of the red box in the stored picture
SIZE = (200, 100)

LIGHTROOM = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 5.6">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="uuid:7" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmp:Rating="4">
   <dc:description><rdf:Alt><rdf:li xml:lang="x-default">The procession &amp; the hall</rdf:li></rdf:Alt></dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>PADDING
<?xpacket end="w"?>""".replace("PADDING", "\n" + " " * 100).encode()
REGIONS = b"""<rdf:Description rdf:about="uuid:7" xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"><mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>
 <rdf:li><rdf:Description mwg-rs:Name="Somebody Else" mwg-rs:Type="Face"><mwg-rs:Area stArea:x="0.5" stArea:y="0.5"
 stArea:w="0.1" stArea:h="0.1"/></rdf:Description></rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
 </rdf:Description>"""


def name_in(
    data: bytes, photo_format: str, box: tuple[float, ...], size: tuple[int, int], name: str
) -> bytes:
    """The copy of a photo with one named face; `box` and `size` are of the oriented picture."""
    photo = Photo(format=photo_format, width=size[0], height=size[1], byte_size=len(data))
    face = Face(left=box[0], top=box[1], width=box[2], height=box[3])
    sighting = Sighting(face=face, person=Person(name=name))
    return b"".join(write_names(io.BytesIO(data), photo, [sighting]))


def read_xmp(data: bytes) -> dict[str, Any]:
    """By Pillow's own reader: another parser than ours, and another way to the packet."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        found: dict[str, Any] = image.getxmp()
    return found


def descriptions(data: bytes) -> list[dict[str, Any]]:
    found = read_xmp(data)["xmpmeta"]["RDF"]["Description"]
    return found if isinstance(found, list) else [found]


def regions_of(data: bytes) -> dict[str, Any]:
    [regions] = [part["Regions"] for part in descriptions(data) if "Regions" in part]
    found: dict[str, Any] = regions
    return found


@pytest.fixture(autouse=True)
def pillow_reads_xmp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow asks for defusedxml; these packets are ours and hold no entities, so that the library's parser will do."""
    monkeypatch.setitem(sys.modules, "defusedxml", SimpleNamespace(ElementTree=ElementTree))


@pytest.mark.parametrize("photo_format", FORMATS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_region_is_where_the_face_is_in_the_stored_picture(photo_format: str, orientation: int) -> None:
    stored = paint(*SIZE, BOX)
    data = encode(stored, photo_format, orientation=orientation)
    oriented = decode_photo(io.BytesIO(data))
    red = (oriented[..., 0] > 200) & (oriented[..., 1] < 60) & (oriented[..., 2] < 60)
    rows, columns = np.nonzero(red.any(axis=1))[0], np.nonzero(red.any(axis=0))[0]
    box = (columns[0], rows[0], columns[-1] + 1 - columns[0], rows[-1] + 1 - rows[0])
    copy = name_in(data, photo_format, box, (oriented.shape[1], oriented.shape[0]), "Zoë & Ørsted")

    regions = regions_of(copy)
    assert regions["AppliedToDimensions"] == {"w": str(SIZE[0]), "h": str(SIZE[1]), "unit": "pixel"}
    region = regions["RegionList"]["Bag"]["li"]["Description"]
    assert (region["Name"], region["Type"]) == ("Zoë & Ørsted", "Face")
    area = region["Area"]
    assert area["unit"] == "normalized"
    x, y, w, h = (float(area[side]) for side in "xywh")
    found = ((x - w / 2) * SIZE[0], (y - h / 2) * SIZE[1], w * SIZE[0], h * SIZE[1])
    assert found == pytest.approx(BOX, abs=2.01)


@pytest.mark.parametrize("photo_format", FORMATS)
@pytest.mark.parametrize("xmp", [b"", LIGHTROOM], ids=["without packet", "with packet"])
def test_pixels_and_exif_stay_as_they_are(photo_format: str, xmp: bytes) -> None:
    data = encode(paint(*SIZE, BOX), photo_format, orientation=6, xmp=xmp)
    copy = name_in(data, photo_format, (20, 20, 40, 60), (100, 200), "Alice")
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(copy)) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))
        assert dict(before.getexif()) == dict(after.getexif())
        assert after.format == photo_format


@pytest.mark.parametrize("photo_format", FORMATS)
def test_a_photographers_rating_and_caption_stay(photo_format: str) -> None:
    data = encode(paint(*SIZE, BOX), photo_format, xmp=LIGHTROOM)
    copy = name_in(data, photo_format, BOX, SIZE, "Alice")
    [theirs, ours] = descriptions(copy)
    assert theirs["Rating"] == "4"
    assert theirs["description"]["Alt"]["li"]["text"] == "The procession & the hall"
    assert ours["about"] == theirs["about"] == "uuid:7"
    assert copy.count(b"<?xpacket begin") == 1


def test_regions_of_another_program_are_replaced_and_nothing_else() -> None:
    packet = LIGHTROOM.replace(b" </rdf:RDF>", REGIONS + b" </rdf:RDF>")
    merged = merge_regions(packet, [region("Alice")], width=10, height=10)
    assert b"Somebody Else" not in merged
    assert merged.count(b"<mwg-rs:Regions") == 1
    head = packet[: packet.index(b"<mwg-rs:Regions")]
    assert merged.startswith(head)


def test_naming_a_named_copy_again_changes_nothing() -> None:
    once = merge_regions(None, [region("Alice")], width=10, height=10)
    twice = merge_regions(once, [region("Alice")], width=10, height=10)
    assert twice.count(b'mwg-rs:Name="Alice"') == 1


def test_the_room_that_a_packet_left_for_editing_is_given_up() -> None:
    padded = LIGHTROOM.replace(b"\n<?xpacket end", b" " * 60_000 + b"\n<?xpacket end")
    assert len(merge_regions(padded, [region("Alice")], width=10, height=10)) < 3_000


def test_a_name_cannot_break_out_of_its_attribute() -> None:
    evil = '"/><x a="\n\x00&amp;'
    data = encode(paint(*SIZE, BOX), "JPEG")
    area = regions_of(name_in(data, "JPEG", BOX, SIZE, evil))["RegionList"]["Bag"]["li"]["Description"]
    assert area["Name"] == '"/><x a="\n&amp;'


@pytest.mark.parametrize(
    "packet",
    [
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a;</x:xmpmeta>',
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"></x:xmpmeta>',
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>',
        b"<x:xmpmeta",
        LIGHTROOM.decode().encode("utf-16"),
        b" " * 5_000_000,
    ],
    ids=["document type", "no RDF", "empty RDF", "damaged", "other encoding", "huge"],
)
def test_a_packet_that_cannot_be_understood_is_left_alone(packet: bytes) -> None:
    with pytest.raises(PacketRefused):
        merge_regions(packet, [region("Alice")], width=10, height=10)


def test_a_packet_that_no_segment_holds_is_refused() -> None:
    data = encode(paint(*SIZE, BOX), "JPEG", xmp=LIGHTROOM.replace(b"The", b"The" * 21_450))
    with pytest.raises(CannotCarryNames):
        name_in(data, "JPEG", BOX, SIZE, "Alice")


@pytest.mark.parametrize("photo_format", FORMATS)
def test_a_file_cut_short_anywhere_is_left_alone_or_stays_what_it_was(photo_format: str) -> None:
    data = encode(paint(*SIZE, BOX), photo_format, xmp=LIGHTROOM)
    for length in range(0, len(data), max(1, len(data) // 200)):
        part = data[:length]
        try:
            copy = name_in(part, photo_format, BOX, SIZE, "Alice")
        except CannotCarryNames:
            continue
        # What could be read of it before is still there: the pixels as far as they came.
        assert copy.endswith(part[-1:]) or photo_format == "WEBP"
        assert len(copy) > length - len(LIGHTROOM)


def test_a_webp_of_pixels_alone_becomes_an_extended_one() -> None:
    out = io.BytesIO()
    Image.fromarray(paint(*SIZE, BOX)).save(out, "WEBP", quality=90)
    data = out.getvalue()
    assert data[12:16] == b"VP8 "
    copy = name_in(data, "WEBP", BOX, SIZE, "Alice")
    assert copy[12:16] == b"VP8X"
    assert struct.unpack("<I", copy[4:8])[0] == len(copy) - 8
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(copy)) as after:
        assert np.array_equal(np.asarray(before), np.asarray(after))


def test_a_transparent_webp_stays_transparent() -> None:
    pixels = np.dstack([paint(*SIZE, BOX), np.full((SIZE[1], SIZE[0]), 128, dtype=np.uint8)])
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "WEBP", lossless=True)
    assert out.getvalue()[12:16] == b"VP8L"
    copy = name_in(out.getvalue(), "WEBP", BOX, SIZE, "Alice")
    with Image.open(io.BytesIO(copy)) as after:
        assert np.array_equal(np.asarray(after.convert("RGBA")), pixels)


def region(name: str) -> Region:
    return Region(name=name, x=0.5, y=0.5, width=0.2, height=0.2)
