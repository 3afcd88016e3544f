"""The files of a demo vault: every photo drawn with its people; photos of the same people may share one picture."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.demo.cast import Occasion
from recognition.demo.looks import Look, Outfit, make_look, make_outfit
from recognition.demo.scenes import DrawnFace, DrawnScene, draw_scene
from recognition.detection import cut_crop
from recognition.images import encode_jpeg, shrink
from recognition.ingest import CROP_MARGIN, CROP_SIDE, PREVIEW_SIDE, THUMB_SIDE
from recognition.models import Photo
from recognition.quality import measure_sharpness
from recognition.storage import original_path, preview_path, thumb_path, write_crop, write_file

_SIZE, _SHARED_SIZE = (1800, 1200), (900, 600)


@dataclass(frozen=True, slots=True)
class Shot:
    """A face on a written photo: where it is, the sha256 of its crop, and how sharp that is."""

    face: DrawnFace
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
            return _write(draw_scene(dressed, rng, width=_SIZE[0], height=_SIZE[1], place=occasion.backdrop))
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
        people = [self._dress(look, turn) for look in group]
        width, height = _SHARED_SIZE
        return _write(draw_scene(people, rng, width=width, height=height, place=sum(group) + turn))


def _write(scene: DrawnScene) -> Picture:
    rgb = scene.rgb
    data = encode_jpeg(rgb, quality=92)
    photo = Photo(sha256=hashlib.sha256(data).hexdigest(), format="JPEG")
    write_file(original_path(photo.sha256, photo.format), data)
    write_file(preview_path(photo), encode_jpeg(shrink(rgb, PREVIEW_SIDE), quality=85))
    write_file(thumb_path(photo), encode_jpeg(shrink(rgb, THUMB_SIDE), quality=80))
    shots = [Shot(face, *_write_crop(rgb, face)) for face in scene.faces]
    return Picture(photo.sha256, len(data), rgb.shape[1], rgb.shape[0], shots)


def _write_crop(rgb: NDArray[np.uint8], face: DrawnFace) -> tuple[str, float]:
    """The crop's sha256, and the sharpness of the face alone."""
    crop = cut_crop(rgb, face.box, margin=CROP_MARGIN, side=CROP_SIDE)
    tight = cut_crop(rgb, face.box, margin=0.0, side=CROP_SIDE)
    return write_crop(encode_jpeg(crop, quality=88)), measure_sharpness(tight)
