"""Moments of a recording in words, as pages and names say them."""

from __future__ import annotations


def clock(ms: int, *, tenths: bool = False) -> str:
    """0:03, 12:40, 1:02:03; with tenths of a second 0:03.2. Rounded down, as a player shows it."""
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 1000:02d}" + (f".{rest % 1000 // 100}" if tenths else "")
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"
