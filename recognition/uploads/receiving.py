"""A file on its way in, into the data folder: whatever stops it is told to whoever sent it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.conf import settings

from recognition.images import PhotoRefused
from recognition.storage import Incoming, SourceUnreadable, TooManyBytes, receive

logger = logging.getLogger(__name__)
_TOO_LARGE = "The file is larger than {} MB. Export it smaller and upload it again."


@contextmanager
def receive_or_refuse(
    file: BinaryIO, *, max_mb: int | None = None, too_large: str = _TOO_LARGE
) -> Iterator[Incoming]:
    """`receive` within that size, or the limit of photos. Whatever stops it or the block, a full disk too, is a PhotoRefused."""
    limit = settings.FACEVAULT_MAX_FILE_MB if max_mb is None else max_mb
    try:
        with receive(file, max_bytes=limit * 1024 * 1024) as incoming:
            yield incoming
    except SourceUnreadable as error:
        raise PhotoRefused("unreadable", unreadable_words(str(error))) from error
    except TooManyBytes as error:
        raise PhotoRefused("file_too_large", too_large.format(limit)) from error
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
            raise
        logger.error("upload refused: no space left in the data folder")
        message = "The server's disk is full. Tell the administrator, then upload this file again."
        raise PhotoRefused("no_space", message) from error


def unreadable_words(error: str | None) -> str:
    return f"The file cannot be read ({error or 'unknown error'}). Check it and add it again."
