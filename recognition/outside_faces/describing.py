"""The slow part, outside any transaction: the pixels of a photo or its stand-in, and what is measured of each face."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition.detection import DetectedFace, cut_crop
from recognition.embedders import Embedder
from recognition.found_faces import FoundFace
from recognition.geometry import Box
from recognition.images import decode_photo, encode_jpeg, shrink
from recognition.ingest import CROP_MARGIN, CROP_SIDE, PREVIEW_SIDE, THUMB_SIDE
from recognition.outside_faces.given import OutsideFace, OutsidePhoto, RefusedFace
from recognition.outside_faces.stand_in import draw_crop, draw_stand_in, encode_stand_in, plan_layout
from recognition.photos.drawn_faces import describe_drawn
from recognition.quality import NOT_MEASURED, measure_sharpness
from recognition.storage import Incoming
from recognition.uploads.adding import check_incoming, read_captured_at

# Where MTCNN puts the landmarks of an upright frontal face within its box.
_TEMPLATE = np.array([[0.27, 0.39], [0.73, 0.39], [0.5, 0.59], [0.3, 0.75], [0.7, 0.75]], dtype=np.float32)
_MEASURED_AT_LEAST = 0.01
# A program that says no score has kept the face all the same.
_NO_SCORE = 1.0
_SMALLEST = 1.0
_NO_VECTOR = np.empty(0, dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DescribedFace:
    """`size` is of the box as it was given, which a stand-in may show smaller; `scale` is by how much."""

    given: OutsideFace
    found: FoundFace
    size: float
    scale: float = 1.0
    embedder_id: str = ""  # that has embedded it here


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DescribedPhoto:
    """A photo before it is written. `incoming` is its own file; without one `png` is its stand-in."""

    given: OutsidePhoto
    sha256: str
    format: str
    byte_size: int
    width: int
    height: int
    captured_at: datetime | None
    preview: bytes
    thumb: bytes
    faces: Sequence[DescribedFace]
    incoming: Incoming | None = None
    png: bytes = b""
    refused: Sequence[RefusedFace] = field(default_factory=list)


def describe_stand_in(photo: OutsidePhoto, *, mark: str, embedder: Embedder | None = None) -> DescribedPhoto:
    """Drawn around the faces; those with pixels are embedded by the embedder, if one is given."""
    faces, refused = _with_place(photo.faces, width=float("inf"), height=float("inf"))
    sizes = [_size_of(face.pixels) for face in faces]
    layout = plan_layout([face.box for face in faces], sizes)
    crops = [face.pixels for face in faces]
    rgb = draw_stand_in(layout.width, layout.height, list(zip(layout.boxes, crops, strict=True)))
    png, small = encode_stand_in(rgb, mark=mark), shrink(rgb, PREVIEW_SIDE)
    described = []
    for face, box in zip(faces, layout.boxes, strict=True):
        size = min(face.box.width, face.box.height) if face.box else min(box.width, box.height) / layout.scale
        found = _describe_crop(face, box, embedder)
        by = embedder.embedder_id if embedder is not None and face.pixels is not None else ""
        described.append(
            DescribedFace(given=face, found=found, size=size, scale=layout.scale, embedder_id=by)
        )
    return DescribedPhoto(
        given=photo,
        sha256=hashlib.sha256(png).hexdigest(),
        format="PNG",
        byte_size=len(png),
        width=layout.width,
        height=layout.height,
        captured_at=photo.captured_at,
        preview=encode_jpeg(small, quality=85),
        thumb=encode_jpeg(shrink(small, THUMB_SIDE), quality=80),
        faces=described,
        png=png,
        refused=refused,
    )


def describe_photo(
    photo: OutsidePhoto, incoming: Incoming, *, embedder: Embedder | None = None
) -> DescribedPhoto:
    """By its own file, which is still on its way in; raise PhotoRefused where that is no photo."""
    info = check_incoming(incoming)
    rgb = decode_photo(
        incoming.path,
        heic=info.format == "HEIC",
        max_pixels=settings.FACEVAULT_MAX_PIXELS,
        max_bytes=incoming.byte_size,
    )
    height, width = rgb.shape[:2]
    small = shrink(rgb, PREVIEW_SIDE)
    faces, refused = _with_place(photo.faces, width=width, height=height)
    return DescribedPhoto(
        given=photo,
        sha256=incoming.sha256,
        format=info.format,
        byte_size=incoming.byte_size,
        width=width,
        height=height,
        captured_at=photo.captured_at or read_captured_at(info),
        preview=encode_jpeg(small, quality=85),
        thumb=encode_jpeg(shrink(small, THUMB_SIDE), quality=80),
        faces=[_describe_in(rgb, face, embedder) for face in faces],
        incoming=incoming,
        refused=refused,
    )


def read_crop(path: Path) -> NDArray[np.uint8]:
    """The pixels of a crop through the gate for pictures; raise PhotoRefused, or OSError."""
    return decode_photo(
        path,
        max_pixels=settings.FACEVAULT_MAX_PIXELS,
        max_bytes=settings.FACEVAULT_MAX_FILE_MB * 1024 * 1024,
    )


def _with_place(
    faces: Sequence[OutsideFace], *, width: float, height: float
) -> tuple[list[OutsideFace], list[RefusedFace]]:
    """Those whose box is on the photo, cut to it; and those whose is not."""
    placed: list[OutsideFace] = []
    refused: list[RefusedFace] = []
    for face in faces:
        box = face.box.clamped(width, height) if face.box is not None else None
        if box is not None and min(box.width, box.height) < _SMALLEST:
            message = "Its box is not on the photo. Check the numbers, and whether they are of this photo."
            refused.append(RefusedFace(external_id=face.external_id, code="box_outside", message=message))
        else:
            placed.append(replace(face, box=box))
    return placed, refused


def _describe_in(rgb: NDArray[np.uint8], face: OutsideFace, embedder: Embedder | None) -> DescribedFace:
    box = face.box
    if box is None:
        raise ValueError("a face of a photo with a file needs a box")
    size = min(box.width, box.height)
    if embedder is not None:
        seen = describe_drawn(rgb, box, embedder)
        detected = DetectedFace(box, seen.detected.landmarks, _score_of(face))
        return DescribedFace(
            given=face, found=replace(seen, detected=detected), size=size, embedder_id=embedder.embedder_id
        )
    crop_jpeg = encode_jpeg(cut_crop(rgb, box, margin=CROP_MARGIN, side=CROP_SIDE), quality=88)
    sharpness = measure_sharpness(cut_crop(rgb, box, margin=0.0, side=CROP_SIDE))
    return DescribedFace(given=face, found=_found(face, box, crop_jpeg, sharpness), size=size)


def _describe_crop(face: OutsideFace, box: Box, embedder: Embedder | None) -> FoundFace:
    if face.pixels is None:
        return _found(face, box, _encode_silhouette(), NOT_MEASURED)
    crop_jpeg = encode_jpeg(draw_crop(face.pixels, side=CROP_SIDE), quality=88)
    sharpness = max(_MEASURED_AT_LEAST, measure_sharpness(face.pixels))
    found = _found(face, box, crop_jpeg, sharpness)
    if embedder is None:
        return found
    height, width = face.pixels.shape[:2]
    seen = describe_drawn(face.pixels, Box(0, 0, width, height), embedder)
    factor = np.array([box.width / width, box.height / height])
    marks = seen.detected.landmarks * factor + np.array([box.left, box.top])
    detected = DetectedFace(box, marks.astype(np.float32), found.detected.score)
    return replace(found, detected=detected, vector=seen.vector)


@functools.cache
def _encode_silhouette() -> bytes:
    return encode_jpeg(draw_crop(None, side=CROP_SIDE), quality=88)


def _found(face: OutsideFace, box: Box, crop_jpeg: bytes, sharpness: float) -> FoundFace:
    marks = _TEMPLATE * np.array([box.width, box.height]) + np.array([box.left, box.top])
    return FoundFace(
        detected=DetectedFace(box, marks.astype(np.float32), _score_of(face)),
        crop=hashlib.sha256(crop_jpeg).hexdigest(),
        crop_jpeg=crop_jpeg,
        sharpness=sharpness,
        vector=_NO_VECTOR,
    )


def _score_of(face: OutsideFace) -> float:
    return _NO_SCORE if face.score is None else min(1.0, max(0.0, face.score))


def _size_of(pixels: NDArray[np.uint8] | None) -> tuple[int, int] | None:
    return None if pixels is None else (pixels.shape[1], pixels.shape[0])
