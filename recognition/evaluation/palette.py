"""The colors of a plot: the tokens of the stylesheet, as a picture cannot read them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings

_TOKEN = re.compile(r"--([a-z0-9-]+):\s*(#[0-9a-f]{3,8})\s*;")
_ROOT = re.compile(r":root\s*\{([^}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    surface: str
    ink: str
    quiet: str
    grid: str
    accent: str
    good: str
    warn: str
    bad: str


@cache
def read_palettes() -> dict[str, Palette]:
    """By color scheme. The first :root of the stylesheet is the light one, the second the dark one."""
    sheet = (Path(settings.BASE_DIR) / "static" / "facevault.css").read_text(encoding="utf-8")
    roots = [dict(_TOKEN.findall(body)) for body in _ROOT.findall(sheet)]
    light, dark = roots[0], {**roots[0], **roots[1]}
    # Large surfaces take the lines' colors where these stand out from the ground, and the words' where they do not.
    return {"light": _palette(light, "-line"), "dark": _palette(dark, "")}


def _palette(tokens: dict[str, str], shade: str) -> Palette:
    return Palette(
        surface=tokens["surface"],
        ink=tokens["ink"],
        quiet=tokens["ink-2"],
        grid=tokens["line"],
        accent=tokens["accent"],
        good=tokens[f"good{shade}"],
        warn=tokens[f"warn{shade}"],
        bad=tokens[f"bad{shade}"],
    )
