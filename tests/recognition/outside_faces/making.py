"""Faces of another program for tests: with a box, a crop, a vector, or none of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.geometry import Box
from recognition.models import Event, FaceImport
from recognition.outside_faces import OutsideFace, OutsidePhoto
from tests.factories import make_event, unit_vectors
from tests.fakes import COLORS

IMPORTED_ID = "imported-theirs-12d"


def make_import(event: Event | None = None, *, fingerprint: str = "f" * 64) -> FaceImport:
    return FaceImport.objects.create(
        kind=FaceImport.Kind.EMBEDDING_FILES,
        event=event or make_event(),
        fingerprint=fingerprint,
        embedder_id=IMPORTED_ID,
    )


def crop_of(color: str, *, width: int = 80, height: int = 80) -> NDArray[np.uint8]:
    """A crop that the drawn detector finds a face on."""
    crop = np.full((height, width, 3), 128, dtype=np.uint8)
    crop[10:-10, 10:-10] = COLORS[color]
    return crop


def outside_face(row: int, **values: object) -> OutsideFace:
    """With a vector of another program's net, unless it says otherwise."""
    given: dict[str, object] = {
        "external_id": f"face-{row}",
        "row": row,
        "vectors": {IMPORTED_ID: unit_vectors(1, 12, seed=row)[0]},
        **values,
    }
    return OutsideFace(**given)  # type: ignore[arg-type]


def outside_photo(*faces: OutsideFace, name: str = "theirs.jpg", path: Path | None = None) -> OutsidePhoto:
    return OutsidePhoto(name=name, faces=faces, path=path)


def box_at(left: float, top: float = 100.0, side: float = 60.0) -> Box:
    return Box(left, top, left + side, top + side)
