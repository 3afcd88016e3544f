"""HEIC, the photos of many phones: told apart by their brands, opened by pillow-heif where it is installed.

pillow-heif is never registered with Pillow: nothing but `open_heic` reads these files.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from PIL import Image

# ISO/IEC 23008-12, annexes B and D: HEVC in an image or a sequence of images; the two that name no coding.
_HEVC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_ANY_BRANDS = {b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def name_brand(head: bytes) -> str:
    """What a file that starts with an `ftyp` box is: HEIC, AVIF, or Video for all others (MP4, QuickTime)."""
    size = int.from_bytes(head[:4], "big")
    major, listed = head[8:12], head[16 : max(16, min(size, len(head)))]
    if major in _HEVC_BRANDS:
        return "HEIC"
    if major in _AVIF_BRANDS:
        return "AVIF"
    if major in _ANY_BRANDS:
        brands = {listed[at : at + 4] for at in range(0, len(listed) - 3, 4)}
        return "AVIF" if brands & _AVIF_BRANDS and not brands & _HEVC_BRANDS else "HEIC"
    return "Video"


def is_installed() -> bool:
    return find_spec("pillow_heif") is not None


def open_heic(file: BinaryIO) -> Image.Image:
    """The primary image with its header read and no pixel decoded; its size is that after the file's own turns.

    Raises SyntaxError for what libheif cannot read. The whole file is held in memory.
    """
    import pillow_heif

    # The parts of a file that nobody looks at are not to be read either.
    pillow_heif.options.THUMBNAILS = False
    pillow_heif.options.DEPTH_IMAGES = False
    pillow_heif.options.AUX_IMAGES = False
    return pillow_heif.HeifImageFile(file)  # type: ignore[no-untyped-call]
