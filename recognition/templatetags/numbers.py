"""Numbers as people read them."""

from django import template

from recognition.matching import describe_figures
from recognition.models import Sighting

register = template.Library()


@register.filter
def thousands(number: int) -> str:
    """48210 -> "48,210"."""
    return f"{number:,}"


@register.filter
def megabytes(size: int) -> str:
    """Bytes as MB, to one decimal below ten."""
    value = size / 1024**2
    return f"{value:,.1f} MB" if value < 10 else f"{value:,.0f} MB"


@register.filter
def similarity(value: float | None) -> str:
    """A cosine with two decimals; empty where nothing was compared."""
    return "" if value is None else f"{value:.2f}"


@register.filter
def percentage(share: float) -> str:
    """0.9876 -> "98.8 %"; 100 % and 0 % are said only of all and of none."""
    if share in {0, 1}:
        return f"{share:.0%}".replace("%", " %")
    return f"{min(max(100 * share, 0.1), 99.9):.1f} %"


@register.filter
def of_hundred(share: float) -> str:
    """0.9876 -> "98.76", for lengths in a drawing that is 100 wide."""
    return f"{100 * share:.2f}"


@register.filter
def figures(sighting: Sighting) -> str:
    """On what a name rests: "0.81, line 0.76 because not on the roster"."""
    return describe_figures(sighting.similarity, sighting.thresholds)
