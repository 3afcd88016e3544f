"""Labeled faces from a folder of folders, one per person: found and embedded in memory, nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.reading import LabeledFaces
from recognition.detection import DetectedFace, FaceDetector
from recognition.embedders import Embedder
from recognition.found_faces import FoundFace
from recognition.geometry import estimate_pose
from recognition.images import PhotoRefused, decode_photo
from recognition.ingest import describe_faces
from recognition.quality import is_poor

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".pgm", ".ppm"}
LEAST = 3
# A face in the background is smaller than the one that the picture is of.
_BACKGROUND = 0.5

# Wraps a list so that its walk is shown, as tqdm does.
Show = Callable[[list[Path]], Iterable[Path]]


class NoPeople(Exception):
    """The folder holds nobody to measure; the message says what it should look like."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A folder below the one that was given, and why nobody of it is measured."""

    folder: str
    reason: str


@dataclass(frozen=True, slots=True)
class FolderFaces:
    """`names` of the people whom `faces` numbers: their folders."""

    faces: LabeledFaces
    names: list[str]
    left_out: list[LeftOut]


def embed_folders(
    root: Path, *, detector: FaceDetector, embedder: Embedder, show: Show = iter
) -> FolderFaces:
    """One person for each folder that holds pictures and no folders of pictures; raises NoPeople.

    A picture counts by its only face, or by the one that is much larger than the others. A folder of fewer than LEAST
    such pictures is left out, and one of which half of the faces or more look like none of the others: it holds several people.
    """
    folders = _find_people(root)
    if not folders:
        raise NoPeople(
            f"{root} holds no pictures in folders. Make one folder for each person, with {LEAST} pictures or more "
            "of their face."
        )
    of_file = {file: folder for folder, files in folders.items() for file in files}
    found: dict[Path, list[FoundFace]] = {folder: [] for folder in folders}
    for file in show(list(of_file)):
        face = _describe(file, detector, embedder)
        if face is not None:
            found[of_file[file]].append(face)
    kept: list[tuple[str, list[FoundFace]]] = []
    left_out: list[LeftOut] = []
    for folder, faces in found.items():
        name = folder.relative_to(root).as_posix()
        reason = _find_reason(faces, embedder.thresholds.suggest)
        if reason:
            left_out.append(LeftOut(name, reason))
        else:
            kept.append((name, faces))
    if len(kept) < 2:
        why = "; ".join(f"{row.folder}: {row.reason}" for row in left_out[:5])
        raise NoPeople(
            f"{root} holds {len(kept)} folder{'s'[: len(kept) != 1]} of one person with {LEAST} pictures or more of one "
            f"face; two are the least to measure. {f'Left out: {why}.' if why else ''}".strip()
        )
    return FolderFaces(_as_arrays(kept, embedder.dimension), [name for name, _ in kept], left_out)


def _find_people(root: Path) -> dict[Path, list[Path]]:
    """Pictures by folder, in order of their names; a folder above another that holds pictures is nobody's."""
    by_folder: dict[Path, list[Path]] = {}
    for file in _pictures(root):
        by_folder.setdefault(file.parent, []).append(file)
    above = {parent for folder in by_folder for parent in folder.parents}
    return {folder: files for folder, files in by_folder.items() if folder not in above and folder != root}


def _pictures(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file())


def _describe(file: Path, detector: FaceDetector, embedder: Embedder) -> FoundFace | None:
    """The face that the picture is of; none where there is no such face or no picture."""
    try:
        rgb = decode_photo(file, portable=True)
    except PhotoRefused:
        return None
    face = _main_face(detector.detect(rgb))
    return describe_faces(rgb, [face], embedder)[0] if face is not None else None


def _main_face(faces: list[DetectedFace]) -> DetectedFace | None:
    """The largest of these, which come largest first, unless the next one rivals it."""
    if not faces or (len(faces) > 1 and faces[1].box.area > _BACKGROUND * faces[0].box.area):
        return None
    return faces[0]


def _find_reason(faces: list[FoundFace], alike: float) -> str:
    if len(faces) < LEAST:
        return f"{len(faces)} picture{'s'[: len(faces) != 1]} of one face"
    vectors = np.stack([face.vector for face in faces])
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -1.0)
    if 2 * np.count_nonzero(similarities.max(axis=1) >= alike) <= len(faces):
        return f"its {len(faces)} faces do not look like one person"
    return ""


def _as_arrays(kept: list[tuple[str, list[FoundFace]]], dimension: int) -> LabeledFaces:
    faces = [face for _, group in kept for face in group]
    people = [number for number, (_, group) in enumerate(kept) for _ in group]
    sizes = [min(face.detected.box.width, face.detected.box.height) for face in faces]
    poor = np.array(
        [is_poor(size, face.detected.score, face.sharpness) for size, face in zip(sizes, faces, strict=True)],
        dtype=np.bool_,
    )
    vectors: NDArray[np.float32] = np.stack([face.vector for face in faces]).reshape(-1, dimension)
    return LabeledFaces(
        face_pks=np.arange(len(faces)),
        vectors=vectors,
        people=np.array(people, dtype=np.int64),
        events=np.zeros(len(faces), dtype=np.int64),
        references=~poor,
        poor=poor,
        sizes=np.array(sizes, dtype=np.float64),
        sharpness=np.array([face.sharpness for face in faces], dtype=np.float64),
        yaws=np.array([estimate_pose(face.detected.landmarks).yaw for face in faces], dtype=np.float64),
    )
