"""The files of a demo vault: every photo drawn with its people; photos of the same people may share one picture."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognition.demo.cast import Occasion
from recognition.demo.looks import Look, Outfit, make_look, make_outfit
from recognition.demo.scenes import DrawnFace, DrawnScene, draw_scene
from recognition.detection import cut_crop
from recognition.geometry import Box, Pose, estimate_pose
from recognition.images import encode_jpeg, shrink
from recognition.ingest import CROP_MARGIN, CROP_SIDE, PREVIEW_SIDE, THUMB_SIDE
from recognition.models import Face, Photo
from recognition.quality import measure_sharpness
from recognition.storage import crop_path, original_path, preview_path, thumb_path

_SIZE, _SHARED_SIZE = (1800, 1200), (900, 600)
_SMOOTHING, _SHARED_SMOOTHING = 3, 2


@dataclass(frozen=True, slots=True)
class Shot:
    """A face on a written photo: where it is, how it is turned, the sha256 of its crop, and how sharp that is."""

    box: Box
    landmarks: list[list[float]]
    pose: Pose
    crop: str
    sharpness: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A photo whose files are written; the fields of its row that the files decide."""

    sha256: str
    byte_size: int
    width: int
    height: int
    shots: list[Shot]


class Studio:
    """`shared`: the same looks get the same picture again, but never twice in one event."""

    def __init__(self, *, seed: int, shared: bool) -> None:
        self._seed = seed
        self._shared = shared
        self._pictures: dict[tuple[tuple[int, ...], int], Picture] = {}
        self._shown: Counter[tuple[int, tuple[int, ...]]] = Counter()

    def take(self, looks: Sequence[int], *, number: int, event: int, occasion: Occasion) -> Picture:
        """The `number`-th photo of the vault, with people of these looks on it, in this order."""
        if not self._shared:
            rng = np.random.default_rng([self._seed, 1, number])
            dressed = [self._dress(look, event) for look in looks]
            width, height = _SIZE
            place = occasion.backdrop
            return _write(
                draw_scene(dressed, rng, width=width, height=height, place=place, smoothing=_SMOOTHING)
            )
        group = tuple(looks)
        turn = self._shown[event, group]
        self._shown[event, group] += 1
        if (group, turn) not in self._pictures:
            self._pictures[group, turn] = self._draw_shared(group, turn)
        return self._pictures[group, turn]

    def _dress(self, look: int, day: int) -> tuple[Look, Outfit]:
        drawn = make_look(look)
        return drawn, make_outfit(drawn, np.random.default_rng([self._seed, 2, look, day]))

    def _draw_shared(self, group: tuple[int, ...], turn: int) -> Picture:
        rng = np.random.default_rng([self._seed, 3, turn, *group])
        # The turns are photos of one day: the clothes and the place stay.
        people = [self._dress(look, 0) for look in group]
        width, height = _SHARED_SIZE
        place = sum(group)
        return _write(
            draw_scene(people, rng, width=width, height=height, place=place, smoothing=_SHARED_SMOOTHING)
        )


def _write(scene: DrawnScene) -> Picture:
    rgb = scene.rgb
    data = encode_jpeg(rgb, quality=92)
    photo = Photo(sha256=hashlib.sha256(data).hexdigest(), format="JPEG")
    _put(original_path(photo.sha256, photo.format), data)
    _put(preview_path(photo), encode_jpeg(shrink(rgb, PREVIEW_SIDE), quality=85))
    _put(thumb_path(photo), encode_jpeg(shrink(rgb, THUMB_SIDE), quality=80))
    return Picture(
        photo.sha256, len(data), rgb.shape[1], rgb.shape[0], [_shoot(rgb, face) for face in scene.faces]
    )


def _shoot(rgb: NDArray[np.uint8], face: DrawnFace) -> Shot:
    crop = encode_jpeg(cut_crop(rgb, face.box, margin=CROP_MARGIN, side=CROP_SIDE), quality=88)
    sha256 = hashlib.sha256(crop).hexdigest()
    _put(crop_path(Face(crop=sha256)), crop)
    # The sharpness is that of the face alone.
    tight = cut_crop(rgb, face.box, margin=0.0, side=CROP_SIDE)
    return Shot(
        box=face.box,
        landmarks=[[round(float(x), 2), round(float(y), 2)] for x, y in face.landmarks],
        pose=estimate_pose(face.landmarks),
        crop=sha256,
        sharpness=round(measure_sharpness(tight), 2),
    )


def _put(path: Path, data: bytes) -> None:
    """Without waiting for the disk, as `write_file` does for what cannot be drawn again: that takes longer than the drawing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(data)
    part.replace(path)
