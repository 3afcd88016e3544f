"""A copy of a photo that carries names: the same pixels, the same metadata, and XMP face regions."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import IO

from recognition._photo_header import PhotoRefused, open_checked
from recognition.exports.containers import NotThisContainer, Pieces, replace_packet
from recognition.exports.xmp import PacketRefused, Region, merge_regions
from recognition.models import Photo, Sighting

# How a point of the oriented photo is found in the stored one, by EXIF orientation; x and y are shares of the sides.
STORED: dict[int, Callable[[float, float], tuple[float, float]]] = {
    1: lambda x, y: (x, y),
    2: lambda x, y: (1 - x, y),
    3: lambda x, y: (1 - x, 1 - y),
    4: lambda x, y: (x, 1 - y),
    5: lambda x, y: (y, x),
    6: lambda x, y: (y, 1 - x),
    7: lambda x, y: (1 - y, 1 - x),
    8: lambda x, y: (1 - y, x),
}


class CannotCarryNames(Exception):
    """Nothing can be written into this file without risking what is in it: the copy goes out as it was uploaded."""


def write_names(original: IO[bytes], photo: Photo, sightings: Sequence[Sighting]) -> Pieces:
    """The photo's bytes, in pieces, with the names in its XMP. What it says besides stays, but for regions of other programs."""
    data = original.read()
    try:
        with open_checked(
            io.BytesIO(data),
            max_pixels=photo.width * photo.height,
            max_bytes=photo.byte_size,
            heic=False,
        ) as opened:
            orientation, (width, height) = opened.orientation, opened.image.size
        regions = [
            _to_region(sighting, width=photo.width, height=photo.height, orientation=orientation)
            for sighting in sightings
        ]
        return replace_packet(
            data,
            photo.format,
            lambda packet: merge_regions(packet, regions, width=width, height=height),
        )
    except (PhotoRefused, NotThisContainer, PacketRefused) as error:
        raise CannotCarryNames from error


def _to_region(sighting: Sighting, *, width: int, height: int, orientation: int) -> Region:
    """The face as a share of the stored picture: regions apply to it, not to the turned one (MWG 2.0, sections 5.4, 5.9)."""
    box = sighting.face.box
    corners = (
        (max(0.0, box.left / width), max(0.0, box.top / height)),
        (min(1.0, box.right / width), min(1.0, box.bottom / height)),
    )
    (x1, y1), (x2, y2) = (STORED[orientation](x, y) for x, y in corners)
    return Region(
        name=sighting.person.name,
        x=(x1 + x2) / 2,
        y=(y1 + y2) / 2,
        width=abs(x2 - x1),
        height=abs(y2 - y1),
    )
