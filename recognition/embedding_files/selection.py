"""Which faces an export writes, in which order, and the text of their rows: of an import as it came, else our own columns."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from django.db.models import QuerySet
from django.db.models.fields.json import KT
from numpy.typing import NDArray

from recognition.embedding_files.npy import make_header
from recognition.models import Embedding, Event, Face, FaceImport, ImportedFace, Photo
from recognition.storage import SUFFIXES
from recognition.text import clean_name

_COLUMNS = (
    "face_id", "image_path", "left", "top", "width", "height", "score", "crop_path",
    "image_name", "event", "import", "external_id",
)  # fmt: skip
_READ_AT_ONCE = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRow:
    """`index` is the text of its row in the index, `vector` its bytes."""

    index: str
    vector: bytes


class FacesGone(Exception):
    """Some of the chosen faces were deleted since, or their vectors."""


class Selection(Protocol):
    """What is exported. Its reads raise FacesGone. `vector_faces` and `metadata_faces` are primary keys of faces in the order of their rows."""

    @property
    def embedder_id(self) -> str: ...
    @property
    def vector_faces(self) -> NDArray[np.int64]: ...
    @property
    def metadata_faces(self) -> NDArray[np.int64]: ...
    @property
    def npy_header(self) -> bytes: ...
    @property
    def index_ends(self) -> tuple[str, str]:
        """What stands before the first and after the last row."""

    @property
    def metadata_ends(self) -> tuple[str, str]: ...
    @property
    def missing(self) -> int:
        """Faces that were deleted since they were imported, or have no vector of the embedder."""

    def read_vectors(self, faces: Sequence[int]) -> list[VectorRow]: ...
    def read_metadata(self, faces: Sequence[int]) -> list[str]: ...


class AsImported:
    """The faces of one import, in its own order and words."""

    def __init__(self, face_import: FaceImport) -> None:
        self._import = face_import
        self._details: dict[str, Any] = face_import.details
        self.embedder_id = face_import.embedder_id
        rows = ImportedFace.objects.filter(face_import=face_import)
        with_vector = rows.filter(row__lt=self._vectors).order_by("row")
        self.vector_faces = _keys(with_vector.values_list("face_id", flat=True))
        placed = rows.filter(details__has_key="at").annotate(at=KT("details__at")).order_by()
        places = placed.values_list("at", "face_id").iterator(_READ_AT_ONCE)
        pairs = np.fromiter(((int(at), face) for at, face in places), dtype=np.dtype((np.int64, 2)))
        self.metadata_faces = pairs[np.argsort(pairs[:, 0], kind="stable"), 1]
        self.missing = max(0, face_import.faces_total - rows.count())

    @property
    def _vectors(self) -> int:
        return int(self._details.get("vectors", 0))

    @property
    def npy_header(self) -> bytes:
        if "npy_header" not in self._details:
            return b""
        header = base64.b64decode(self._details["npy_header"])
        # Another count makes another header; the same one is written as it came.
        if len(self.vector_faces) == self._vectors:
            return header
        return make_header(len(self.vector_faces), int(self._details["dimension"]))

    @property
    def index_ends(self) -> tuple[str, str]:
        return self._details.get("index_header", ""), self._details.get("index_tail", "")

    @property
    def metadata_ends(self) -> tuple[str, str]:
        return self._details.get("metadata_header", ""), self._details.get("metadata_tail", "")

    def read_vectors(self, faces: Sequence[int]) -> list[VectorRow]:
        vectors = _read_stored(self.embedder_id, faces)
        rows = ImportedFace.objects.filter(face__in=faces).order_by()
        said = {
            face: (index, theirs)
            for face, index, theirs in rows.values_list("face_id", "details__index", "details__vectors")
        }
        found = []
        for face in _still_there(faces, said):
            index, theirs = said[face]
            # Where this installation made its own of the same pixels, theirs is kept beside it.
            kept = (theirs or {}).get(self.embedder_id)
            vector = base64.b64decode(kept) if kept else vectors.get(face)
            if vector is None:
                raise FacesGone
            found.append(VectorRow(index=index, vector=vector))
        return found

    def read_metadata(self, faces: Sequence[int]) -> list[str]:
        rows = ImportedFace.objects.filter(face__in=faces).order_by()
        texts = dict(rows.values_list("face_id", "details__metadata"))
        return [texts[face] for face in _still_there(faces, texts)]


class AsStored:
    """Every face with a vector of one embedder, or those of an event, by our own ids and columns."""

    def __init__(
        self, *, embedder_id: str, dimension: int, event: Event | None, up_to: int | None = None
    ) -> None:
        self.embedder_id = embedder_id
        self._dimension = dimension
        faces = Face.objects.filter(photo__event__deleted_at=None)
        if event is not None:
            faces = faces.filter(photo__event=event)
        if up_to is not None:
            faces = faces.filter(pk__lte=up_to)
        embedded = Embedding.objects.filter(embedder_id=embedder_id, face__photo__event__deleted_at=None)
        if event is not None:
            embedded = embedded.filter(face__photo__event=event)
        if up_to is not None:
            embedded = embedded.filter(face__lte=up_to)
        self.vector_faces = _keys(embedded.order_by("face_id").values_list("face_id", flat=True))
        self.metadata_faces = self.vector_faces
        self.missing = faces.count() - len(self.vector_faces)

    @property
    def npy_header(self) -> bytes:
        return make_header(len(self.vector_faces), self._dimension)

    @property
    def index_ends(self) -> tuple[str, str]:
        return "face_id\n", ""

    @property
    def metadata_ends(self) -> tuple[str, str]:
        return _line(_COLUMNS), ""

    def read_vectors(self, faces: Sequence[int]) -> list[VectorRow]:
        vectors = _read_stored(self.embedder_id, faces)
        ids = dict(Face.objects.filter(pk__in=faces).order_by().values_list("pk", "face_id"))
        return [
            VectorRow(index=f"{ids[face]}\n", vector=vectors[face])
            for face in _still_there(faces, ids, vectors)
        ]

    def read_metadata(self, faces: Sequence[int]) -> list[str]:
        # Beside an import that there may not be, the last two are empty.
        rows: Iterable[tuple[Any, ...]] = Face.objects.filter(pk__in=faces).order_by().values_list(
            "pk", "face_id", "left", "top", "width", "height", "detector_score", "photo__sha256", "photo__format",
            "photo__origin", "photo__name", "photo__event__name", "imported__face_import", "imported__external_id",
        )  # fmt: skip
        lines = {}
        for pk, face_id, *measures, sha256, kind, origin, name, event, number, external_id in rows:
            drawn = origin == Photo.Origin.STAND_IN
            lines[pk] = _line(
                [
                    face_id,
                    "" if drawn else photo_entry(sha256, kind),
                    *measures,
                    crop_entry(face_id),
                    *map(_safe, ("" if drawn else name, event)),
                    "" if number is None else number,
                    _safe(external_id or ""),
                ]
            )
        return [lines[face] for face in _still_there(faces, lines)]


def photo_entry(sha256: str, photo_format: str) -> str:
    """Where an export puts a photo."""
    return f"photos/{sha256}.{SUFFIXES[photo_format]}"


def crop_entry(face_id: object) -> str:
    return f"crops/{face_id}.jpg"


def _read_stored(embedder_id: str, faces: Sequence[int]) -> dict[int, bytes]:
    rows = Embedding.objects.with_vectors().filter(embedder_id=embedder_id, face__in=faces).order_by()
    return {face: bytes(vector) for face, vector in rows.values_list("face_id", "vector")}


def _still_there(faces: Sequence[int], *read: Collection[int]) -> Sequence[int]:
    """The same, if all of them were read."""
    if any(face not in found for found in read for face in faces):
        raise FacesGone
    return faces


def _keys(rows: QuerySet[Any, int]) -> NDArray[np.int64]:
    numbers: Iterator[int] = rows.iterator(chunk_size=_READ_AT_ONCE)
    return np.fromiter(numbers, dtype=np.int64)


def _line(cells: Sequence[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def _safe(text: str) -> str:
    """A name that a spreadsheet would run as a formula is text."""
    name = clean_name(text)
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name
