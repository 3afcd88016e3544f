"""The process-wide FAISS index of the gallery: a cache that pulls from the database before every search.

The only importer of faiss. Nobody writes to an index: writers call `touch_gallery`, and every process looks at the
journaled faces again before it searches next.
"""

from recognition.gallery_index._index import GalleryIndex
from recognition.gallery_index._manager import get_gallery_index, reset_gallery_index
from recognition.gallery_index._members import Members, read_members
from recognition.gallery_index._types import (
    FaceHit,
    IndexOptions,
    IndexStatus,
    SearchInsideTransaction,
    SearchResult,
)

__all__ = [
    "FaceHit",
    "GalleryIndex",
    "IndexOptions",
    "IndexStatus",
    "Members",
    "SearchInsideTransaction",
    "SearchResult",
    "get_gallery_index",
    "read_members",
    "reset_gallery_index",
]
