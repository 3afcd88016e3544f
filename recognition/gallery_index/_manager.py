"""The indexes of this process: that of the active embedder, loaded on first use, and beside a change of it one more."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field

from django.db import Error, connection

from recognition.answering import Answering, read_answering
from recognition.embedders import EmbedderUnknown, describe_embedder, is_imported
from recognition.gallery_index._index import GalleryIndex
from recognition.gallery_index._types import refuse_in_transaction
from recognition.gallery_index._vectors import stay_single_threaded

logger = logging.getLogger(__name__)
_UNUSED_SECONDS = 15 * 60.0


@dataclass(slots=True)
class _Held:
    index: GalleryIndex
    filling: int
    loaded: bool = False
    used: float = field(default_factory=time.monotonic)


_lock = threading.Lock()
_held: dict[str, _Held] = {}
_warming: threading.Thread | None = None


def get_gallery_index(embedder_id: str | None = None) -> GalleryIndex:
    """The process's index of the active embedder, or of that one; loaded on first use.

    Beside the active one answers, while and after it is changed, the other of the two: what was read before the switch
    is answered after it. Raises NoActiveEmbedder before one was chosen, WrongEmbedder for any other, and
    SearchInsideTransaction if it has to load inside a transaction.
    """
    answering = read_answering()
    held = _hold(answering.choose(embedder_id), answering)
    if not held.loaded:
        refuse_in_transaction()
        held.index.refresh()
        held.loaded = True
    if answering.coming is not None and not connection.in_atomic_block:
        _warm(answering.coming, answering)
    return held.index


def reset_gallery_index() -> None:
    """Forget the process's indexes, for tests; the next caller loads one."""
    global _warming
    if (warming := _warming) is not None:
        warming.join()
    with _lock:
        _held.clear()
        _warming = None


def _hold(embedder_id: str, answering: Answering) -> _Held:
    """What is held of that embedder, perhaps empty yet. Whatever nobody asks for any more is let go."""
    filling, now = answering.filling_of(embedder_id), time.monotonic()
    with _lock:
        held = _held.get(embedder_id)
        if held is None or held.filling != filling:
            index = GalleryIndex(embedder_id, describe_embedder(embedder_id).dimension)
            held = _held[embedder_id] = _Held(index, filling)
        held.used = now
        needed = {answering.active, answering.coming, embedder_id}
        for other in [key for key in _held if key not in needed]:
            asked_now_and_then = other == answering.other or is_imported(other)
            if not asked_now_and_then or now - _held[other].used > _UNUSED_SECONDS:
                del _held[other]
        return held


def _warm(embedder_id: str, answering: Answering) -> None:
    """Load the index of the embedder that is about to become active, so that nobody waits for it after the switch."""
    global _warming
    try:
        held = _hold(embedder_id, answering)
    except EmbedderUnknown:  # to this version of the site; whoever switches is told
        return
    with _lock:
        if held.loaded or (_warming is not None and _warming.is_alive()):
            return
        _warming = threading.Thread(target=_load, args=(held,), name="gallery-warming", daemon=True)
        _warming.start()


def _load(held: _Held) -> None:
    try:
        held.index.refresh()
        held.loaded = True
    except Error:
        logger.warning("the index of %s is loaded later", held.index.embedder_id, exc_info=True)
    finally:
        connection.close()


def _forget_after_fork() -> None:
    # A lock that another thread held at the fork stays locked in the child for ever.
    global _lock, _held, _warming
    _lock, _held, _warming = threading.Lock(), {}, None
    stay_single_threaded()


os.register_at_fork(after_in_child=_forget_after_fork)
