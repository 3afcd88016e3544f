"""What another program gives: a face with its own id, its vectors and perhaps pixels; and the photo that it was on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.geometry import Box


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutsideFace:
    """One face. `row` is its place in the other program's files, from 0; `details` goes back as it came.

    `box` is in pixels of its photo, `pixels` its crop (h, w, 3), `vectors` one float32 (dimension,) per embedder id.
    `person_pk` is set where the other program's people named it; `is_reference`: they taught their program by it. One that
    does not wait was looked at there and got no name: it is kept, and nobody is asked about it again.
    """

    external_id: str
    row: int
    box: Box | None = None
    score: float | None = None
    pixels: NDArray[np.uint8] | None = None
    vectors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    person_pk: int | None = None
    is_reference: bool = False
    waits: bool = True
    queued_at: datetime | None = None
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutsidePhoto:
    """Faces of one photo. Without a `path` a stand-in is drawn around them. Faces of a photo with a path have boxes.

    `key` tells it apart from others of its import where the `name` does not.
    """

    name: str
    faces: Sequence[OutsideFace]
    key: str = ""
    path: Path | None = None
    captured_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedFace:
    """A face that is not taken: `code` is stable, `message` says what to do."""

    external_id: str
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of some faces. `named` are those with a name now, by the machine or by the other program's people."""

    added: int = 0
    known: int = 0
    named: int = 0
    queued: int = 0
    photos: int = 0
    stand_ins: int = 0
    refused: Sequence[RefusedFace] = ()

    def __add__(self, other: Written) -> Written:
        return Written(
            added=self.added + other.added,
            known=self.known + other.known,
            named=self.named + other.named,
            queued=self.queued + other.queued,
            photos=self.photos + other.photos,
            stand_ins=self.stand_ins + other.stand_ins,
            refused=[*self.refused, *other.refused],
        )
