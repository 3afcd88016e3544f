"""Embedding files out of the database, block by block: each is durable before the next, so a kill costs one block.

The files of a run that was killed and resumed are those of one that was not: the faces are chosen at the beginning, and
the note beside the files says which. At the end everything is read back and compared.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.crash_points import crash_point
from recognition.embedding_files import INDEX, METADATA, VECTORS
from recognition.embedding_files.part_files import NOTE, Note, PartFiles, digest_of, sum_of
from recognition.embedding_files.selection import FacesGone, Selection
from recognition.embedding_files.source import REPORT

BLOCK = 5000
# So many blocks are read from the database once more at the end, spread over all of them.
_ASKED_AGAIN = 10


# The faces of a block, and what reads its bytes for each file.
_Planned = tuple[NDArray[np.int64], Callable[[NDArray[np.int64]], dict[str, bytes]]]


class ExportRefused(Exception):
    """The folder cannot take the export; the message says what to do."""


class ExportWrong(Exception):
    """What was written is not what the database says; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """`resumed` rows were there from an interrupted run; `digest` is that of all rows in their order."""

    vectors: int
    metadata: int
    resumed: int
    digest: str


def find_begun(folder: Path, key: str) -> int | None:
    """Up to which face an interrupted export of the same things goes; none where none was begun.

    Raises ExportRefused where files of another export are.
    """
    note = PartFiles(folder).read_note()
    if note is not None and note.key == key:
        return note.up_to
    if note is not None or (folder / NOTE).exists():
        raise ExportRefused(
            f"{folder} holds the beginning of another export. Name another folder, or empty it."
        )
    if any((folder / name).exists() for name in (VECTORS, INDEX, METADATA, REPORT)):
        raise ExportRefused(f"{folder} holds embedding files already. Name another folder, or empty it.")
    return None


@dataclass(slots=True, kw_only=True)
class EmbeddingExport:
    """`key` says what is exported; `on_faces` writes what else belongs to a block of metadata; `tell` hears of rows done."""

    folder: Path
    selection: Selection
    key: str
    tell: Callable[[int], object] = lambda count: None
    on_faces: Callable[[Sequence[int]], object] = lambda faces: None
    block: int = BLOCK

    def run(self) -> Exported:
        """Write it all, or what is missing of it. Raises ExportWrong, and OSError of the folder."""
        try:
            return self._run()
        except FacesGone as error:
            raise ExportWrong(
                "Faces were deleted while they were written. Run the same command again: it begins anew, without them."
            ) from error

    def _run(self) -> Exported:
        files = PartFiles(self.folder)
        note = self._begin(files)
        blocks = list(self._blocks())
        resumed = sum(len(faces) for faces, _ in blocks[: len(note.blocks)])
        self.tell(resumed)
        for faces, read in blocks[len(note.blocks) :]:
            pieces = read(faces)
            if METADATA in pieces:
                self.on_faces(faces.tolist())
            files.add(note, pieces)
            self.tell(len(faces))
        files.close(note, self._tails())
        crash_point("export_files_written")
        digest = self._prove(files, note, blocks)
        self._publish(files, note, digest)
        return Exported(
            vectors=len(self.selection.vector_faces),
            metadata=len(self.selection.metadata_faces),
            resumed=resumed,
            digest=digest,
        )

    def _begin(self, files: PartFiles) -> Note:
        files.remove_leftovers()
        faces = _digest_faces(self.selection)
        note = files.read_note()
        if note is not None and note.faces == faces:
            files.resume(note)
            return note
        # Faces were deleted since it was begun: half of it would be of another moment.
        up_to = max(
            int(keys.max(initial=0)) for keys in (self.selection.vector_faces, self.selection.metadata_faces)
        )
        note = Note(key=self.key, faces=faces, up_to=up_to)
        files.begin(note, self._beginnings())
        return note

    def _beginnings(self) -> dict[str, bytes]:
        found = {}
        if self.selection.npy_header:
            found = {VECTORS: self.selection.npy_header, INDEX: self.selection.index_ends[0].encode()}
        if self.selection.metadata_ends[0]:
            found[METADATA] = self.selection.metadata_ends[0].encode()
        return found

    def _tails(self) -> dict[str, bytes]:
        ends = {INDEX: self.selection.index_ends[1], METADATA: self.selection.metadata_ends[1]}
        return {name: tail.encode() for name, tail in ends.items()}

    def _blocks(self) -> Iterator[_Planned]:
        for faces in _cut_up(self.selection.vector_faces, self.block):
            yield faces, self._read_vectors
        for faces in _cut_up(self.selection.metadata_faces, self.block):
            yield faces, self._read_metadata

    def _read_vectors(self, faces: NDArray[np.int64]) -> dict[str, bytes]:
        rows = self.selection.read_vectors(faces.tolist())
        return {
            VECTORS: b"".join(row.vector for row in rows),
            INDEX: "".join(row.index for row in rows).encode(),
        }

    def _read_metadata(self, faces: NDArray[np.int64]) -> dict[str, bytes]:
        return {METADATA: "".join(self.selection.read_metadata(faces.tolist())).encode()}

    def _prove(
        self,
        files: PartFiles,
        note: Note,
        blocks: Sequence[_Planned],
    ) -> str:
        """Every block in the files is the one that the database gave, and some are what it gives now."""
        again = set(np.linspace(0, len(blocks) - 1, min(_ASKED_AGAIN, len(blocks))).astype(int).tolist())
        places = {name: len(data) for name, data in self._beginnings().items()}
        total = hashlib.sha256()
        for number, (block, (faces, read)) in enumerate(zip(note.blocks, blocks, strict=True)):
            pieces = []
            for name, length in block.lengths.items():
                with files.part(name).open("rb") as file:
                    file.seek(places[name])
                    pieces.append(file.read(length))
                places[name] += length
            sound = digest_of(pieces) == block.digest
            if not sound or (number in again and digest_of(read(faces).values()) != block.digest):
                raise ExportWrong(
                    f"Rows {number * self.block} and following are not what the database says: the disk is broken, or "
                    f"faces were changed meanwhile. Empty {self.folder} and export again."
                )
            total.update(block.digest.encode())
        return total.hexdigest()

    def _publish(self, files: PartFiles, note: Note, digest: str) -> None:
        report = {
            "embedder_id": self.selection.embedder_id,
            "vectors": len(self.selection.vector_faces),
            "metadata_rows": len(self.selection.metadata_faces),
            "row_digest": digest,
            "sha256": {name: sum_of(files.part(name)) for name in note.sizes},
        }
        files.publish(list(note.sizes), REPORT, f"{json.dumps(report, indent=2)}\n".encode())


def _digest_faces(selection: Selection) -> str:
    pieces = [keys.astype("<i8").tobytes() for keys in (selection.vector_faces, selection.metadata_faces)]
    return digest_of(pieces)


def _cut_up(faces: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    return (faces[start : start + size] for start in range(0, len(faces), size))
