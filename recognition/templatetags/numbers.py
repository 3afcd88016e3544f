"""Numbers as people read them."""

from django import template

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
