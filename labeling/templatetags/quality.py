"""Figures of a quality report as its tables write them."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """0.9412 -> "94.1 %"; of small shares two digits that count, as false accepts are that small. Empty for None."""
    if share is None:
        return ""
    value = 100 * share
    return f"{value:.1f} %" if value >= 1 or value == 0 else f"{value:.2g} %"


@register.filter
def rest(share: float) -> float:
    return 1 - share


@register.filter
def share(counts: Mapping[str, int], keys: str) -> float | None:
    """{{ rank1|share:"right faces" }}: the first over the second."""
    part, whole = keys.split()
    return counts[part] / counts[whole] if counts[whole] else None


@register.filter
def bars(histogram: Mapping[str, Any]) -> Iterator[tuple[float, float, float]]:
    """Where each bar begins, with its two shares; without the empty ones."""
    for place, (same, different) in enumerate(zip(histogram["same"], histogram["different"], strict=True)):
        if same or different:
            yield histogram["start"] + place * histogram["step"], same, different
