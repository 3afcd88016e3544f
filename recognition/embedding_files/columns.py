"""Which column of a metadata file means what, and what a row of it says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recognition.embedding_files import BadFiles
from recognition.geometry import Box

_FACE_ID = ("face_id", "faceid", "face", "id")
_IMAGE = ("image_path", "image", "path", "file", "file_path", "filename", "file_name", "photo", "photo_path")
_CROP = ("crop_path", "crop", "crop_file", "face_path", "face_crop")
_SCORE = ("score", "confidence", "det_score", "detector_score", "prob", "probability")
_BOX = ("bbox", "box", "bounding_box")
# By left, top, and then width and height, or right and bottom.
_SIZED = (("x", "y", "w", "h"), ("left", "top", "width", "height"), ("x", "y", "width", "height"))
_CORNERED = (("x1", "y1", "x2", "y2"), ("left", "top", "right", "bottom"), ("xmin", "ymin", "xmax", "ymax"))
_PREFIXES = ("", "bbox_", "box_")


class BadRow(ValueError):
    """A row that cannot be read; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataRow:
    face_id: str
    image: str
    crop: str
    box: Box | None
    score: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """`read_as` says it in words: "box" -> "x1, y1, x2, y2"."""

    read_as: dict[str, str]
    unread: list[str]
    read: Callable[[Sequence[str]], MetadataRow]
    face_id: Callable[[Sequence[str]], str]


def find_columns(names: Sequence[str], *, file_name: str) -> Columns:
    """By the names of the columns, in lower case; raise BadFiles where no column is the face's id."""
    if len(set(names)) != len(names):
        raise BadFiles(f"{file_name} has two columns of one name. Rename one of them.")
    places = {name: place for place, name in enumerate(names)}
    face_id = _first(places, _FACE_ID)
    if face_id is None:
        raise BadFiles(
            f"{file_name} has no column face_id (its columns: {', '.join(names)}). Add one that names each face."
        )
    image, crop, score = (_first(places, aliases) for aliases in (_IMAGE, _CROP, _SCORE))
    box_columns, read_box = _find_box(places)
    read_as = {
        "face_id": face_id,
        "image_path": image or "",
        "box": ", ".join(box_columns),
        "score": score or "",
        "crop_path": crop or "",
    }
    used = {face_id, image, crop, score, *box_columns}

    def read(cells: Sequence[str]) -> MetadataRow:
        if len(cells) != len(names):
            raise BadRow(f"it has {len(cells)} cells and not {len(names)}")
        return MetadataRow(
            face_id=cells[places[face_id]].strip(),
            image=cells[places[image]].strip() if image else "",
            crop=cells[places[crop]].strip() if crop else "",
            box=read_box([cells[places[name]].strip() for name in box_columns]),
            score=_number(cells[places[score]].strip(), "score") if score else None,
        )

    return Columns(
        read_as=read_as,
        unread=[name for name in names if name not in used],
        read=read,
        face_id=lambda cells: cells[places[face_id]].strip(),
    )


def find_index_column(names: Sequence[str], *, file_name: str) -> int:
    """Where the index says the face's id."""
    for alias in _FACE_ID:
        if alias in names:
            return list(names).index(alias)
    raise BadFiles(
        f"{file_name} has no column face_id (its columns: {', '.join(names)}). It needs one, with a row per vector."
    )


def _first(places: dict[str, int], aliases: Sequence[str]) -> str | None:
    return next((alias for alias in aliases if alias in places), None)


def _find_box(places: dict[str, int]) -> tuple[list[str], Callable[[list[str]], Box | None]]:
    for prefix in _PREFIXES:
        for group in _SIZED:
            if all(f"{prefix}{name}" in places for name in group):
                return [f"{prefix}{name}" for name in group], _read_sized
        for group in _CORNERED:
            if all(f"{prefix}{name}" in places for name in group):
                return [f"{prefix}{name}" for name in group], _read_cornered
    whole = _first(places, _BOX)
    return ([whole], _read_whole) if whole is not None else ([], lambda cells: None)


def _read_sized(cells: list[str]) -> Box | None:
    numbers = _numbers(cells)
    if numbers is None:
        return None
    left, top, width, height = numbers
    return _checked(left, top, left + width, top + height)


def _read_cornered(cells: list[str]) -> Box | None:
    numbers = _numbers(cells)
    return None if numbers is None else _checked(*numbers)


def _read_whole(cells: list[str]) -> Box | None:
    """Such as "[x1, y1, x2, y2]", "(x1 y1 x2 y2)" or a JSON object with the names of the columns above."""
    text = cells[0]
    if not text:
        return None
    if text.startswith("{"):
        try:
            named = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadRow("its box is no JSON") from error
        names = {str(name).lower(): str(value) for name, value in named.items()}
        columns, read = _find_box(dict.fromkeys(names, 0))
        if len(columns) != 4:
            raise BadRow("its box names no corners")
        return read([names[name] for name in columns])
    parts = text.strip("[]()").replace(",", " ").replace(";", " ").split()
    if len(parts) != 4:
        raise BadRow("its box is not four numbers")
    return _read_cornered(parts)


def _numbers(cells: list[str]) -> tuple[float, float, float, float] | None:
    """None where the row says no box; raise BadRow where it says half a one."""
    if not any(cells):
        return None
    left, top, third, fourth = (_number(cell, "box") for cell in cells)
    if left is None or top is None or third is None or fourth is None:
        raise BadRow("its box is not four numbers")
    return left, top, third, fourth


def _checked(left: float, top: float, right: float, bottom: float) -> Box:
    if not (right > left and bottom > top):
        raise BadRow("its box is empty")
    if max(map(abs, (left, top, right, bottom))) > 1e6:
        raise BadRow("its box is larger than any photo")
    return Box(left, top, right, bottom)


def _number(text: str, what: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError as error:
        raise BadRow(f"its {what} is no number") from error
    if not math.isfinite(number):
        raise BadRow(f"its {what} is no number")
    return number
