"""The faces that wait and the names that the machine gave, with score and lead: what another line would change."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognition.embedders import EmbedderInfo
from recognition.evaluation.fitted import Fitted
from recognition.evaluation.what_if import Weighed, WhatIf, weigh_lines
from recognition.gallery_index import read_members
from recognition.models import Embedding, Face, Sighting, UnlabeledFace
from recognition.parts import in_parts
from recognition.quality import is_poor
from recognition.search import find_top_k_batch

AT_MOST = 20_000
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Faces with their best person's score and lead; inf where there is no second person. `total` says of how many faces
    these are a sample."""

    score: NDArray[np.float64]
    lead: NDArray[np.float64]
    poor: NDArray[np.bool_]
    total: int

    @property
    def measured(self) -> int:
        return len(self.score)


def ask_what_if(info: EmbedderInfo, fitted: Fitted, *, enrolled: int) -> dict[str, Any] | None:
    """What other lines would change here; None where nothing says how likely a name is right. Not inside a transaction."""
    if fitted.fit.probability is None:
        return None
    waiting, named = score_waiting(info), score_named(info)
    lines = info.thresholds

    def weigh(scored: Scored) -> Weighed:
        right = fitted.probability(scored.score, scored.lead, enrolled)
        assert right is not None
        return Weighed(
            score=scored.score,
            lead=scored.lead,
            poor=scored.poor,
            right=right,
            factor=scored.total / max(1, scored.measured),
        )

    return asdict(
        WhatIf(
            line=lines.automatic,
            open=waiting.total,
            measured=waiting.measured,
            rows=weigh_lines(waiting=weigh(waiting), named=weigh(named), lines=lines),
        )
    )


def score_waiting(info: EmbedderInfo, *, at_most: int = AT_MOST, seed: int = 0) -> Scored:
    """The open queue against the gallery, a random sample of it where it is long. Not inside a transaction."""
    waiting = UnlabeledFace.objects.open().filter(face__photo__event__deleted_at=None).order_by()
    pks = list(waiting.values_list("face_id", flat=True))
    total = len(pks)
    if total > at_most:
        pks = sorted(random.Random(seed).sample(pks, at_most))  # noqa: S311 - a sample, no secret
    scores: list[float] = []
    leads: list[float] = []
    faces: list[int] = []
    for part in in_parts(pks, _AT_ONCE):
        for members in read_members(
            Embedding.objects.filter(embedder_id=info.embedder_id, face__in=part), info.dimension
        ):
            found = find_top_k_batch(members.vectors, k=2, embedder_id=info.embedder_id).scores
            for face_pk, people in zip(members.ids.tolist(), found, strict=True):
                if people:
                    faces.append(face_pk)
                    scores.append(people[0].similarity)
                    lead = people[0].similarity - people[1].similarity if len(people) > 1 else np.inf
                    leads.append(lead)
    return Scored(_floats(scores), _floats(leads), _read_poor(faces), total)


def score_named(info: EmbedderInfo, *, at_most: int = AT_MOST, seed: int = 0) -> Scored:
    """What the machine named by this embedder, by the score and lead that it had then."""
    named = Sighting.objects.filter(
        decided_by=Sighting.DecidedBy.MACHINE,
        embedder_id=info.embedder_id,
        similarity__isnull=False,
        face__photo__event__deleted_at=None,
    ).order_by()
    rows = list(named.values_list("face_id", "similarity", "margin"))
    total = len(rows)
    if total > at_most:
        rows = random.Random(seed).sample(rows, at_most)  # noqa: S311 - a sample, no secret
    return Scored(
        _floats([similarity or 0.0 for _, similarity, _ in rows]),
        _floats([np.inf if margin is None else margin for _, _, margin in rows]),
        _read_poor([face for face, _, _ in rows]),
        total,
    )


def _read_poor(faces: list[int]) -> NDArray[np.bool_]:
    poor: dict[int, bool] = {}
    for part in in_parts(faces, _AT_ONCE):
        measures = Face.objects.filter(pk__in=part).order_by()
        for pk, *measured in measures.values_list("pk", "size", "detector_score", "sharpness"):
            poor[pk] = is_poor(*measured)
    # One that was deleted meanwhile counts as the careful case.
    return np.array([poor.get(pk, True) for pk in faces], dtype=np.bool_)


def _floats(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)
