"""The one door for pixels: bytes in, oriented RGB out, or a refusal that says what to do.

Nothing but this module turns a file into pixels, so that it can move into a guarded child process without
anything else changing. Limits are checked on the header, before a single pixel is decoded.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from recognition._photo_header import (
    DECODER_ERRORS,
    MAX_ASPECT,
    MAX_BYTES,
    MAX_PIXELS,
    MAX_SIDE,
    MIN_SIDE,
    PhotoRefused,
    damaged,
    open_checked,
    reraise_disk_error,
)

__all__ = [
    "MAX_ASPECT",
    "MAX_BYTES",
    "MAX_PIXELS",
    "MAX_SIDE",
    "MIN_SIDE",
    "PhotoInfo",
    "PhotoRefused",
    "decode_photo",
    "encode_jpeg",
    "read_photo_info",
    "shrink",
]

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoInfo:
    """What a photo's header says. `width` and `height` are oriented pixels.

    `captured_at` is EXIF's DateTimeOriginal: naive local time, or aware if the camera noted its offset.
    """

    format: str
    width: int
    height: int
    captured_at: datetime | None


def read_photo_info(
    file: BinaryIO, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES, heic: bool = False
) -> PhotoInfo:
    """Check a photo by its header alone; raise PhotoRefused. The file's position is put back to 0.

    `heic` lets HEIC files in, for which pillow-heif must be installed.
    """
    with open_checked(file, max_pixels=max_pixels, max_bytes=max_bytes, heic=heic) as photo:
        width, height = photo.image.size
        if photo.orientation >= 5:
            width, height = height, width
        return PhotoInfo(format=photo.format, width=width, height=height, captured_at=photo.captured_at)


def decode_photo(
    file: BinaryIO | Path,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    heic: bool = False,
    portable: bool = False,
) -> NDArray[np.uint8]:
    """Oriented sRGB pixels of the first frame, shape (height, width, 3); raise PhotoRefused.

    Transparency is flattened on white. A path that cannot be read raises OSError as `open` does. `portable` lets PGM and
    PPM in, too: no camera and no upload has them, research sets have.
    """
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return decode_photo(
                opened, max_pixels=max_pixels, max_bytes=max_bytes, heic=heic, portable=portable
            )
    with open_checked(
        file, max_pixels=max_pixels, max_bytes=max_bytes, heic=heic, portable=portable
    ) as photo:
        try:
            announced = photo.image.size
            photo.image.load()
            if photo.image.size != announced:  # the pixels of a HEIC may be others than its header says
                raise damaged(photo.format)
            rgb = _to_rgb(photo.image)
            turn = _TURNS.get(photo.orientation)
            if turn is not None:
                rgb = rgb.transpose(turn)
            # A copy of our own: writable, contiguous, and free of Pillow's lifetime.
            return np.array(rgb, dtype=np.uint8)
        except DECODER_ERRORS as error:
            reraise_disk_error(error)
            raise damaged(photo.format) from error


def encode_jpeg(rgb: NDArray[np.uint8], *, quality: int) -> bytes:
    """A JPEG of (h, w, 3) pixels, without EXIF, XMP, ICC or comment."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def shrink(rgb: NDArray[np.uint8], long_side: int) -> NDArray[np.uint8]:
    """The pixels averaged down by area to a longer side of `long_side`; the same array if small already."""
    height, width = rgb.shape[:2]
    longer = max(height, width)
    if longer <= long_side:
        return rgb
    size = (max(1, round(width * long_side / longer)), max(1, round(height * long_side / longer)))
    return np.array(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB: deep greys by their high byte, transparency over white, ICC profile to sRGB."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I") or image.mode == "F":
        # convert("RGB") would clip 16-bit greys to white.
        deep = np.asarray(image).astype(np.int64)
        return Image.fromarray(np.clip(deep >> 8, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.new("RGB", layer.size, "white")
        image.paste(layer, mask=layer.getchannel("A"))
    elif image.mode in ("P", "1"):
        image = image.convert("RGB")
    if profile:
        managed = _to_srgb(image, profile)
        if managed is not None:
            return managed
    return image.convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The image in sRGB; None if its profile is sRGB already, unusable, or of another color space."""
    spaces = {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != spaces.get(image.mode):
            return None
        if "srgb" in (source.profile.profile_description or "").lower():
            return None
        return ImageCms.profileToProfile(
            image,
            source,
            ImageCms.createProfile("sRGB"),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, *DECODER_ERRORS):
        return None
