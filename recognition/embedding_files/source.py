"""A folder of embedding files, checked and put together before anything is written."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recognition.embedders import EmbedderUnknown, describe_embedder, imported_id
from recognition.embedding_files import INDEX, METADATA, VECTORS, BadFiles
from recognition.embedding_files.columns import Columns, find_columns, find_index_column
from recognition.embedding_files.csv_text import CsvText
from recognition.embedding_files.npy import NpyRows
from recognition.embedding_files.workbench import Counts, Workbench, open_workbench

REPORT = "export.json"
_CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files of a folder. `vectors` and `index` come together; without them there is metadata with crops alone."""

    folder: Path
    vectors: NpyRows | None
    index: CsvText | None
    metadata: CsvText | None
    columns: Columns | None
    bench: Workbench
    counts: Counts

    def fingerprint(self, tell: Callable[[int], object] = lambda count: None) -> str:
        """Over the sums of the files; `tell` hears how many bytes were read."""
        total = hashlib.sha256()
        for name in (VECTORS, INDEX, METADATA):
            path = self.folder / name
            digest = hashlib.sha256()
            if path.exists():
                with path.open("rb") as file:
                    while chunk := file.read(_CHUNK):
                        digest.update(chunk)
                        tell(len(chunk))
            total.update(digest.digest())
        return total.hexdigest()

    def byte_size(self) -> int:
        names = (VECTORS, INDEX, METADATA)
        return sum((self.folder / name).stat().st_size for name in names if (self.folder / name).exists())


@contextmanager
def open_source(folder: Path, refuse: Callable[[str, str, str], None]) -> Iterator[Source]:
    """Check the files and put their rows together. Raises BadFiles; single bad rows are told to `refuse`."""
    there = {name: (folder / name).is_file() for name in (VECTORS, INDEX, METADATA)}
    if there[VECTORS] != there[INDEX]:
        has, lacks = (VECTORS, INDEX) if there[VECTORS] else (INDEX, VECTORS)
        raise BadFiles(
            f"{folder} has {has} and not {lacks}: neither can be read without the other. Copy both."
        )
    if not there[VECTORS] and not there[METADATA]:
        raise BadFiles(f"{folder} has neither {VECTORS} with {INDEX} nor {METADATA}. Name another folder.")
    metadata = CsvText(folder / METADATA) if there[METADATA] else None
    columns = find_columns(metadata.names, file_name=METADATA) if metadata is not None else None
    with open_workbench(refuse) as bench:
        if not there[VECTORS]:
            yield _put_together(folder, None, bench, metadata, columns)
            return
        with NpyRows(folder / VECTORS) as vectors:
            yield _put_together(folder, vectors, bench, metadata, columns)


def choose_embedder_id(source: Source, *, embedder_id: str | None, imported_as: str | None) -> str:
    """Whose vectors they are: as said, else as an export of our own says, else of an embedder of their own name."""
    if source.vectors is None:
        return ""
    dimension = source.vectors.dimension
    if imported_as is not None:
        try:
            return imported_id(imported_as, dimension)
        except ValueError as error:
            raise BadFiles(f"{error}.") from error
    said = embedder_id or _said_by_report(source.folder, dimension)
    if said is None:
        name = re.sub(r"[^a-z0-9]+", "-", source.folder.resolve().name.lower()).strip("-")[:31].strip("-")
        return imported_id(name or "files", dimension)
    try:
        info = describe_embedder(said)
    except EmbedderUnknown as error:
        raise BadFiles(
            f"{said} is no embedder of this installation. Use --imported-as NAME instead."
        ) from error
    if info.dimension != dimension:
        raise BadFiles(
            f"{said} makes vectors of {info.dimension} numbers, and these have {dimension}. Use --imported-as NAME instead."
        )
    return said


def _put_together(
    folder: Path,
    vectors: NpyRows | None,
    bench: Workbench,
    metadata: CsvText | None,
    columns: Columns | None,
) -> Source:
    index = None
    if vectors is not None:
        index = CsvText(folder / INDEX)
        column = find_index_column(index.names, file_name=INDEX)
        records = bench.add_index(index, column, rows=vectors.count)
        if records != vectors.count:
            raise BadFiles(
                f"{INDEX} names {records:,} faces and {VECTORS} holds {vectors.count:,} vectors: nobody can tell which "
                "belongs to which. Make both again."
            )
    if metadata is not None and columns is not None:
        bench.add_metadata(metadata, columns)
    counts = bench.count()
    if not counts.faces:
        raise BadFiles(f"{folder} names no face that can be read. There is nothing to import.")
    return Source(
        folder=folder,
        vectors=vectors,
        index=index,
        metadata=metadata,
        columns=columns,
        bench=bench,
        counts=counts,
    )


def _said_by_report(folder: Path, dimension: int) -> str | None:
    """What `export_embeddings` has noted beside the files."""
    try:
        with (folder / REPORT).open(encoding="utf-8") as file:
            said = json.loads(file.read(_CHUNK))
        embedder_id = str(said["embedder_id"])
        return embedder_id if describe_embedder(embedder_id).dimension == dimension else None
    except (OSError, ValueError, KeyError, TypeError, EmbedderUnknown, RecursionError):
        return None
