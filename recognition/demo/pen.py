"""Smooth shapes on a turned head: a pen whose unit is the distance between the eyes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from recognition.demo.looks import Color
from recognition.geometry import Pose

# Features lie this far before the axis that the head turns on.
FACE_DEPTH = 0.75
Point = tuple[float, float] | tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Mask:
    """What a shape covers: an "L" image whose upper left corner lies at (left, top) of the tile."""

    image: Image.Image
    left: int
    top: int


def rotation(pose: Pose) -> NDArray[np.float64]:
    """The upper two rows (2, 3) of the rotation that `estimate_pose` reads: roll after pitch after yaw."""
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw, pose.pitch, pose.roll))
    about_y = np.array([[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]])
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turned: NDArray[np.float64] = (about_z @ about_x @ about_y)[:2]
    return turned


class Pen:
    """Draws on a transparent tile. Head points are (x, y, z): from the middle between the eyes, in eye distances,
    z towards the camera from the axis of the head; body points (x, y) do not turn. It is drawn `smoothing` times too
    large, then averaged down."""

    def __init__(
        self,
        *,
        width: int,
        height: int,
        origin: tuple[float, float],
        unit: float,
        pose: Pose,
        smoothing: int,
    ) -> None:
        self.image = Image.new("RGBA", (width * smoothing, height * smoothing), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self.image)
        self._origin = np.array(origin) * smoothing
        self._unit = unit * smoothing
        self._smoothing = smoothing
        self._rotation = rotation(pose)

    @property
    def unit(self) -> float:
        """Tile pixels, before smoothing down, between the eyes."""
        return self._unit

    def head(self, points: Sequence[Point], z: float = 0.0) -> NDArray[np.float64]:
        """Pixels (n, 2) of points on the head; `z` where a point has none of its own."""
        full = np.array([(*point, z) if len(point) == 2 else point for point in points], dtype=np.float64)
        return self._origin + full @ self._rotation.T * self._unit

    def body(self, points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
        return self._origin + np.array(points, dtype=np.float64) * self._unit

    def torso(self, points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
        """Body points of clothes, which are cut for a longer neck."""
        return self.body([(x * 1.16, y - 0.22) for x, y in points])

    def fill(self, pixels: NDArray[np.float64], color: Color, *, smooth: bool = True) -> None:
        self._draw.polygon(_flat(_curve(pixels, closed=True) if smooth else pixels), fill=(*color, 255))

    def line(self, pixels: NDArray[np.float64], color: Color, width: float) -> None:
        """A stroke of `width` eye distances with round ends."""
        thick = max(1, round(width * self._unit))
        path = _curve(pixels, closed=False)
        self._draw.line(_flat(path), fill=(*color, 255), width=thick, joint="curve")
        for x, y in (path[0], path[-1]):
            half = thick / 2
            self._draw.ellipse([x - half, y - half, x + half, y + half], fill=(*color, 255))

    def dot(self, center: NDArray[np.float64], radius: float, color: Color, *, squash: float = 1.0) -> None:
        x, y = float(center[0]), float(center[1])
        wide, high = radius * self._unit, radius * self._unit * squash
        self._draw.ellipse([x - wide, y - high, x + wide, y + high], fill=(*color, 255))

    def mask(self, pixels: NDArray[np.float64], *, smooth: bool = True, blur: float = 0.0) -> Mask:
        """The shape, its edge softened over `blur` eye distances."""
        path = _curve(pixels, closed=True) if smooth else pixels
        room = 3 * blur * self._unit + 4
        left, top = (int(v) for v in np.maximum(path.min(axis=0) - room, 0))
        right, bottom = (int(v) for v in np.minimum(path.max(axis=0) + room, self.image.size))
        image = Image.new("L", (max(1, right - left), max(1, bottom - top)), 0)
        ImageDraw.Draw(image).polygon(_flat(path - [left, top]), fill=255)
        if blur:
            # A large radius is slow, and nothing is lost by blurring a quarter of the size.
            by = 4 if blur * self._unit > 12 else 1
            small = image.resize(
                (max(1, image.width // by), max(1, image.height // by)), Image.Resampling.BOX
            )
            small = small.filter(ImageFilter.GaussianBlur(blur * self._unit / by))
            image = small.resize(image.size, Image.Resampling.BILINEAR)
        return Mask(image, left, top)

    def tint(self, color: Color, *masks: Mask, strength: float) -> None:
        """Lay a color over what all masks cover, with an opacity of `strength`."""
        left, top = max(mask.left for mask in masks), max(mask.top for mask in masks)
        right = min(mask.left + mask.image.width for mask in masks)
        bottom = min(mask.top + mask.image.height for mask in masks)
        if right <= left or bottom <= top:
            return
        parts = [
            mask.image.crop((left - mask.left, top - mask.top, right - mask.left, bottom - mask.top))
            for mask in masks
        ]
        common = parts[0]
        for part in parts[1:]:
            common = ImageChops.multiply(common, part)
        opacity = common.point([round(value * strength) for value in range(256)])
        self.image.paste((*color, 255), (left, top), opacity)

    def finish(self) -> Image.Image:
        return self.image.reduce(self._smoothing)


def _curve(pixels: NDArray[np.float64], *, closed: bool, steps: int = 8) -> NDArray[np.float64]:
    """A Catmull-Rom curve (m, 2) through the points (n, 2)."""
    if len(pixels) < 3:
        return pixels
    ends = (pixels[-1:], pixels[:2]) if closed else (pixels[:1], pixels[-1:])
    points = np.concatenate([ends[0], pixels, ends[1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, np.newaxis, np.newaxis]
    a, b, c, d = points[:-3], points[1:-2], points[2:-1], points[3:]
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    flat: NDArray[np.float64] = curve.transpose(1, 0, 2).reshape(-1, 2)
    return flat if closed else np.concatenate([flat, pixels[-1:]])


def _flat(pixels: NDArray[np.float64]) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in pixels]
