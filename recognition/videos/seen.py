"""What was seen in a frame as a row, and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from recognition.found_faces import FoundFace
from recognition.geometry import Box
from recognition.models import Video, VideoFrame
from recognition.videos.appearances import SeenFace, SeenFrame
from recognition.videos.decoding import Frame

_STORED = np.dtype("<f4")
# Vectors of a long recording: so many frames of them at a time.
_AT_ONCE = 200


def write_seen(video: Video, frame: Frame, found: Sequence[FoundFace]) -> VideoFrame:
    return VideoFrame.objects.create(
        video=video,
        number=frame.number,
        at_ms=frame.at_ms,
        faces=[_describe(face) for face in found],
        vectors=b"".join(np.ascontiguousarray(face.vector, dtype=_STORED).tobytes() for face in found),
    )


def read_seen(video: Video) -> Iterator[SeenFrame]:
    """Every frame that was looked at, in their order."""
    for row in VideoFrame.objects.filter(video=video).order_by("number").iterator(chunk_size=_AT_ONCE):
        vectors = np.frombuffer(bytes(row.vectors), dtype=_STORED).astype(np.float32)
        per_face = vectors.reshape(len(row.faces), -1) if row.faces else vectors.reshape(0, 0)
        faces = [
            SeenFace(
                box=Box(*face["box"]),
                landmarks=np.array(face["landmarks"], dtype=np.float32),
                score=face["score"],
                sharpness=face["sharpness"],
                vector=vector,
            )
            for face, vector in zip(row.faces, per_face, strict=True)
        ]
        yield SeenFrame(number=row.number, at_ms=row.at_ms, faces=faces)


def _describe(found: FoundFace) -> dict[str, Any]:
    box = found.detected.box
    return {
        "box": [round(side, 3) for side in (box.left, box.top, box.right, box.bottom)],
        "landmarks": [[round(float(x), 3), round(float(y), 3)] for x, y in found.detected.landmarks],
        "score": found.detected.score,
        "sharpness": round(found.sharpness, 3),
    }
