"""Embedding files into an event: photo by photo in batches; the rows themselves say how far it has come."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path, PurePosixPath

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from recognition.crash_points import crash_point
from recognition.embedders import Embedder
from recognition.embedding_files import BadFiles
from recognition.embedding_files.files_below import find_below
from recognition.embedding_files.source import Source
from recognition.embedding_files.workbench import Entry
from recognition.images import PhotoRefused
from recognition.models import Event, FaceImport
from recognition.outside_faces import OutsideFace, OutsidePhoto, RefusedFace, Written, write_outside_photos
from recognition.outside_faces.describing import read_crop
from recognition.text import clean_name
from recognition.vectors import BadVector, check_vectors

_FACES_AT_ONCE = 256
_PHOTOS_AT_ONCE = 64
# More faces than these are on another stand-in of the same photo: comparing boxes takes the square of their number.
_FACES_PER_PHOTO = 200
_SAMPLE = 1000
# What another run may put right; until then the import is not finished.
_PASSING = {"photo_waiting", "unreadable", "no_space"}
_NOTHING = "It has no vector, and neither its crop nor its photo is here. Name their folder with --photos."


@dataclass(slots=True, kw_only=True)
class EmbeddingImport:
    """`refuse` hears of rows that are left out (face id, code, reason), `tell` of how many rows were looked at."""

    face_import: FaceImport
    source: Source
    photos: Path | None
    embedder: Embedder | None
    refuse: Callable[[str, str, str], None]
    tell: Callable[[int], object]
    written: Written = field(default_factory=Written)
    _again: bool = False

    def run(self) -> Written:
        """Write what is missing. Raises what write_outside_photos raises."""
        for batch in _batches(self._photos()):
            done = write_outside_photos(face_import=self.face_import, photos=batch, embedder=self.embedder)
            for one in done.refused:
                self._leave_out(one)
            self.written += done
            self.tell(sum(len(photo.faces) for photo in batch))
        if not self._again:
            there = self.face_import.imported_faces.count()
            rows = FaceImport.objects.filter(pk=self.face_import.pk)
            rows.update(finished_at=timezone.now(), faces_done=there)
        return self.written

    def _photos(self) -> Iterator[OutsidePhoto]:
        for image, group in groupby(self.source.bench.entries(), key=lambda entry: entry.photo):
            path = find_below(self._folders(), image)
            size = _FACES_PER_PHOTO if image else _FACES_AT_ONCE
            for part, entries in enumerate(_in_blocks(group, size)):
                faces = self._faces(entries, crops=path is None)
                if image and faces:
                    yield OutsidePhoto(
                        name=_name_of(image), key=f"photo {part} {image}", path=path, faces=faces
                    )
                elif not image:
                    yield from (_alone(face) for face in faces)

    def _faces(self, entries: Sequence[Entry], *, crops: bool) -> list[OutsideFace]:
        """Those that can be taken; their `crops` are read where their photo is not here."""
        vectors = self._vectors(entries)
        found = []
        for entry in entries:
            if entry.row is not None and entry.face_id not in vectors:
                continue
            pixels = self._pixels(entry) if crops else None
            if entry.row is None and crops and pixels is None:
                self._leave_out(
                    RefusedFace(external_id=entry.face_id, code="nothing_of_it", message=_NOTHING)
                )
                continue
            found.append(self._face(entry, vectors.get(entry.face_id), pixels))
        return found

    def _face(
        self, entry: Entry, vector: NDArray[np.float32] | None, pixels: NDArray[np.uint8] | None
    ) -> OutsideFace:
        details: dict[str, object] = {}
        if entry.row is not None:
            details["index"] = entry.index_text
        if entry.at is not None:
            details |= {"at": entry.at, "metadata": entry.metadata_text}
        without = self.source.vectors.count if self.source.vectors is not None else 0
        return OutsideFace(
            external_id=entry.face_id,
            # Behind the vectors come those that have none, in the metadata's order.
            row=entry.row if entry.row is not None else without + (entry.at or 0),
            box=entry.box,
            score=entry.score,
            pixels=pixels,
            vectors={} if vector is None else {self.face_import.embedder_id: vector},
            details=details,
        )

    def _vectors(self, entries: Sequence[Entry]) -> dict[str, NDArray[np.float32]]:
        """The sound vectors by face id; the others are told."""
        with_row = [entry for entry in entries if entry.row is not None]
        if self.source.vectors is None or not with_row:
            return {}
        rows = [entry.row for entry in with_row if entry.row is not None]
        found = {}
        for entry, vector in zip(with_row, self.source.vectors.read(rows), strict=True):
            try:
                check_vectors(vector[np.newaxis], self.source.vectors.dimension)
            except BadVector as error:
                message = f"{str(error)[:1].upper()}{str(error)[1:]}. Make it again; it must have length 1."
                self._leave_out(RefusedFace(external_id=entry.face_id, code="bad_vector", message=message))
            else:
                found[entry.face_id] = vector
        return found

    def _pixels(self, entry: Entry) -> NDArray[np.uint8] | None:
        path = find_below(self._folders(), entry.crop)
        if path is None:
            return None
        try:
            return read_crop(path)
        except PhotoRefused as refusal:
            # Its vector is sound all the same: it comes without the crop.
            self.refuse(f"{entry.face_id}: {entry.crop}", refusal.code, refusal.message)
        except OSError as error:
            self.refuse(
                f"{entry.face_id}: {entry.crop}", "unreadable", f"It cannot be read ({error.strerror})."
            )
        return None

    def _folders(self) -> list[Path]:
        return [self.source.folder] if self.photos is None else [self.photos, self.source.folder]

    def _leave_out(self, one: RefusedFace) -> None:
        self._again |= one.code in _PASSING
        self.refuse(one.external_id, one.code, one.message)


def begin_import(*, event: Event, source: Source, fingerprint: str, embedder_id: str) -> FaceImport:
    """The import of these files, begun now or before. Raises BadFiles."""
    _check_sample(source)
    details: dict[str, object] = {}
    if source.vectors is not None and source.index is not None:
        details["npy_header"] = base64.b64encode(source.vectors.header).decode()
        details |= {"vectors": source.vectors.count, "dimension": source.vectors.dimension}
        details |= {"index_header": source.index.header, "index_tail": source.index.tail}
    if source.metadata is not None:
        details |= {"metadata_header": source.metadata.header, "metadata_tail": source.metadata.tail}
        details["metadata_names"] = source.metadata.names
    face_import, created = FaceImport.objects.get_or_create(
        event=event,
        fingerprint=fingerprint,
        defaults={
            "kind": FaceImport.Kind.EMBEDDING_FILES,
            "embedder_id": embedder_id,
            "faces_total": source.counts.faces,
            "details": details,
        },
    )
    crash_point("embedding_import_begun")
    if not created and face_import.embedder_id != embedder_id:
        raise BadFiles(
            f"These files were begun to be imported as vectors of {face_import.embedder_id}. Say --embedder or "
            "--imported-as as you did then, or delete their photos from the event first."
        )
    return face_import


def _check_sample(source: Source) -> None:
    """One look at the beginning: a million refused rows say less than one sentence."""
    if source.vectors is None or not source.vectors.count:
        return
    some = source.vectors.read(range(min(_SAMPLE, source.vectors.count))).astype(np.float64)
    if not (np.abs(np.linalg.norm(some, axis=1) - 1) < 1e-3).any():
        raise BadFiles(
            "The vectors are not of length 1. Divide each by its length and save the file again: "
            "`vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)`."
        )


def _alone(face: OutsideFace) -> OutsidePhoto:
    return OutsidePhoto(name=f"Face {face.external_id}"[-255:], key=f"face {face.external_id}", faces=[face])


def _name_of(image: str) -> str:
    return clean_name(PurePosixPath(image.replace("\\", "/")).name)[-255:] or "unnamed"


def _in_blocks(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    block: list[Entry] = []
    for entry in entries:
        block.append(entry)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _batches(photos: Iterator[OutsidePhoto]) -> Iterator[list[OutsidePhoto]]:
    batch: list[OutsidePhoto] = []
    faces = 0
    for photo in photos:
        if batch and (faces + len(photo.faces) > _FACES_AT_ONCE or len(batch) == _PHOTOS_AT_ONCE):
            yield batch
            batch, faces = [], 0
        batch.append(photo)
        faces += len(photo.faces)
    if batch:
        yield batch
