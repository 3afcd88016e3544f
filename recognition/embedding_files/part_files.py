"""Files that grow block by block beside a note of what of them is durable; a kill costs what came after the note."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile

from recognition.crash_points import crash_point

NOTE = "export.part.json"
# The files hold biometric data: they are nobody's but their owner's.
_MODE = 0o600


@dataclass(slots=True, kw_only=True)
class Block:
    """Some rows: how many bytes of each file they are, and the digest of those bytes."""

    lengths: dict[str, int]
    digest: str


@dataclass(slots=True, kw_only=True)
class Note:
    """`key` says what is exported, `faces` is a digest of the faces and their order, `up_to` the newest of them."""

    key: str
    faces: str
    up_to: int
    sizes: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


class PartFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read_note(self) -> Note | None:
        try:
            said = json.loads((self._folder / NOTE).read_text(encoding="utf-8"))
            return Note(**{**said, "blocks": [Block(**block) for block in said["blocks"]]})
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def keep_note(self, note: Note) -> None:
        self.write_whole(NOTE, json.dumps(asdict(note)).encode())

    def part(self, name: str) -> Path:
        return self._folder / f"{name}.part"

    def begin(self, note: Note, beginnings: dict[str, bytes]) -> None:
        """Empty files but for what stands before their first row."""
        for name, data in beginnings.items():
            self.part(name).unlink(missing_ok=True)
            self._append(name, data, note)
        self.keep_note(note)

    def resume(self, note: Note) -> None:
        """Cut away what was written behind the note, a tail or half a block."""
        for name, size in note.sizes.items():
            if not self.part(name).exists():
                # Killed while the whole files got their names.
                (self._folder / name).replace(self.part(name))
            with self.part(name).open("r+b") as file:
                file.truncate(size)
                os.fsync(file.fileno())

    def add(self, note: Note, pieces: dict[str, bytes]) -> None:
        """One block, durable before the note says so."""
        for name, data in pieces.items():
            self._append(name, data, note)
            crash_point("export_block_appended")
        lengths = {name: len(data) for name, data in pieces.items()}
        note.blocks.append(Block(lengths=lengths, digest=digest_of(pieces.values())))
        self.keep_note(note)
        crash_point("export_block_noted")

    def close(self, note: Note, tails: dict[str, bytes]) -> None:
        """What stands behind the last rows. It is not in the note: a resumed run cuts it away and writes it again."""
        for name in note.sizes:
            with self.part(name).open("ab") as file:
                file.write(tails.get(name, b""))
                file.flush()
                os.fsync(file.fileno())

    def publish(self, names: list[str], report: str, data: bytes) -> None:
        """Give the whole files their names; the note goes last."""
        for name in names:
            self.part(name).replace(self._folder / name)
            crash_point("export_file_named")
        self.write_whole(report, data)
        crash_point("export_report_written")
        (self._folder / NOTE).unlink(missing_ok=True)
        _sync(self._folder)

    def write_whole(self, name: str, data: bytes) -> None:
        with NamedTemporaryFile(dir=self._folder, prefix=f"{name}.", suffix=".tmp", delete=False) as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
        Path(file.name).replace(self._folder / name)
        _sync(self._folder)

    def remove_leftovers(self) -> None:
        """Of notes that were being written at a kill."""
        for path in self._folder.glob("export.*.tmp"):
            path.unlink(missing_ok=True)

    def _append(self, name: str, data: bytes, note: Note) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        descriptor = os.open(self.part(name), flags, _MODE)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        note.sizes[name] = note.sizes.get(name, 0) + len(data)


def digest_of(pieces: Iterable[bytes]) -> str:
    """Of some bytes, each with its length, so that no other cut gives the same."""
    digest = hashlib.sha256()
    for data in pieces:
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.hexdigest()


def sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
