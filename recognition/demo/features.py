"""Eyes, nose, mouth, beard and glasses of a drawn face."""

from __future__ import annotations

import numpy as np

from recognition.demo.looks import Look, darker, lighter, mix
from recognition.demo.pen import FACE_DEPTH, Pen
from recognition.demo.view import View

_TURN = np.linspace(0, 2 * np.pi, 40, endpoint=False)


def draw_eyes(pen: Pen, look: Look, view: View) -> None:
    dark = (40, 28, 28)
    for side in (-1, 1):

        def at(x: float, y: float, side: int = side) -> tuple[float, float]:
            return side * (0.5 + x), y

        high = 0.135 * view.open_eyes
        lid = [at(-0.25, 0.04), at(-0.1, -high * 0.9), at(0.08, -high), at(0.27, -0.01)]
        white = pen.head([*lid, at(0.1, 0.1), at(-0.12, 0.1)], z=FACE_DEPTH)
        pen.fill(white, (250, 247, 243))
        opening = pen.mask(white)
        middle = pen.head([at(0.0, -0.01)], z=FACE_DEPTH)[0]
        for radius, color in ((0.125, darker(look.eyes, 0.35)), (0.105, look.eyes), (0.056, (16, 12, 14))):
            disc = middle + np.stack([np.cos(_TURN), np.sin(_TURN)], axis=1) * radius * pen.unit
            pen.tint(color, opening, pen.mask(disc, smooth=False), strength=1.0)
        pen.dot(middle + np.array([view.light * 0.03 + 0.02, -0.045]) * pen.unit, 0.03, (255, 255, 255))
        pen.line(pen.head(lid, z=FACE_DEPTH), dark, 0.055 if look.feminine else 0.04)
        if look.feminine:
            pen.line(pen.head([at(0.22, -0.04), at(0.35, -0.1)], z=FACE_DEPTH), dark, 0.04)
        pen.line(
            pen.head([at(-0.16, -high - 0.07), at(0.06, -high - 0.1), at(0.26, -0.11)], z=FACE_DEPTH),
            darker(look.skin, 0.34),
            0.022,
        )
        lift = 0.03 * view.smile
        thick = look.brow
        top = [at(-0.28, -0.3 - thick - lift), at(0.02, -0.38 - thick - lift), at(0.4, -0.27 - lift)]
        bottom = [at(0.02, -0.36 - lift), at(-0.28, -0.29 - lift)]
        brow = look.hair if look.hair_style != "scarf" else (58, 40, 34)
        pen.fill(pen.head(top + bottom, z=FACE_DEPTH + 0.03), darker(brow, 0.15))


def draw_nose(pen: Pen, look: Look) -> None:
    shade, n = darker(look.skin, 0.28), look.nose
    bridge = [
        (-0.1 * n, -0.05, 0.85),
        (-0.04, 0.3, 1.05),
        (0.0, 0.52, 1.18),
        (-0.2 * n, 0.58, 0.95),
        (-0.17 * n, 0.3, 0.9),
    ]
    pen.tint(shade, pen.mask(pen.head(bridge), blur=0.04), strength=0.5)
    under = [
        (-0.2 * n, 0.56, 0.95),
        (-0.12 * n, 0.66, 1.0),
        (0.0, 0.645, 1.14),
        (0.12 * n, 0.66, 1.0),
        (0.2 * n, 0.56, 0.95),
    ]
    pen.line(pen.head(under), darker(look.skin, 0.36), 0.04)
    pen.tint(
        lighter(look.skin, 0.7),
        pen.mask(
            pen.head([(-0.03, 0.2, 1.05), (0.06, 0.2, 1.05), (0.08, 0.5, 1.18), (-0.02, 0.5, 1.18)]),
            blur=0.05,
        ),
        strength=0.4,
    )


def draw_mouth(pen: Pen, look: Look, view: View) -> None:
    lip = mix(look.skin, (178, 52, 66) if look.feminine else (150, 70, 66), 0.55 if look.feminine else 0.42)
    left, right, bend, full = (-0.434, 1.006), (0.434, 1.006), 0.1 * view.smile, look.lips
    z = FACE_DEPTH + 0.05
    if view.smile > 0.45:
        drop = 0.12 + 0.13 * view.smile
        pen.fill(
            pen.head(
                [
                    left,
                    (-0.2, 0.99 - 0.04 * full),
                    (0.0, 1.02),
                    (0.2, 0.99 - 0.04 * full),
                    right,
                    (0.26, 1.05 + drop),
                    (0.0, 1.1 + drop + 0.04 * full),
                    (-0.26, 1.05 + drop),
                ],
                z=z,
            ),
            lip,
        )
        inner = pen.head(
            [
                (-0.37, 1.03),
                (0.0, 1.06),
                (0.37, 1.03),
                (0.24, 0.99 + drop),
                (0.0, 1.06 + drop),
                (-0.24, 0.99 + drop),
            ],
            z=z,
        )
        pen.fill(inner, (252, 249, 244))
        pen.tint(
            (110, 30, 40),
            pen.mask(inner),
            pen.mask(
                pen.head(
                    [(-0.4, 0.98 + drop), (0.0, 1.03 + drop), (0.4, 0.98 + drop), (0.0, 1.3 + drop)], z=z
                )
            ),
            strength=0.75,
        )
    else:
        middle = 1.03 + bend
        pen.fill(
            pen.head(
                [
                    left,
                    (-0.14, 0.97 - 0.05 * full + bend),
                    (0.0, 1.0 - 0.03 * full + bend),
                    (0.14, 0.97 - 0.05 * full + bend),
                    right,
                    (0.0, middle + 0.02),
                ],
                z=z,
            ),
            darker(lip, 0.08),
        )
        pen.fill(
            pen.head(
                [
                    left,
                    (0.0, middle),
                    right,
                    (0.18, middle + 0.1 * full),
                    (0.0, middle + 0.13 * full),
                    (-0.18, middle + 0.1 * full),
                ],
                z=z,
            ),
            lip,
        )
        pen.line(pen.head([left, (0.0, middle), right], z=z), darker(lip, 0.5), 0.03)
    for side in (-1, 1):
        fold = [(side * 0.34, 0.62), (side * 0.5, 0.78), (side * 0.53, 0.94)]
        pen.line(pen.head(fold, z=FACE_DEPTH), darker(look.skin, 0.05 + 0.08 * max(0.0, view.smile)), 0.018)


def draw_beard(pen: Pen, look: Look) -> None:
    if not look.beard:
        return
    moustache = pen.head(
        [
            (-0.5, 1.0),
            (-0.25, 0.76),
            (0.0, 0.8),
            (0.25, 0.76),
            (0.5, 1.0),
            (0.2, 0.97),
            (0.0, 0.94),
            (-0.2, 0.97),
        ],
        z=0.8,
    )
    if look.beard != "moustache":
        w, jaw, chin = look.width, look.jaw, look.chin
        outer = [
            (1.07 * w, 0.1),
            (1.08 * w, 0.65),
            (0.94 * w * jaw, 1.18),
            (0.54 * jaw, 0.92 * chin),
            (0.0, chin + 0.07),
        ]
        inner = [(0.0, 1.46), (0.3, 1.4), (0.5, 1.0), (0.72, 0.84), (0.94 * w, 0.5), (0.99 * w, 0.1)]
        right = pen.head(outer)
        shape = np.concatenate(
            [
                pen.head([(-x, y) for x, y in outer[:-1]]),
                right[::-1],
                pen.head(list(reversed(inner)), z=0.5),
                pen.head([(-x, y) for x, y in inner[1:]], z=0.5),
            ]
        )
        stubble = look.beard == "stubble"
        pen.tint(darker(look.hair, 0.12), pen.mask(shape, blur=0.02), strength=0.34 if stubble else 0.95)
        pen.tint(look.hair, pen.mask(moustache, blur=0.03), strength=0.34 if stubble else 0.9)
    else:
        pen.fill(moustache, darker(look.hair, 0.1))


def draw_glasses(pen: Pen, look: Look) -> None:
    if not look.glasses:
        return
    frame, corner = (36, 32, 38), 0.36 if look.glasses == "round" else 0.4
    for side in (-1, 1):
        middle = np.array([side * 0.5, 0.03])
        power = 2.0 if look.glasses == "round" else 3.6
        x, y = np.cos(_TURN), np.sin(_TURN)
        rim = (
            np.stack(
                [
                    np.sign(x) * np.abs(x) ** (2 / power) * corner,
                    np.sign(y) * np.abs(y) ** (2 / power) * 0.31,
                ],
                axis=1,
            )
            + middle
        )
        pixels = pen.head([(float(a), float(b)) for a, b in rim], z=FACE_DEPTH + 0.12)
        pen.tint((236, 244, 250), pen.mask(pixels), strength=0.14)
        pen.line(np.concatenate([pixels, pixels[:2]]), frame, 0.05)
        pen.line(
            pen.head(
                [(side * (0.5 + corner), -0.03, FACE_DEPTH + 0.1), (side * 1.1 * look.width, -0.05, 0.0)]
            ),
            frame,
            0.045,
        )
    pen.line(pen.head([(-0.16, 0.0), (0.0, -0.05), (0.16, 0.0)], z=FACE_DEPTH + 0.2), frame, 0.05)
