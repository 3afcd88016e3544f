"""One drawn person from the hips up, on a transparent tile, with landmarks where the eyes, nose and mouth are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognition.demo.clothes import draw_body
from recognition.demo.features import draw_beard, draw_eyes, draw_glasses, draw_mouth, draw_nose
from recognition.demo.hair import draw_hair_behind, draw_hair_front
from recognition.demo.looks import Look, Outfit, darker, lighter, mix
from recognition.demo.pen import FACE_DEPTH, Pen
from recognition.demo.view import View
from recognition.geometry import Box

# Of the tile, in eye distances from the middle between the eyes.
SIDE, ABOVE = 3.0, 2.6
# The box that a detector finds: from the forehead to the chin.
_BOX = (-1.1, -0.95, 1.1, 1.72)


@dataclass(frozen=True, slots=True)
class DrawnPerson:
    """`image` is RGBA; `landmarks` (5, 2) and `box` are pixels of it; `origin` is the middle between the eyes."""

    image: Image.Image
    origin: tuple[float, float]
    landmarks: NDArray[np.float64]
    box: Box


def draw_person(
    look: Look, outfit: Outfit, view: View, *, unit: float, below: float, smoothing: int
) -> DrawnPerson:
    """`unit` is the distance between the eyes in pixels, `below` how far down the body goes, in units."""
    width, height = round(2 * SIDE * unit), round((ABOVE + below) * unit)
    origin = (SIDE * unit, ABOVE * unit)
    pen = Pen(width=width, height=height, origin=origin, unit=unit, pose=view.pose, smoothing=smoothing)
    draw_hair_behind(pen, look)
    draw_body(pen, look, outfit, below=below)
    _draw_head(pen, look, view)
    draw_beard(pen, look)
    draw_mouth(pen, look, view)
    draw_nose(pen, look)
    draw_eyes(pen, look, view)
    draw_hair_front(pen, look)
    draw_glasses(pen, look)
    marks = pen.head(
        [(-0.5, 0.0), (0.5, 0.0), (0.0, 0.545, FACE_DEPTH + 0.43), (-0.434, 1.006), (0.434, 1.006)],
        z=FACE_DEPTH,
    )
    shift = pen.head([(0.0, 0.4, 0.4)])[0] - pen.body([(0.0, 0.4)])[0]
    (left, top), (right, bottom) = pen.body([_BOX[:2], _BOX[2:]]) + shift
    return DrawnPerson(
        pen.finish(), origin, marks / smoothing, Box(left, top, right, bottom).scaled(1 / smoothing)
    )


def _outline(pen: Pen, look: Look) -> NDArray[np.float64]:
    w, jaw, chin = look.width, look.jaw, look.chin
    half = [
        (0.0, -1.36),
        (0.62, -1.24),
        (1.0 * w, -0.8),
        (1.1 * w, 0.0),
        (1.06 * w, 0.6),
        (0.9 * w * jaw, 1.14),
        (0.5 * jaw, 1.56 / 1.75 * chin),
    ]
    return pen.head([*half, (0.0, chin), *[(-x, y) for x, y in reversed(half[1:])]])


def _draw_head(pen: Pen, look: Look, view: View) -> None:
    skin, shade = look.skin, darker(look.skin, 0.3)
    if look.hair_style != "scarf":
        for side in (-1, 1):
            ear = [
                (side * x * look.width, y)
                for x, y in [(1.02, -0.1), (1.2, -0.2), (1.27, 0.1), (1.17, 0.45), (1.02, 0.5)]
            ]
            pen.fill(pen.head(ear, z=-0.1), mix(skin, shade, 0.35))
            pen.line(
                pen.head(
                    [
                        (side * 1.1 * look.width, 0.0),
                        (side * 1.19 * look.width, 0.08),
                        (side * 1.1 * look.width, 0.3),
                    ],
                    z=-0.1,
                ),
                shade,
                0.03,
            )
            if look.earrings:
                pen.dot(pen.head([(side * 1.14 * look.width, 0.56)], z=-0.1)[0], 0.07, (232, 200, 128))
    outline = _outline(pen, look)
    pen.fill(outline, skin)
    face = pen.mask(outline)
    # The side away from the light, then the light itself, then warm cheeks.
    away = -1.0 if view.light > 0 else 1.0
    far = [
        (away * x, y)
        for x, y in [(0.62, -1.5), (1.5, -1.4), (1.6, 1.0), (0.9, 2.2), (0.1, 2.1), (0.62, 1.2), (0.86, 0.2)]
    ]
    pen.tint(shade, face, pen.mask(pen.head(far), blur=0.16), strength=0.28 + 0.3 * abs(view.light))
    near = [(-away * x, y) for x, y in [(0.2, -0.9), (0.8, -0.6), (0.85, 0.4), (0.4, 0.5), (0.25, -0.2)]]
    pen.tint(lighter(skin, 0.6), face, pen.mask(pen.head(near, z=0.5), blur=0.25), strength=0.3)
    for side in (-1, 1):
        cheek = [(side * x, y) for x, y in [(0.45, 0.55), (0.72, 0.42), (0.92, 0.6), (0.7, 0.84)]]
        pen.tint(
            mix(skin, (214, 84, 74), 0.6), face, pen.mask(pen.head(cheek, z=0.55), blur=0.14), strength=0.34
        )
        socket = [
            (side * x, y) for x, y in [(0.15, -0.16), (0.5, -0.3), (0.85, -0.12), (0.8, 0.14), (0.45, 0.2)]
        ]
        pen.tint(shade, face, pen.mask(pen.head(socket, z=0.7), blur=0.1), strength=0.26)
    if look.freckles:
        rng = np.random.default_rng(3)
        for x, y in zip(rng.uniform(-0.75, 0.75, 22), rng.uniform(0.3, 0.62, 22), strict=True):
            pen.dot(pen.head([(float(x), float(y))], z=0.75)[0], 0.022, mix(skin, (150, 84, 52), 0.5))
    if look.hair_style not in {"bald", "buzz", "scarf"}:
        fringe = [
            (-1.1, -0.4),
            (-0.8, -0.72),
            (0.0, -0.84),
            (0.8, -0.72),
            (1.1, -0.4),
            (1.1, -1.5),
            (-1.1, -1.5),
        ]
        pen.tint(shade, face, pen.mask(pen.head(fringe, z=0.3), blur=0.08), strength=0.4)
