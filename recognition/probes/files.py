"""The files of a search by face or by look, all in one folder under its public id, readable by this account alone.

probes/<probe_id>.jpg            the picture as it came, until its faces are found
probes/<probe_id>-preview.jpg    re-encoded, without metadata
probes/<probe_id>-<n>.jpg        its n-th face
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from recognition.models import LookProbe, Probe
from recognition.storage import SUFFIXES, write_file

# A file is there a moment before its row; what is older than this and has none was left by a killed process.
_ORPHAN_SECONDS = 10 * 60


def picture_path(probe_id: uuid.UUID, photo_format: str) -> Path:
    return _folder() / f"{probe_id}.{SUFFIXES[photo_format]}"


def find_picture(probe_id: uuid.UUID) -> Path | None:
    """The picture as it came, whatever its format; none once its faces are found."""
    paths = (picture_path(probe_id, photo_format) for photo_format in SUFFIXES)
    return next((path for path in paths if path.exists()), None)


def probe_preview_path(probe_id: uuid.UUID) -> Path:
    return _folder() / f"{probe_id}-preview.jpg"


def probe_crop_path(probe_id: uuid.UUID, number: int) -> Path:
    return _folder() / f"{probe_id}-{number}.jpg"


def replace_file(path: Path, data: bytes) -> None:
    """Write it whole; what an attempt that was cut short left there may be of another embedder's faces."""
    path.unlink(missing_ok=True)
    write_file(path, data)


def remove_picture(probe_id: uuid.UUID) -> None:
    for photo_format in SUFFIXES:
        picture_path(probe_id, photo_format).unlink(missing_ok=True)


def remove_files(probe_ids: Iterable[uuid.UUID]) -> None:
    """Everything of these searches."""
    wanted = {str(probe_id) for probe_id in probe_ids}
    if wanted:
        for probe_id, paths in _files_by_probe().items():
            if probe_id in wanted:
                _unlink(paths)


def remove_leftovers() -> int:
    """Delete what nobody needs any more: files without a row, and pictures whose search is over; returns how many."""
    # The files first: a search that begins after this look has none among them.
    files = _files_by_probe()
    states = dict(Probe.objects.order_by().values_list("probe_id", "state"))
    states |= dict(LookProbe.objects.order_by().values_list("probe_id", "state"))
    over = {Probe.State.DONE, Probe.State.FAILED}
    removed = 0
    for name, paths in files.items():
        probe_id = _parse(name)
        state = states.get(probe_id) if probe_id else None
        if state is None:
            removed += _unlink(path for path in paths if _age(path) > _ORPHAN_SECONDS)
        elif state in over:
            removed += _unlink(path for path in paths if path.stem == name)
    return removed


def _folder() -> Path:
    folder: Path = settings.FACEVAULT_DATA / "probes"
    return folder


def _files_by_probe() -> dict[str, list[Path]]:
    """By public id. A file of another name is nobody's, and listed under its own."""
    found: defaultdict[str, list[Path]] = defaultdict(list)
    if _folder().is_dir():
        for path in _folder().iterdir():
            found[path.name[:36]].append(path)
    return found


def _parse(name: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(name)
    except ValueError:
        return None


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _unlink(paths: Iterable[Path]) -> int:
    removed = 0
    for path in paths:
        with suppress(FileNotFoundError):
            path.unlink()
            removed += 1
    return removed
