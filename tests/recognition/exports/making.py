"""Photos with files, and faces with names, as the export tests need them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from access.roles import MANAGER
from recognition.models import Event, Face, Person, Photo, Sighting
from recognition.storage import original_path, write_file
from tests.conftest import make_local
from tests.factories import make_face

HUMAN, MACHINE = Sighting.DecidedBy.HUMAN, Sighting.DecidedBy.MACHINE


def add_photo(
    event: Event,
    data: bytes = b"",
    *,
    name: str = "photo.jpg",
    photo_format: str = "JPEG",
    size: tuple[int, int] = (1600, 1200),
) -> Photo:
    """A photo with its original on disk; bytes that nobody decodes unless a test gives real ones."""
    data = data or f"{event.pk} {name} {Photo.objects.count()}".encode()
    photo = Photo.objects.create(
        event=event,
        sha256=hashlib.sha256(data).hexdigest(),
        name=name,
        format=photo_format,
        byte_size=len(data),
        width=size[0],
        height=size[1],
        state=Photo.State.DONE,
    )
    write_file(original_path(photo.sha256, photo.format), data)
    return photo


def name_face(
    photo: Photo,
    person: Person,
    *,
    by: str = HUMAN,
    similarity: float | None = None,
    box: tuple[float, float, float, float] | None = None,
) -> Face:
    """A face of the photo that carries the person's name."""
    face = make_face(photo)
    if box is not None:
        face.left, face.top, face.width, face.height = box
        face.save(update_fields=["left", "top", "width", "height"])
    Sighting.objects.create(
        face=face,
        person=person,
        decided_by=by,
        similarity=0.8 if by == MACHINE and similarity is None else similarity,
        seen_at=timezone.now(),
    )
    return face


def manager_of(*events: Event, name: str = "anna") -> User:
    """Manages these events and nothing else."""
    return make_local(name, MANAGER, *events)


def read_zip(pieces: Iterable[bytes]) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(pieces)))


def paint(width: int, height: int, box: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Noise without red, and a red box (left, top, width, height)."""
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    pixels[..., 0] = 0
    left, top, wide, high = box
    pixels[top : top + high, left : left + wide] = (255, 0, 0)
    return pixels


def encode(pixels: NDArray[np.uint8], photo_format: str, *, orientation: int = 1, xmp: bytes = b"") -> bytes:
    """A file with EXIF and perhaps a packet of another program."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Camera"
    out = io.BytesIO()
    options: dict[str, object] = {"exif": exif}
    if xmp and photo_format != "PNG":
        options["xmp"] = xmp
    if photo_format == "PNG" and xmp:
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        options["pnginfo"] = info
    if photo_format == "WEBP":
        options["lossless"] = True
    if photo_format == "JPEG":
        options["quality"] = 95
    Image.fromarray(pixels).save(out, photo_format, **options)
    return out.getvalue()
