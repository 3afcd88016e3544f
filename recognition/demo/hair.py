"""Hair of a drawn person: what hangs behind the head, and what lies on it."""

from __future__ import annotations

import math

import numpy as np

from recognition.demo.looks import Look, darker, lighter
from recognition.demo.pen import Pen

# The outline of the skull, the right half from the top down to the ear.
_SKULL = [(0.0, -1.5), (0.55, -1.42), (0.98, -1.08), (1.2, -0.5), (1.2, 0.05)]


def draw_hair_behind(pen: Pen, look: Look) -> None:
    back = darker(look.hair, 0.28)
    style, w = look.hair_style, look.width
    if style not in {"bald", "buzz", "scarf"}:
        # Shows between a turned face and the hair on it.
        pen.fill(pen.head(_mirrored([(x * w, y) for x, y in _SKULL], bottom=(0.0, 0.3))), back)
    if style in {"long", "waves"}:
        bulge = 1.52 if style == "waves" else 1.36
        half = [
            (0.0, -1.6),
            (0.8, -1.4),
            (1.28 * w, -0.6),
            (bulge * w, 0.7),
            (bulge * w, 1.9),
            (1.3, 2.75),
            (0.7, 3.05),
        ]
        pen.fill(pen.head(_mirrored(half, bottom=(0.0, 2.8))), back)
        if style == "waves":
            for side in (-1, 1):
                for step, y in enumerate(np.arange(-0.5, 2.8, 0.42)):
                    x = side * (1.36 + 0.12 * math.sin(step * 2.1)) * w
                    pen.dot(pen.head([(x, float(y))])[0], 0.34, back if step % 2 else darker(look.hair, 0.2))
    elif style == "bob":
        half = [(0.0, -1.6), (0.8, -1.42), (1.3 * w, -0.6), (1.44 * w, 0.5), (1.36, 1.35), (0.95, 1.62)]
        pen.fill(pen.head(_mirrored(half, bottom=(0.0, 1.6))), back)
    elif style == "bun":
        pen.dot(pen.head([(0.0, -1.85, -0.4)])[0], 0.52, back)
        pen.dot(pen.head([(-0.08, -1.92, -0.4)])[0], 0.4, look.hair)
    elif style == "ponytail":
        pen.fill(
            pen.head(
                [(0.3, -1.2), (1.3, -0.9), (1.66, 0.2), (1.6, 1.5), (1.25, 2.3), (1.1, 1.2), (0.9, 0)], z=-0.5
            ),
            back,
        )
    elif style in {"curls", "afro"}:
        radius, reach = (1.62, 0.34) if style == "afro" else (1.4, 0.3)
        last = 205 if style == "afro" else 250
        for step, angle in enumerate(np.radians(np.arange(270 - last / 2, 270 + last / 2 + 1, 15))):
            wobble = radius + 0.08 * math.sin(step * 2.3)
            x, y = math.cos(angle) * wobble * w, -0.15 + math.sin(angle) * wobble
            pen.dot(pen.head([(x, y)])[0], reach + 0.06 * math.cos(step * 1.7), back)
        pen.dot(pen.head([(0.0, -0.25)])[0], radius, back)
    elif style == "scarf":
        half = [(0.0, -1.66), (0.82, -1.46), (1.38, -0.6), (1.46, 0.6), (1.3, 1.7), (1.62, 2.6), (1.2, 3.1)]
        pen.fill(pen.head(_mirrored(half, bottom=(0.0, 3.3))), darker(look.scarf, 0.16))


def draw_hair_front(pen: Pen, look: Look) -> None:
    """Over the forehead; after the head and the ears."""
    style = look.hair_style
    if style == "bald":
        return
    if style == "scarf":
        _draw_scarf(pen, look)
    elif style in {"long", "waves", "bob"}:
        # Parted off the middle, falling to both sides of the forehead.
        right = [
            (-0.3, -1.62),
            (0.5, -1.56),
            (1.08, -1.1),
            (1.3, -0.3),
            (1.3, 0.75),
            (1.13, 0.2),
            (0.98, -0.45),
            (0.5, -0.85),
            (-0.22, -1.12),
        ]
        left = [
            (-0.2, -1.62),
            (-0.85, -1.4),
            (-1.26, -0.7),
            (-1.32, 0.75),
            (-1.14, 0.2),
            (-1.03, -0.5),
            (-0.72, -0.86),
            (-0.24, -1.1),
        ]
        pen.fill(pen.head(right, z=0.3), look.hair)
        pen.fill(pen.head(left, z=0.3), look.hair)
        _shine(pen, look, [(0.05, -1.36), (0.6, -1.2), (1.02, -0.66)])
    elif style in {"bun", "ponytail"}:
        _cap(pen, look, [(-1.06, -0.5), (-0.7, -0.95), (0.0, -1.12), (0.7, -0.95), (1.06, -0.5)])
        _shine(pen, look, [(-0.6, -1.28), (0.0, -1.4), (0.6, -1.28)])
    elif style in {"curls", "afro", "curly_top"}:
        _cap(pen, look, [(-1.02, -0.45), (-0.6, -0.86), (0.0, -0.95), (0.6, -0.86), (1.02, -0.45)])
        low, high = (-1.0, 1.05) if style == "curly_top" else (-0.95, 1.0)
        for step, x in enumerate(np.linspace(low, high, 9)):
            y = -1.42 + 0.62 * float(x) ** 2 + (0.22 if step % 2 else 0.0)
            tone = lighter(look.hair, 0.07) if step % 2 else look.hair
            pen.dot(pen.head([(float(x), y, 0.3)])[0], 0.3, tone)
    elif style == "buzz":
        _cap(pen, look, [(-1.02, -0.4), (-0.86, -0.82), (0.0, -0.96), (0.86, -0.82), (1.02, -0.4)], soft=True)
    elif style == "crop":
        _cap(
            pen,
            look,
            [(-1.03, -0.3), (-0.88, -0.78), (-0.3, -0.92), (0.4, -0.88), (0.9, -0.76), (1.03, -0.3)],
        )
        _shine(pen, look, [(-0.5, -1.25), (0.1, -1.34), (0.65, -1.16)])
    elif style == "part":
        _cap(
            pen, look, [(-1.03, -0.3), (-0.92, -0.72), (-0.5, -1.02), (0.3, -0.8), (0.9, -0.68), (1.03, -0.3)]
        )
        pen.fill(
            pen.head(
                [
                    (-0.6, -1.12),
                    (-0.5, -1.6),
                    (0.3, -1.74),
                    (0.98, -1.36),
                    (1.14, -0.78),
                    (0.5, -0.82),
                    (0.0, -0.98),
                ],
                z=0.3,
            ),
            look.hair,
        )
        _shine(pen, look, [(-0.3, -1.34), (0.3, -1.42), (0.86, -1.12)])
    elif style == "quiff":
        _cap(pen, look, [(-1.03, -0.3), (-0.84, -0.82), (0.0, -0.98), (0.84, -0.82), (1.03, -0.3)])
        pen.fill(
            pen.head(
                [
                    (-0.9, -1.0),
                    (-0.95, -1.5),
                    (-0.4, -1.86),
                    (0.4, -1.94),
                    (0.98, -1.5),
                    (0.9, -1.0),
                    (0.0, -1.1),
                ],
                z=0.35,
            ),
            look.hair,
        )
        _shine(pen, look, [(-0.5, -1.5), (0.1, -1.66), (0.65, -1.48)])
    else:  # pixie, tousled
        _cap(
            pen,
            look,
            [
                (-1.06, -0.1),
                (-0.9, -0.66),
                (-0.4, -0.62),
                (0.0, -0.86),
                (0.5, -0.74),
                (0.92, -0.7),
                (1.06, -0.1),
            ],
        )
        for x in (-0.8, -0.35, 0.15, 0.62):
            pen.fill(
                pen.head(
                    [(x - 0.32, -1.2), (x, -1.72), (x + 0.36, -1.3), (x + 0.2, -0.84), (x - 0.15, -0.9)],
                    z=0.3,
                ),
                look.hair,
            )
        _shine(pen, look, [(-0.5, -1.22), (0.1, -1.32), (0.65, -1.12)])


def _cap(pen: Pen, look: Look, hairline: list[tuple[float, float]], *, soft: bool = False) -> None:
    """Hair close to the skull, down to a hairline given from left to right."""
    grow = 0.92 if soft else 1.04
    skull = [(x * look.width * grow, y * grow) for x, y in _SKULL]
    outline = [(-x, y) for x, y in reversed(skull[1:])] + skull
    shape = np.concatenate([pen.head(outline), pen.head(list(reversed(hairline)), z=0.3)])
    if soft:
        pen.tint(look.hair, pen.mask(shape, blur=0.025), strength=0.8)
    else:
        pen.fill(shape, look.hair)


def _shine(pen: Pen, look: Look, path: list[tuple[float, float]]) -> None:
    line, half = pen.head(path, z=0.3), np.array([0, 0.07 * pen.unit])
    shape = np.concatenate([line - half, line[::-1] + half])
    pen.tint(lighter(look.hair, 0.5), pen.mask(shape, blur=0.08), strength=0.28)


def _draw_scarf(pen: Pen, look: Look) -> None:
    rim = [(0.0, -0.98), (0.62, -0.84), (0.98, -0.3), (1.03, 0.5), (0.86, 1.2), (0.5, 1.66), (0.0, 1.82)]
    outer = [(0.0, -1.64), (0.78, -1.46), (1.32, -0.66), (1.38, 0.5), (1.24, 1.5), (0.9, 2.1), (0.0, 2.35)]
    for side in (-1, 1):
        inner = pen.head([(side * x, y) for x, y in rim], z=0.3)
        outside = pen.head([(side * x, y) for x, y in reversed(outer)])
        pen.fill(np.concatenate([inner, outside]), look.scarf, smooth=False)
    pen.fill(
        pen.head(
            [
                (-1.24, 1.4),
                (-0.5, 2.0),
                (0.3, 2.2),
                (1.2, 1.5),
                (1.5, 2.6),
                (0.4, 3.1),
                (-1.0, 3.0),
                (-1.5, 2.5),
            ]
        ),
        look.scarf,
    )
    for path in ([(-1.1, 1.7), (-0.2, 2.3), (1.2, 2.5)], [(-1.25, 2.2), (-0.2, 2.7), (0.9, 2.85)]):
        pen.line(pen.head(path), darker(look.scarf, 0.22), 0.035)


def _mirrored(half: list[tuple[float, float]], *, bottom: tuple[float, float]) -> list[tuple[float, float]]:
    return [*half, bottom, *[(-x, y) for x, y in reversed(half[1:])]]
