"""Videos with drawn faces: squares of one color that move, without loss, so that the drawn detector finds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from PIL import Image, ImageDraw

from tests.fakes import COLORS, SIDE

FPS = 10
# Where each face is in one frame: color to left, top.
Places = Mapping[str, tuple[int, int]]


def write_video(
    path: Path,
    frames: Sequence[Places],
    *,
    size: tuple[int, int] = (480, 240),
    created: str = "",
    moments: Sequence[int] | None = None,
) -> Path:
    """An MKV of these frames, ten a second, or shown at these milliseconds."""
    with av.open(str(path), "w", format="matroska") as container:
        if created:
            container.metadata["creation_time"] = created
        stream = container.add_stream("ffv1", rate=FPS)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "bgr0"
        for number, places in enumerate(frames):
            image = Image.new("RGB", size, (128, 128, 128))
            pen = ImageDraw.Draw(image)
            for color, (left, top) in places.items():
                pen.rectangle([left, top, left + SIDE - 1, top + SIDE - 1], fill=COLORS[color])
            # No two frames have the same bytes.
            pen.point((number % size[0], size[1] - 1), fill=(1, 2, 3))
            frame = av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24").reformat(format="bgr0")
            frame.pts = number if moments is None else round(moments[number] * FPS / 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def walk(count: int = 10) -> list[Places]:
    """Red walks to the right all the time, blue is there in the first half, green in the second."""
    half = count // 2
    return [
        {
            "red": (10 + 8 * number, 20),
            **({"blue": (300, 120)} if number < half else {"green": (380, 20)}),
        }
        for number in range(count)
    ]
