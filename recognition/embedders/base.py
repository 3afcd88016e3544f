"""What every embedder offers, and what its similarities mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from recognition.detection import DetectedFace


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Lines on the cosine similarity of one embedder; they mean nothing for another.

    `automatic`: from here on the machine may name a face by itself, if the best person also leads the
    next one by `margin`. `suggest`: from here on a person is worth showing. `strict` stands for `automatic`
    where more speaks against a name: a face too poor for a reference, a person who is not on the event's roster.
    """

    automatic: float
    margin: float
    suggest: float
    strict: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderInfo:
    """An embedder as processes know it that never load one.

    `shipped` are the lines that it came with: they also say when two faces are alike, which does not depend on how many
    people are known. `calibrated` are those of this installation, once its own faces were measured.
    """

    embedder_id: str
    name: str
    dimension: int
    input_size: int
    shipped: Thresholds
    calibrated: Thresholds | None = None

    @property
    def thresholds(self) -> Thresholds:
        """The lines in force for naming a face."""
        return self.calibrated or self.shipped


class Embedder(Protocol):
    """Turns faces into unit vectors. Both methods may be called from several threads."""

    @property
    def embedder_id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    @property
    def input_size(self) -> int: ...
    @property
    def thresholds(self) -> Thresholds: ...

    def cut_input(self, rgb: NDArray[np.uint8], face: DetectedFace) -> NDArray[np.uint8]:
        """The net's input (input_size, input_size, 3), cut from full-size oriented pixels (h, w, 3)."""

    def embed(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Inputs (n, input_size, input_size, 3) to unit vectors (n, dimension); n may be 0.

        Works in batches of bounded memory. Raises ValueError for another shape.
        """


def check_inputs(inputs: NDArray[np.uint8], input_size: int) -> None:
    """Raise ValueError unless uint8 of shape (n, input_size, input_size, 3)."""
    if inputs.dtype != np.uint8 or inputs.ndim != 4 or inputs.shape[1:] != (input_size, input_size, 3):
        raise ValueError(
            f"expected uint8 (n, {input_size}, {input_size}, 3), got {inputs.dtype} {inputs.shape}"
        )
