"""The one index of this process: loaded on first use, forgotten after a fork."""

from __future__ import annotations

import os
import threading

from recognition.active_embedder import get_active_embedder_id
from recognition.embedders import describe_embedder
from recognition.gallery_index._index import GalleryIndex
from recognition.gallery_index._types import refuse_in_transaction
from recognition.gallery_index._vectors import stay_single_threaded

_lock = threading.Lock()
_current: GalleryIndex | None = None


def get_gallery_index() -> GalleryIndex:
    """The process's index of the active embedder, loaded on first use.

    Raises NoActiveEmbedder before one was chosen, SearchInsideTransaction if it has to load inside a transaction.
    """
    global _current
    embedder_id = get_active_embedder_id()
    index = _current
    if index is not None and index.embedder_id == embedder_id:
        return index
    refuse_in_transaction()
    with _lock:
        if _current is None or _current.embedder_id != embedder_id:
            index = GalleryIndex(embedder_id, describe_embedder(embedder_id).dimension)
            index.refresh()
            _current = index
        return _current


def reset_gallery_index() -> None:
    """Forget the process's index, for tests; the next caller loads it."""
    global _current
    with _lock:
        _current = None


def _forget_after_fork() -> None:
    # A lock that another thread held at the fork stays locked in the child for ever.
    global _lock, _current
    _lock, _current = threading.Lock(), None
    stay_single_threaded()


os.register_at_fork(after_in_child=_forget_after_fork)
