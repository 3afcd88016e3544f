"""Which embedders there are, the one loaded in this process, and the one this installation can use.

Describing and choosing import neither torch nor dlib: pages need a dimension and thresholds, never a net.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from recognition.embedders.base import Embedder, EmbedderInfo

Factory = Callable[[str], Embedder]


class EmbedderUnknown(LookupError):
    """No embedder of this installation has that embedder_id."""


@dataclass(frozen=True, slots=True)
class _Entry:
    describe: Callable[[str], EmbedderInfo | None]
    create: Factory


class EmbedderRegistry:
    """Kinds of embedders by name; an embedder_id belongs to the kind whose `describe` knows it."""

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}

    def register(
        self, name: str, *, describe: Callable[[str], EmbedderInfo | None]
    ) -> Callable[[Factory], Factory]:
        """Decorate the factory of a kind. `describe(embedder_id)` is cheap and says None to foreign ids."""

        def add(create: Factory) -> Factory:
            if name in self._entries:
                raise ValueError(f"embedder {name} is registered twice")
            self._entries[name] = _Entry(describe, create)
            return create

        return add

    def names(self) -> list[str]:
        return sorted(self._entries)

    def describe(self, embedder_id: str) -> EmbedderInfo:
        """Dimension and thresholds; raise EmbedderUnknown."""
        for entry in self._entries.values():
            if (info := entry.describe(embedder_id)) is not None:
                return info
        raise EmbedderUnknown(f"no embedder called {embedder_id!r}; there are: {', '.join(self.names())}")

    def create(self, embedder_id: str) -> Embedder:
        """A newly loaded embedder; raise EmbedderUnknown, or what its loading raises."""
        info = self.describe(embedder_id)
        return self._entries[info.name].create(embedder_id)


embedders = EmbedderRegistry()

_lock = threading.Lock()
_loaded: dict[str, Embedder] = {}


def get_embedder(embedder_id: str) -> Embedder:
    """The process's embedder of that id, loaded on first use; raise EmbedderUnknown or a weights error."""
    found = _loaded.get(embedder_id)
    if found is None:
        with _lock:
            found = _loaded.get(embedder_id)
            if found is None:
                found = _loaded[embedder_id] = embedders.create(embedder_id)
    return found


def reset_embedders() -> None:
    """Forget the loaded embedders, for tests."""
    with _lock:
        _loaded.clear()


def describe_embedder(embedder_id: str) -> EmbedderInfo:
    """Dimension and thresholds of an embedder_id, without loading anything; raise EmbedderUnknown."""
    return embedders.describe(embedder_id)
