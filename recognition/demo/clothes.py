"""Neck, shoulders and what a drawn person wears."""

from __future__ import annotations

from recognition.demo.looks import Look, Outfit, darker, lighter
from recognition.demo.pen import Pen

_GOWN = (34, 32, 42)


def draw_body(pen: Pen, look: Look, outfit: Outfit, *, below: float) -> None:
    """Down to `below` eye distances under the eyes, which is past the tile's edge."""
    w = 0.9 if look.feminine else 1.0
    end = below + 0.5
    neck = 0.46 if look.feminine else 0.6
    _draw_neck(pen, look, neck)
    main = _GOWN if outfit.style == "gown" else outfit.main
    half = [
        (neck + 0.02, 2.24),
        (1.05 * w, 2.42),
        (1.85 * w, 2.78),
        (2.2 * w, 3.5),
        (2.36 * w, 5.0),
        (2.42 * w, 6.8),
        (2.3 * w, end),
    ]
    torso = pen.torso([*half, *[(-x, y) for x, y in reversed(half)]])
    pen.fill(torso, main)
    cloth = pen.mask(torso)
    for side in (-1, 1):
        arm = [
            (side * x * w, y)
            for x, y in [(1.62, 4.1), (1.72, 5.4), (1.62, end), (2.7, end), (2.9, 4.0), (2.2, 3.1)]
        ]
        pen.tint(darker(main, 0.45), cloth, pen.mask(pen.torso(arm), blur=0.14), strength=0.4)
        pen.line(
            pen.torso([(side * 1.6 * w, 4.0), (side * 1.68 * w, 5.2), (side * 1.6 * w, end)]),
            darker(main, 0.34),
            0.035,
        )
    pen.tint(
        lighter(main, 0.5),
        cloth,
        pen.mask(pen.torso([(-1.7 * w, 2.7), (-0.7, 2.45), (-0.9, 3.2), (-1.7 * w, 3.3)]), blur=0.25),
        strength=0.3,
    )
    if outfit.style in {"suit", "blazer"}:
        _draw_jacket(pen, look, outfit, end)
    elif outfit.style == "gown":
        _draw_gown(pen, look, outfit, end)
    elif outfit.style in {"shirt", "blouse"}:
        _draw_collar(pen, look, outfit, end)
    else:
        _draw_skin_opening(pen, look, neck, depth=2.62)
        pen.line(
            pen.torso([(-neck - 0.14, 2.12), (-0.3, 2.54), (0.0, 2.64), (0.3, 2.54), (neck + 0.14, 2.12)]),
            darker(main, 0.28),
            0.16,
        )


def _draw_neck(pen: Pen, look: Look, neck: float) -> None:
    shade = darker(look.skin, 0.3)
    shape = pen.torso(
        [
            (-neck, 0.9),
            (neck, 0.9),
            (neck, 2.1),
            (neck + 0.3, 2.5),
            (0.0, 3.0),
            (-neck - 0.3, 2.5),
            (-neck, 2.1),
        ]
    )
    pen.fill(shape, look.skin, smooth=False)
    shadow = pen.head([(-1.0, 1.0), (1.0, 1.0), (0.75, 1.9), (0.0, look.chin + 0.42), (-0.75, 1.9)])
    pen.tint(shade, pen.mask(shape, smooth=False), pen.mask(shadow, blur=0.08), strength=0.62)


def _draw_skin_opening(pen: Pen, look: Look, neck: float, *, depth: float) -> None:
    shape = pen.torso(
        [(-neck - 0.1, 2.05), (-0.3, depth - 0.1), (0.0, depth), (0.3, depth - 0.1), (neck + 0.1, 2.05)]
    )
    pen.fill(shape, look.skin)
    pen.tint(
        darker(look.skin, 0.3),
        pen.mask(shape),
        pen.mask(pen.torso([(-0.7, 1.8), (0.7, 1.8), (0.4, 2.34), (-0.4, 2.34)]), blur=0.1),
        strength=0.45,
    )


def _draw_jacket(pen: Pen, look: Look, outfit: Outfit, end: float) -> None:
    main, low = outfit.main, 4.7 if look.feminine else 5.0
    pen.fill(pen.torso([(-0.68, 2.1), (0.68, 2.1), (0.0, low)]), outfit.shirt, smooth=False)
    if look.feminine:
        _draw_skin_opening(pen, look, 0.46, depth=2.95)
    else:
        pen.fill(pen.torso([(-0.5, 2.0), (0.0, 2.55), (0.5, 2.0)]), look.skin, smooth=False)
        pen.tint(
            darker(look.skin, 0.3),
            pen.mask(pen.torso([(-0.5, 2.0), (0.0, 2.55), (0.5, 2.0)]), smooth=False),
            strength=0.4,
        )
        if outfit.tie:
            pen.fill(
                pen.torso(
                    [
                        (-0.17, 2.5),
                        (0.17, 2.5),
                        (0.1, 2.8),
                        (0.22, 4.3),
                        (0.0, low),
                        (-0.22, 4.3),
                        (-0.1, 2.8),
                    ]
                ),
                outfit.tie,
                smooth=False,
            )
            pen.line(pen.torso([(-0.1, 2.82), (0.1, 2.82)]), darker(outfit.tie, 0.4), 0.04)
        for side in (-1, 1):
            pen.fill(
                pen.torso([(side * 0.66, 2.0), (side * 0.06, 2.56), (side * 0.4, 2.92), (side * 0.78, 2.3)]),
                lighter(outfit.shirt, 0.35),
                smooth=False,
            )
            pen.line(pen.torso([(side * 0.06, 2.56), (side * 0.4, 2.92)]), darker(outfit.shirt, 0.2), 0.02)
    for side in (-1, 1):
        lapel = pen.torso(
            [
                (side * 0.62, 2.05),
                (side * 0.92, 2.3),
                (side * 1.12, 3.2),
                (side * 0.86, 3.3),
                (side * 0.95, 3.5),
                (0.0, low + 0.05),
                (side * 0.42, 3.4),
            ]
        )
        pen.fill(lapel, lighter(main, 0.07) if sum(main) < 300 else darker(main, 0.08), smooth=False)
        pen.line(pen.torso([(side * 0.95, 3.5), (0.0, low + 0.05)]), darker(main, 0.4), 0.03)
    pen.line(pen.torso([(0.0, low), (0.06, low + 1.0), (0.06, end)]), darker(main, 0.4), 0.035)
    pen.dot(pen.torso([(0.2, low + 0.5)])[0], 0.075, darker(main, 0.5))


def _draw_gown(pen: Pen, look: Look, outfit: Outfit, end: float) -> None:
    pen.fill(pen.torso([(-0.6, 2.1), (0.6, 2.1), (0.0, 3.7)]), outfit.shirt, smooth=False)
    pen.fill(pen.torso([(-0.5, 2.0), (0.0, 2.55), (0.5, 2.0)]), look.skin, smooth=False)
    for side in (-1, 1):
        stole = [
            (side * x, y)
            for x, y in [
                (0.62, 2.05),
                (1.1, 2.4),
                (0.98, 4.0),
                (0.9, end),
                (0.28, end),
                (0.3, 4.2),
                (0.05, 3.6),
            ]
        ]
        pen.fill(pen.torso(stole), outfit.main, smooth=False)
        pen.line(
            pen.torso([(side * 1.04, 2.5), (side * 0.93, 4.0), (side * 0.85, end)]), (226, 196, 120), 0.05
        )
    for x in (-1.3, 1.3):
        pen.line(pen.torso([(x, 3.2), (x * 1.03, 5.0), (x, end)]), darker(_GOWN, 0.5), 0.03)


def _draw_collar(pen: Pen, look: Look, outfit: Outfit, end: float) -> None:
    main = outfit.main
    depth = 3.0 if look.feminine else 2.8
    opening = pen.torso([(-0.62, 2.0), (0.62, 2.0), (0.0, depth)])
    pen.fill(opening, look.skin, smooth=False)
    pen.tint(
        darker(look.skin, 0.3),
        pen.mask(opening, smooth=False),
        pen.mask(pen.torso([(-0.7, 1.8), (0.7, 1.8), (0.0, 2.5)]), blur=0.1),
        strength=0.5,
    )
    for side in (-1, 1):
        pen.fill(
            pen.torso(
                [(side * 0.66, 1.98), (side * 0.0, depth), (side * 0.5, depth + 0.24), (side * 0.9, 2.36)]
            ),
            lighter(main, 0.14),
            smooth=False,
        )
        pen.line(
            pen.torso([(side * 0.0, depth), (side * 0.5, depth + 0.24), (side * 0.9, 2.36)]),
            darker(main, 0.3),
            0.025,
        )
    pen.line(pen.torso([(0.0, depth), (0.0, 5.0), (0.0, end)]), darker(main, 0.28), 0.03)
    for step in range(4):
        pen.dot(pen.torso([(0.08, depth + 0.5 + 0.9 * step)])[0], 0.05, lighter(main, 0.5))
