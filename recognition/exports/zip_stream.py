"""An export as a ZIP that is sent while it is made: one photo at a time is in memory, never more."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import IO

from django.utils import timezone

from access.roles import User
from recognition.exports.containers import Pieces
from recognition.exports.copies import CannotCarryNames, write_names
from recognition.exports.csv_list import begin_list, write_rows
from recognition.exports.entry_names import LIST, MISSING, WITHOUT_NAMES
from recognition.exports.selection import ExportScope, SelectedPhoto, read_selection
from recognition.models import Photo
from recognition.storage import original_path, scratch_folder

# Fewer, larger pieces: each costs the web server a write.
_PIECE = 256 * 1024
_LIST_IN_MEMORY = 1024 * 1024
_EVENTS = "FaceVault events "


def stream_zip(
    *, user: User, scope: ExportScope, on_photo: Callable[[int], None] | None = None
) -> Iterator[bytes]:
    """The ZIP, piece by piece; photos are stored as they are, since pixels do not get smaller by being packed again.

    `on_photo` is told how many photos are done, also while one is being written. A photo whose original is gone is
    named in missing.txt, one that could not take its names in without-names.txt.
    """
    out = ZipPieces()
    archive = zipfile.ZipFile(out, "w", zipfile.ZIP_STORED)
    try:
        yield from _write_all(archive, out, user=user, scope=scope, on_photo=on_photo)
    finally:
        # Also when the download is broken off: an archive that nobody closed complains at its own end.
        archive.close()
    yield from out.take()


def read_events(file: IO[bytes]) -> frozenset[int]:
    """The primary keys of the events whose photos are in an export: who lost one of them must not get the file."""
    with zipfile.ZipFile(file) as archive:
        text = archive.comment.decode(errors="replace")
    if not text.startswith(_EVENTS):
        raise zipfile.BadZipFile("not an export")
    return frozenset(int(part) for part in text.removeprefix(_EVENTS).split(",") if part)


class ZipPieces:
    """What a ZipFile writes to: it cannot be searched, and is emptied after every photo and within it."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing below that holds anything back."""

    def close(self) -> None:
        """What was written is still to be taken."""

    def take(self) -> Iterator[bytes]:
        pieces, self._pieces = self._pieces, []
        if pieces:
            yield b"".join(pieces) if len(pieces) > 1 else pieces[0]


def _write_all(
    archive: zipfile.ZipFile,
    out: ZipPieces,
    *,
    user: User,
    scope: ExportScope,
    on_photo: Callable[[int], None] | None,
) -> Iterator[bytes]:
    events: set[int] = set()
    missing: list[str] = []
    nameless: list[str] = []
    tell = on_photo or (lambda done: None)
    # The list is made of what really went into the ZIP; a long one goes to disk, where a kill leaves nothing of it.
    with tempfile.SpooledTemporaryFile(_LIST_IN_MEMORY, dir=str(scratch_folder())) as rows:
        rows.write(begin_list())
        done = 0
        for selected in read_selection(user=user, scope=scope):
            events.add(selected.photo.event_id)
            tell(done)
            for piece in _write_photo(
                archive, out, selected, scope=scope, missing=missing, nameless=nameless
            ):
                yield piece
                tell(done)
            rows.write(write_rows(selected))
            done += 1
        tell(done)
        rows.seek(0)
        with archive.open(dated_entry(LIST, timezone.now()), "w") as entry:
            while piece := rows.read(_PIECE):
                entry.write(piece)
                yield from out.take()
    for name, intro, entries in (
        (
            MISSING,
            "The files of these photos are gone from the server. Upload them to their event again.",
            missing,
        ),
        (
            WITHOUT_NAMES,
            "These copies are as they were uploaded: names could not be written into them.",
            nameless,
        ),
    ):
        if entries:
            # Windows' own editor, too, shows one photo per line.
            text = "\r\n".join([intro, "", *entries, ""])
            archive.writestr(dated_entry(name, timezone.now()), text.encode("utf-8-sig"))
    archive.comment = (_EVENTS + ",".join(map(str, sorted(events)))).encode()[:65_535]


def _write_photo(
    archive: zipfile.ZipFile,
    out: ZipPieces,
    selected: SelectedPhoto,
    *,
    scope: ExportScope,
    missing: list[str],
    nameless: list[str],
) -> Iterator[bytes]:
    photo = selected.photo
    try:
        original = original_path(photo.sha256, photo.format).open("rb")
    except OSError:
        missing.append(selected.entry)
        return
    with original:
        named: Pieces | None = None
        if scope.with_names and selected.sightings:
            try:
                named = write_names(original, photo, selected.sightings)
            except CannotCarryNames:
                nameless.append(selected.entry)
                original.seek(0)
        with archive.open(_photo_entry(selected.entry, photo), "w") as entry:
            if named is not None:
                for part in named:
                    for start in range(0, len(part), _PIECE):
                        entry.write(part[start : start + _PIECE])
                        yield from out.take()
            else:
                while piece := original.read(_PIECE):
                    entry.write(piece)
                    yield from out.take()
    yield from out.take()


def _photo_entry(path: str, photo: Photo) -> zipfile.ZipInfo:
    entry = dated_entry(path, photo.taken_at)
    # Says whether the entry's own header needs room for sizes above 4 GB.
    entry.file_size = photo.byte_size
    return entry


def dated_entry(path: str, when: datetime) -> zipfile.ZipInfo:
    """A file that everybody may read, dated in the office's zone: a ZIP knows neither zones nor years before 1980."""
    local = timezone.localtime(when)
    year = min(max(local.year, 1980), 2107)
    entry = zipfile.ZipInfo(path, (year, *local.timetuple()[1:6]))
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    return entry
