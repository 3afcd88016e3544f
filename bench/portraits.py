"""Portraits of known people, rendered into photos at a size, blur or noise that a benchmark asks for."""

from __future__ import annotations

import importlib.util
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

from bench.vault import need_shared
from recognition.detection import DetectedFace, FaceDetector

# A portrait's height by that of the face that the detector finds on it: LFW after its margins are cut off, and ORL.
_HEIGHT_BY_FACE = {True: 2.0, False: 1.5}
_COLUMNS, _ON_A_PHOTO = 6, 24
# One face and the room around it, by the size of the face.
_CELL = 2.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """One file of one person. Two faces of one file show the same moment and are never compared."""

    person: str
    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a face of `size` pixels gets onto its photo. Blur, motion and noise come from the camera, so from the whole photo."""

    size: int
    blur: float = 0.0  # radius of a Gaussian, in pixels
    motion: int = 0  # pixels to the side during the exposure
    noise: float = 0.0  # standard deviation, in grey levels
    light: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Seen:
    """A portrait on a photo (h, w, 3), and what the detector made of it; `face` is None where it found nothing."""

    portrait: Portrait
    rgb: NDArray[np.uint8]
    face: DetectedFace | None


def list_portraits() -> list[Portrait]:
    return [
        Portrait(person=person, file=file)
        for person, files in sorted(_composer().portraits().items())
        for file in files
    ]


def compose_portraits(
    portraits: Sequence[Portrait], look: Look, *, detector: FaceDetector, seed: int
) -> Iterator[Seen]:
    """Each of them once, at random places of photos that were saved as JPEG."""
    rnd, rng = random.Random(seed), np.random.default_rng(seed)
    order = list(portraits)
    rnd.shuffle(order)
    for start in range(0, len(order), _ON_A_PHOTO):
        cast = order[start : start + _ON_A_PHOTO]
        cell = round(look.size * _CELL)
        canvas = _composer().background(rng, _COLUMNS * cell, -(-len(cast) // _COLUMNS) * cell)
        places = []
        for k, portrait in enumerate(cast):
            head = _render(portrait.file, look, rnd)
            x = (k % _COLUMNS) * cell + rnd.randint(0, max(0, cell - head.width))
            y = (k // _COLUMNS) * cell + rnd.randint(0, max(0, cell - head.height))
            canvas.paste(head, (x, y))
            places.append((x, y, x + head.width, y + head.height))
        rgb = _expose(canvas, look, rng)
        faces = detector.detect(rgb)
        for portrait, place in zip(cast, places, strict=True):
            yield Seen(portrait=portrait, rgb=rgb, face=_find(faces, place, look.size))


def _render(file: Path, look: Look, rnd: random.Random) -> Image.Image:
    image = Image.open(file).convert("RGB")
    square = image.width == image.height
    if square:
        left, top, right, bottom = 0.18, 0.12, 0.82, 0.88
        width, height = image.size
        image = image.crop((int(width * left), int(height * top), int(width * right), int(height * bottom)))
    height = round(look.size * _HEIGHT_BY_FACE[square])
    image = image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)
    image = ImageEnhance.Brightness(image).enhance(look.light * rnd.uniform(0.7, 1.25))
    return ImageEnhance.Contrast(image).enhance(rnd.uniform(0.8, 1.2))


def _expose(canvas: Image.Image, look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    if look.blur:
        canvas = canvas.filter(ImageFilter.GaussianBlur(look.blur))
    pixels = np.asarray(canvas, dtype=np.float64)
    if look.motion > 1:
        steps = range(-(look.motion // 2), look.motion - look.motion // 2)
        pixels = np.mean([np.roll(pixels, step, axis=1) for step in steps], axis=0)
    if look.noise:
        pixels = pixels + rng.normal(0, look.noise, pixels.shape)
    saved = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(saved, "JPEG", quality=90)
    return np.array(Image.open(saved).convert("RGB"))


def _find(faces: Sequence[DetectedFace], place: tuple[int, int, int, int], size: int) -> DetectedFace | None:
    """The largest whose middle is inside the portrait, unless it is some small thing in it."""
    left, top, right, bottom = place
    for face in faces:
        x, y = (face.box.left + face.box.right) / 2, (face.box.top + face.box.bottom) / 2
        if left <= x <= right and top <= y <= bottom and face.box.height > size / 2:
            return face
    return None


_loaded: list[Any] = []


def _composer() -> Any:
    """The script that composes event photos, as a module: its backdrop and its portraits."""
    if not _loaded:
        spec = importlib.util.spec_from_file_location("make_events", need_shared("tools/make_events.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        _loaded.append(module)
    return _loaded[0]
