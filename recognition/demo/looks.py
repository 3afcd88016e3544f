"""What a drawn person looks like: fixed by a number for life, but for the clothes of the day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

Color = tuple[int, int, int]
Item = TypeVar("Item")

SKINS: list[Color] = [
    (250, 220, 198),
    (243, 205, 178),
    (232, 188, 156),
    (222, 172, 134),
    (198, 145, 106),
    (170, 117, 82),
    (137, 90, 62),
    (104, 67, 48),
]
DARK_HAIR: list[Color] = [(28, 24, 26), (44, 33, 30), (66, 44, 34), (89, 57, 38)]
LIGHT_HAIR: list[Color] = [(128, 78, 44), (164, 108, 58), (206, 158, 92), (226, 190, 132), (150, 66, 36)]
GREY_HAIR: list[Color] = [(128, 126, 128), (178, 176, 176), (212, 209, 205)]
EYES: list[Color] = [(72, 48, 34), (58, 42, 36), (92, 64, 38), (84, 104, 66), (70, 104, 140), (96, 122, 138)]
CLOTH: list[Color] = [
    (38, 52, 84),
    (58, 62, 72),
    (24, 28, 36),
    (122, 40, 52),
    (36, 94, 88),
    (196, 92, 62),
    (86, 106, 148),
    (214, 178, 92),
    (140, 108, 150),
    (226, 222, 214),
    (84, 118, 84),
    (176, 140, 116),
    (206, 128, 138),
]
SHIRTS: list[Color] = [(246, 246, 244), (214, 226, 242), (236, 228, 214), (232, 214, 220), (58, 62, 74)]
TIES: list[Color] = [(122, 40, 52), (38, 52, 104), (36, 94, 88), (70, 70, 78)]
SCARVES: list[Color] = [(62, 92, 120), (138, 96, 116), (96, 116, 96), (206, 190, 168), (48, 54, 70)]
HAIR_F = ["long", "long", "waves", "bob", "bun", "ponytail", "curls", "pixie", "scarf", "afro"]
HAIR_M = ["crop", "crop", "part", "part", "quiff", "curly_top", "buzz", "bald", "afro", "tousled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Lengths are in units of the distance between the eyes."""

    feminine: bool
    skin: Color
    hair: Color
    hair_style: str
    eyes: Color
    brow: float
    width: float
    jaw: float
    chin: float
    nose: float
    lips: float
    glasses: str
    beard: str
    freckles: bool
    earrings: bool
    scarf: Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    style: str
    main: Color
    shirt: Color
    tie: Color | None


def make_look(number: int) -> Look:
    """The same person for the same number; even numbers have the names of women, odd ones those of men."""
    rng = np.random.default_rng([7, number])
    feminine = number % 2 == 0
    tone = int(rng.integers(len(SKINS)))
    old = rng.random() < 0.16
    hairs = GREY_HAIR if old else DARK_HAIR + LIGHT_HAIR if tone < 4 else DARK_HAIR
    style = pick(rng, HAIR_F if feminine else HAIR_M)
    if style == "afro" and tone < 3:
        style = "curls" if feminine else "curly_top"
    return Look(
        feminine=feminine,
        skin=SKINS[tone],
        hair=pick(rng, hairs),
        hair_style=style,
        eyes=pick(rng, EYES[:3] if tone > 3 else EYES),
        brow=float(rng.uniform(0.06, 0.085) if feminine else rng.uniform(0.095, 0.14)),
        width=float(rng.uniform(0.94, 1.06)),
        jaw=float(rng.uniform(0.82, 0.95) if feminine else rng.uniform(0.93, 1.1)),
        chin=float(rng.uniform(1.66, 1.8) if feminine else rng.uniform(1.74, 1.92)),
        nose=float(rng.uniform(0.8, 1.2)),
        lips=float(rng.uniform(0.9, 1.3) if feminine else rng.uniform(0.6, 0.9)),
        glasses=pick(rng, ["", "", "", "round", "square"]),
        beard="" if feminine else pick(rng, ["", "", "", "full", "stubble", "moustache", "full"]),
        freckles=tone < 3 and rng.random() < 0.3,
        earrings=feminine and style != "scarf" and rng.random() < 0.55,
        scarf=pick(rng, SCARVES),
    )


def make_outfit(look: Look, rng: np.random.Generator) -> Outfit:
    """Clothes of one event."""
    styles = (
        ["blazer", "blazer", "knit", "blouse", "gown"]
        if look.feminine
        else ["suit", "suit", "knit", "shirt", "gown"]
    )
    style = pick(rng, styles)
    tie = pick(rng, TIES) if style == "suit" and rng.random() < 0.7 else None
    return Outfit(style=style, main=pick(rng, CLOTH), shirt=pick(rng, SHIRTS), tie=tie)


def pick(rng: np.random.Generator, items: list[Item]) -> Item:
    return items[int(rng.integers(len(items)))]


def mix(a: Color, b: Color, share: float) -> Color:
    """`a` with a share 0..1 of `b`."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def darker(color: Color, share: float) -> Color:
    return mix(color, (24, 14, 22), share)


def lighter(color: Color, share: float) -> Color:
    return mix(color, (255, 250, 240), share)
