"""Long lists in parts: a database limits the parameters of a statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def in_parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """These in their order, at most `size` at a time."""
    return (items[start : start + size] for start in range(0, len(items), size))
