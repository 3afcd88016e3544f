"""What a serving process loads before its first request."""

import logging

from django.db import DatabaseError

from recognition.active_embedder import NoActiveEmbedder
from recognition.embedders import EmbedderUnknown
from recognition.gallery_index import get_gallery_index

logger = logging.getLogger(__name__)


def load_gallery_index() -> None:
    """Load the index now, so that no visitor waits for it. A site without an embedder or a database yet still starts."""
    try:
        status = get_gallery_index().status()
    except (NoActiveEmbedder, EmbedderUnknown, DatabaseError) as error:
        logger.warning("the gallery's index is not loaded yet: %s", error)
        return
    logger.info("gallery index: %s faces, %s, version %s", status.count, status.kind, status.version)
