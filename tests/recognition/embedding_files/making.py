"""Folders of embedding files as batch pipelines write them, and what they look like after a way through FaceVault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from recognition.embedding_files import INDEX, METADATA, VECTORS
from tests.factories import unit_vectors
from tests.fakes import draw_photo
from tests.recognition.outside_faces.making import crop_of

DIMENSION = 12
HEADER = "face_id,image_path,x1,y1,x2,y2,confidence,crop_path"


def metadata_line(number: int) -> str:
    """Two faces on each photo."""
    left = 20 + 80 * (number % 2)
    return f"face_{number},images/{number // 2}.png,{left}.5,100,{left + 60},160.25,0.99{number},crops/{number}.png"


def make_folder(
    folder: Path,
    *,
    faces: int = 5,
    header: str = HEADER,
    lines: Sequence[str] | None = None,
    ids: Sequence[str] | None = None,
    end: str = "\n",
    bom: bool = False,
    dimension: int = DIMENSION,
) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / VECTORS, unit_vectors(faces, dimension, seed=faces))
    ids = [f"face_{number}" for number in range(faces)] if ids is None else ids
    lines = [metadata_line(number) for number in range(faces)] if lines is None else lines
    write_text(folder / INDEX, ["face_id", *ids], end=end, bom=bom)
    write_text(folder / METADATA, [header, *lines], end=end, bom=bom)
    return folder


def write_text(path: Path, lines: Sequence[str], *, end: str = "\n", bom: bool = False) -> None:
    text = "".join(f"{line}{end}" for line in lines)
    path.write_bytes(text.encode("utf-8-sig" if bom else "utf-8"))


def add_crops(folder: Path, faces: int, *, color: str = "red") -> None:
    (folder / "crops").mkdir(exist_ok=True)
    for number in range(faces):
        Image.fromarray(crop_of(color)).save(folder / "crops" / f"{number}.png")


def add_photos(folder: Path, photos: int) -> None:
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number in range(photos):
        (folder / "images" / f"{number}.png").write_bytes(draw_photo("red", "green", salt=number))


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        name: (folder / name).read_bytes() for name in (VECTORS, INDEX, METADATA) if (folder / name).exists()
    }
