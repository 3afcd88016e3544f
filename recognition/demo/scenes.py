"""Event photos: people who stand before a soft backdrop, with a box and landmarks for every face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from recognition.demo.looks import Color, Look, Outfit, mix
from recognition.demo.portrait import ABOVE, draw_person
from recognition.demo.view import make_view
from recognition.geometry import Box

_SHRUNK = 5  # a backdrop is out of focus: so many times fewer pixels are enough


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """Where a face of the drawn photo is: landmarks (5, 2) in its pixels, in the order that detectors use."""

    box: Box
    landmarks: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class DrawnScene:
    """`rgb` (height, width, 3) uint8; `faces` in the order of the people."""

    rgb: NDArray[np.uint8]
    faces: list[DrawnFace]


def draw_scene(
    people: Sequence[tuple[Look, Outfit]],
    rng: np.random.Generator,
    *,
    width: int,
    height: int,
    place: int,
    smoothing: int,
) -> DrawnScene:
    """The people before one of the backdrops; the same event takes the same `place`. More `smoothing` takes longer."""
    canvas = _draw_backdrop(place, rng, width, height)
    faces: list[DrawnFace | None] = [None] * len(people)
    spots = _arrange(len(people), rng, width, height)
    order = rng.permutation(len(people))
    # The back row comes first, so that the front row covers it.
    for spot, number in zip(spots, order, strict=True):
        look, outfit = people[number]
        below = (height - spot.y) / spot.unit + 0.3
        drawn = draw_person(look, outfit, make_view(rng), unit=spot.unit, below=below, smoothing=smoothing)
        left, top = round(spot.x - drawn.origin[0]), round(spot.y - drawn.origin[1])
        canvas.paste(drawn.image, (left, top), drawn.image)
        box = Box(drawn.box.left + left, drawn.box.top + top, drawn.box.right + left, drawn.box.bottom + top)
        faces[number] = DrawnFace(box.clamped(width, height), drawn.landmarks + np.array([left, top]))
    return DrawnScene(np.asarray(canvas, dtype=np.uint8), [face for face in faces if face is not None])


@dataclass(frozen=True, slots=True)
class _Spot:
    x: float
    y: float
    unit: float


def _arrange(count: int, rng: np.random.Generator, width: int, height: int) -> list[_Spot]:
    """Back row first. Nobody covers another's face, nobody's hair leaves the photo."""
    rows = [count] if count <= 4 else [count // 2, count - count // 2]
    tallest = height * (0.098 if len(rows) == 1 else 0.068)
    closeness = rng.uniform(0.82, 1.0)
    spots: list[_Spot] = []
    for row, people in enumerate(rows):
        unit = min(
            tallest * (1.0 if row else 0.92 if len(rows) > 1 else 1.0) * closeness,
            width / (people * 4.5 + 1.2),
        )
        y = height * (0.42 if len(rows) == 1 else 0.27 if row == 0 else 0.56)
        gap = min(width / (people + 0.35), unit * 6.0)
        # The rows are staggered, so that the back looks out between the front.
        shift = 0.0 if len(rows) == 1 or rows[0] != rows[1] else gap * (0.25 if row else -0.25)
        start = width / 2 - gap * (people - 1) / 2 + shift
        for place in range(people):
            spots.append(
                _Spot(
                    start + gap * place + float(rng.uniform(-0.25, 0.25)) * unit,
                    max(y + float(rng.uniform(-0.4, 0.4)) * unit, ABOVE * unit * 0.8),
                    unit * float(rng.uniform(0.95, 1.05)),
                )
            )
    return spots


def _draw_backdrop(place: int, rng: np.random.Generator, width: int, height: int) -> Image.Image:
    w, h = width // _SHRUNK, height // _SHRUNK
    image = [_draw_hall, _draw_lawn, _draw_stage, _draw_foyer][place % 4](
        w, h, rng, np.random.default_rng([5, place])
    )
    image = image.filter(ImageFilter.GaussianBlur(h / 70)).resize((width, height), Image.Resampling.BICUBIC)
    # Darker corners, as lenses make them.
    y, x = np.mgrid[-1:1:24j, -1:1:32j]
    dim = Image.fromarray((np.clip((x**2 + y**2 - 0.5) * 46, 0, 255)).astype(np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    image.paste((20, 16, 26), (0, 0), dim)
    return image


def _sky(w: int, h: int, *colors: Color) -> Image.Image:
    """A gradient from top to bottom."""
    strip = Image.new("RGB", (1, len(colors)))
    strip.putdata(list(colors))
    return strip.resize((w, h), Image.Resampling.BICUBIC)


def _draw_hall(w: int, h: int, rng: np.random.Generator, fixed: np.random.Generator) -> Image.Image:
    tone = mix((222, 202, 176), (196, 206, 214), float(fixed.random()))
    image = _sky(w, h, mix(tone, (255, 250, 240), 0.45), tone, mix(tone, (90, 70, 60), 0.35))
    pen = ImageDraw.Draw(image)
    shift = int(rng.integers(-w // 12, w // 12 + 1))
    for step in range(-1, 6):
        left = shift + step * w // 4
        pen.rectangle([left, h * 0.06, left + w * 0.13, h * 0.66], fill=mix(tone, (255, 255, 255), 0.72))
        pen.line(
            [left + w * 0.065, h * 0.06, left + w * 0.065, h * 0.66],
            fill=mix(tone, (120, 100, 90), 0.3),
            width=2,
        )
        pen.rectangle([left + w * 0.165, 0, left + w * 0.2, h], fill=mix(tone, (120, 96, 80), 0.22))
    pen.rectangle([0, h * 0.78, w, h], fill=mix(tone, (96, 62, 46), 0.6))
    for _ in range(7):
        x, y = rng.uniform(0, w), rng.uniform(0, h * 0.16)
        pen.ellipse([x - 4, y - 4, x + 4, y + 4], fill=(255, 244, 214))
    return image


def _draw_lawn(w: int, h: int, rng: np.random.Generator, fixed: np.random.Generator) -> Image.Image:
    image = _sky(w, h, (150, 196, 232), (206, 228, 240), (232, 238, 228))
    pen = ImageDraw.Draw(image)
    wall = mix((188, 120, 96), (214, 200, 178), float(fixed.random()))
    left = w * (0.5 + float(fixed.uniform(-0.35, 0.1)))
    pen.rectangle([left, h * 0.16, left + w * 0.5, h * 0.62], fill=wall)
    for row in range(3):
        for column in range(6):
            x, y = left + w * (0.03 + 0.08 * column), h * (0.21 + 0.13 * row)
            pen.rectangle([x, y, x + w * 0.035, y + h * 0.075], fill=mix(wall, (90, 110, 130), 0.6))
    for _ in range(16):
        x, y, r = rng.uniform(0, w), rng.uniform(h * 0.3, h * 0.55), rng.uniform(0.06, 0.15) * h
        green = mix((72, 112, 66), (132, 164, 88), float(rng.random()))
        pen.ellipse([x - r * 1.2, y - r, x + r * 1.2, y + r], fill=green)
    pen.rectangle([0, h * 0.58, w, h], fill=(122, 164, 88))
    pen.rectangle([0, h * 0.8, w, h], fill=(104, 146, 76))
    return image


def _draw_stage(w: int, h: int, rng: np.random.Generator, fixed: np.random.Generator) -> Image.Image:
    curtain = [(96, 34, 48), (40, 48, 86), (36, 74, 78)][int(fixed.integers(3))]
    image = _sky(w, h, mix(curtain, (0, 0, 0), 0.45), curtain, mix(curtain, (0, 0, 0), 0.3))
    pen = ImageDraw.Draw(image)
    for x in np.arange(0, w, w / 26):
        pen.rectangle(
            [x, 0, x + w / 60, h * 0.84],
            fill=mix(curtain, (255, 255, 255), 0.09 + 0.05 * float(rng.random())),
        )
    pen.rectangle([0, h * 0.84, w, h], fill=(92, 66, 52))
    glow = Image.new("L", (w, h), 0)
    lamp = ImageDraw.Draw(glow)
    for x in (0.18, 0.5, 0.82):
        wide = w * float(rng.uniform(0.1, 0.16))
        lamp.polygon([(w * x, -10), (w * x - wide, h), (w * x + wide, h)], fill=74)
    image.paste((255, 236, 200), (0, 0), glow.filter(ImageFilter.GaussianBlur(h / 16)))
    return image


def _draw_foyer(w: int, h: int, rng: np.random.Generator, fixed: np.random.Generator) -> Image.Image:
    tint = mix((224, 230, 236), (236, 228, 218), float(fixed.random()))
    image = _sky(w, h, mix(tint, (255, 255, 255), 0.6), tint, mix(tint, (120, 124, 136), 0.4))
    pen = ImageDraw.Draw(image)
    accent = [(88, 112, 190), (60, 140, 130), (214, 126, 82)][int(fixed.integers(3))]
    shift = rng.uniform(-0.05, 0.05) * w
    pen.rectangle(
        [w * 0.06 + shift, h * 0.08, w * 0.36 + shift, h * 0.6], fill=mix(accent, (255, 255, 255), 0.25)
    )
    pen.rectangle([w * 0.09 + shift, h * 0.14, w * 0.27 + shift, h * 0.19], fill=(250, 250, 250))
    pen.rectangle(
        [w * 0.09 + shift, h * 0.23, w * 0.31 + shift, h * 0.26], fill=mix(accent, (255, 255, 255), 0.7)
    )
    pen.rectangle([w * 0.62 + shift, h * 0.05, w * 0.97 + shift, h * 0.62], fill=(236, 246, 250))
    pen.line([w * 0.795 + shift, h * 0.05, w * 0.795 + shift, h * 0.62], fill=(160, 170, 180), width=2)
    for _ in range(10):
        x, y = w * 0.5 + shift + rng.normal(0, w * 0.035), h * 0.42 + rng.normal(0, h * 0.07)
        pen.ellipse(
            [x - w * 0.03, y - h * 0.05, x + w * 0.03, y + h * 0.05],
            fill=mix((70, 118, 82), (120, 160, 100), float(rng.random())),
        )
    pen.rectangle([0, h * 0.76, w, h], fill=mix(tint, (116, 104, 98), 0.5))
    return image
