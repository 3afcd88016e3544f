"""Files that no row names: what a killed worker or upload had written. They show people, so they do not stay."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import transaction

from recognition.gallery_journal import lock_gallery_state
from recognition.models import Face, Photo, Video

logger = logging.getLogger(__name__)
# Younger ones belong to work that is under way.
_OLD_SECONDS = 24 * 60 * 60
_CHUNK = 500


def remove_orphans() -> int:
    """Delete files of photos, videos and crops that are older than a day and that no row names; returns how many."""
    removed = 0
    for kind in ("photos", "previews", "thumbs", "crops", "videos"):
        orphans = _old_files(kind)
        for name in _named(kind):
            orphans.pop(name, None)
        names = sorted(orphans)
        for start in range(0, len(names), _CHUNK):
            removed += _remove(kind, {name: orphans[name] for name in names[start : start + _CHUNK]})
    if removed:
        logger.warning("removed %s files that belonged to nothing", removed)
    return removed


def _remove(kind: str, orphans: dict[str, Path]) -> int:
    with transaction.atomic():
        # Whoever makes a row of such a file holds the same lock and puts the file there under it.
        lock_gallery_state()
        for name in _named(kind, among=list(orphans)):
            orphans.pop(name, None)
        for path in orphans.values():
            path.unlink(missing_ok=True)
    return len(orphans)


def _named(kind: str, among: list[str] | None = None) -> Iterable[str]:
    if kind == "crops":
        crops = Face.objects.order_by().values_list("crop", flat=True)
        return (crops if among is None else crops.filter(crop__in=among)).iterator(chunk_size=5000)
    rows = Video.objects.filter(source="") if kind == "videos" else Photo.objects.all()
    sums = rows.order_by().values_list("sha256", flat=True)
    return (sums if among is None else sums.filter(sha256__in=among)).iterator(chunk_size=5000)


def _old_files(kind: str) -> dict[str, Path]:
    """By the sum that is their name."""
    folder: Path = settings.FACEVAULT_DATA / kind
    end = time.time() - _OLD_SECONDS
    found = {}
    for path in folder.glob("??/*"):
        with suppress(FileNotFoundError):  # deleted with its photo while the folder is read
            if path.is_file() and path.stat().st_mtime < end:
                found[path.stem] = path
    return found
