"""The named regions of one photo, read from its own file."""

from __future__ import annotations

import errno

from recognition._photo_header import PhotoRefused, open_checked
from recognition.exports.containers import NotThisContainer
from recognition.exports.xmp import PacketRefused
from recognition.models import Photo
from recognition.named_regions.packets import read_packets
from recognition.named_regions.parsing import parse_regions
from recognition.named_regions.placing import PlacedRegion, place_regions
from recognition.storage import original_path


class PhotoUnreadable(Exception):
    """The file is gone or damaged: nothing can be said about it."""


def read_photo(photo: Photo) -> list[PlacedRegion]:
    """The named regions of one photo, in its oriented pixels. Raises PhotoUnreadable."""
    try:
        with original_path(photo.sha256, photo.format).open("rb") as file:
            found = []
            for packet in read_packets(file, photo.format):
                try:
                    found += parse_regions(packet)
                except PacketRefused:
                    # Whoever wrote it, no name is taken from what cannot be read; the photo itself is well.
                    continue
            if not found:
                return []
            file.seek(0)
            with open_checked(
                file,
                max_pixels=photo.width * photo.height,
                max_bytes=photo.byte_size,
                heic=photo.format == "HEIC",
            ) as opened:
                orientation = opened.orientation
    except (PhotoRefused, NotThisContainer, OSError) as error:
        if isinstance(error, OSError) and error.errno == errno.EIO:
            raise
        raise PhotoUnreadable from error
    return place_regions(found, orientation=orientation, width=photo.width, height=photo.height)
