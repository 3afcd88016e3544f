"""The fit of this installation's own labeled faces: without what is doubtful, on the ground of what the embedder came with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognition.calibration.comparisons import PROBES, Comparisons
from recognition.calibration.doubts import Doubts, compare_trusted
from recognition.calibration.fitting import Fit, fit_lines
from recognition.calibration.reading import LabeledFaces
from recognition.calibration.shipped import find_shipped_tail
from recognition.embedders import EmbedderInfo
from recognition.signals import different_people


@dataclass(frozen=True, slots=True)
class OwnFit:
    """`trusted` are the faces that were fitted to, `doubts` what was left out."""

    fit: Fit
    trusted: Comparisons
    doubts: Doubts


def fit_own_faces(
    faces: LabeledFaces,
    *,
    info: EmbedderInfo,
    target: float,
    rng: np.random.Generator,
    probes: NDArray[np.int64] | None = None,
    at_most: int = PROBES,
    told_apart: Collection[tuple[int, int]] | None = None,
) -> OwnFit:
    """Fit to the `probes` among these faces, rows of theirs; without it to all, or to `at_most` of them at random.

    `told_apart`: pairs of people who are known to be different; without it those of this installation.
    """
    trusted, doubts = compare_trusted(
        vectors=faces.vectors,
        people=faces.people,
        references=faces.references,
        poor=faces.poor,
        told_apart=_read_told_apart() if told_apart is None else told_apart,
        probes=probes,
        at_most=at_most,
        rng=rng,
    )
    fit = fit_lines(
        trusted,
        enrolled=max(1, len(np.unique(faces.people[faces.references]))),
        target=target,
        thresholds=info.shipped,
        shipped=find_shipped_tail(info.embedder_id),
    )
    return OwnFit(fit, trusted, doubts)


def _read_told_apart() -> set[tuple[int, int]]:
    return {pair for find in different_people for pair in find()}
