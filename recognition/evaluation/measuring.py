"""All figures of a report from labeled faces, as plain numbers ready for JSON: ids at most, never a name or a vector."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from typing import Any

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recognition.calibration.comparisons import PROBES, compare
from recognition.calibration.lines import newest_calibration
from recognition.calibration.own_faces import fit_own_faces
from recognition.calibration.reading import LabeledFaces, read_labeled_faces
from recognition.calibration.splits import open_set_splits
from recognition.embedders import EmbedderInfo
from recognition.evaluation.breakdowns import SHARPNESS_EDGES, SIZE_EDGES, split_by, split_by_event
from recognition.evaluation.curves import measure_true_accepts, trace_curve
from recognition.evaluation.fitted import Fitted
from recognition.evaluation.gallery_sizes import Labeled, measure_sizes
from recognition.evaluation.outcomes import count_first_places, judge_faces, tally
from recognition.evaluation.pairs import count_by_similarity, draw_pairs, spread_of
from recognition.evaluation.queue_scores import ask_what_if
from recognition.evaluation.reports import LEAST_PEOPLE, SPLIT_PEOPLE
from recognition.models import Calibration, Face

FORMAT = 1
_HISTORY = 100
_SEED = 1
_SPLITS = 50
_SPLIT_FACES = 4_000
_REFERENCES = (5, 3, 2, 1)

Figures = dict[str, Any]
# Called with the share of the work that is done.
Tell = Callable[[float], None]


class TooFewFaces(Exception):
    """There is not enough to measure; the message says what is missing."""


def measure_installation(
    info: EmbedderInfo,
    *,
    target: float | None = None,
    splits: int = _SPLITS,
    queue: bool = True,
    tell: Tell = lambda share: None,
) -> Figures:
    """The report of this installation, by the lines in force. Not inside a transaction. Raises TooFewFaces.

    `queue`: also ask what another line would do to it, which takes the active embedder.
    """
    faces = read_labeled_faces(info)
    ready = count_ready(faces)
    if ready < LEAST_PEOPLE:
        raise TooFewFaces(
            f"{LEAST_PEOPLE} people with two named faces are the least to measure; there {_are(ready)} {ready}. "
            "Name more faces, then measure again."
        )
    tell(0.05)
    figures, fitted = measure_faces(
        faces, info, target=target or settings.FACEVAULT_FPIR, tell=lambda share: tell(0.05 + 0.7 * share)
    )
    calibration = newest_calibration(info.embedder_id)
    figures["lines"] |= {
        "calibrated": calibration is not None,
        "people": calibration.enrolled if calibration else None,
        "probes": calibration.probes if calibration else None,
    }
    figures["doubtful"] = _with_face_ids(figures["doubtful"], faces)
    figures["history"] = _read_history(info.embedder_id)
    tell(0.75)
    figures["open_set"] = measure_splits(faces, info, target=figures["target"], splits=splits)
    tell(0.85)
    figures["what_if"] = ask_what_if(info, fitted, enrolled=figures["enrolled"]) if queue else None
    tell(0.95)
    return figures


def measure_faces(
    faces: LabeledFaces,
    info: EmbedderInfo,
    *,
    target: float,
    told_apart: Collection[tuple[int, int]] | None = None,
    tell: Tell = lambda share: None,
) -> tuple[Figures, Fitted]:
    """The figures that labeled faces alone give, at the lines of `info`; the same faces give the same figures.

    `told_apart`: pairs of these people who are known to be different; without it those of this installation.
    """
    rng = np.random.default_rng(_SEED)
    probes = _choose_probes(len(faces), rng)
    comparisons = compare(
        vectors=faces.vectors,
        people=faces.people,
        references=faces.references,
        poor=faces.poor,
        probes=probes,
        at_most=max(1, len(probes)),
        rng=rng,
    )
    tell(0.12)
    lines = info.thresholds
    fitted = Fitted(
        fit_own_faces(faces, info=info, target=target, rng=rng, probes=probes, told_apart=told_apart)
    )
    tell(0.25)
    pairs = draw_pairs(faces.vectors, faces.people, rng=rng)
    tell(0.35)
    accepts = measure_true_accepts(pairs, rng=rng)
    tell(0.5)
    outcomes, strangers = judge_faces(comparisons, lines), judge_faces(fitted.own.trusted, lines)
    sizes = measure_sizes(
        _without_doubtful(faces, fitted),
        fitted.own.trusted,
        lines=lines,
        lines_for=fitted.lines_for,
        rng=rng,
        tell=lambda share: tell(0.5 + 0.5 * share),
    )
    enrolled = len(np.unique(faces.people[faces.references]))
    share = fitted.expected_share(lines.automatic, max(1, enrolled))
    figures: Figures = {
        "format": FORMAT,
        "embedder_id": info.embedder_id,
        "target": target,
        "faces": len(faces),
        "people": len(np.unique(faces.people)),
        "references": int(faces.references.sum()),
        "enrolled": enrolled,
        "probes": len(comparisons),
        "lines": {**asdict(lines), "shipped": asdict(info.shipped), "fitted": asdict(fitted.lines),
                  "calibrated": False, "people": None, "probes": None},
        "pairs": {
            "same": _asdict(spread_of(pairs.same, pairs.same_total)),
            "different": _asdict(spread_of(pairs.different, pairs.different_total)),
            "histogram": asdict(count_by_similarity(pairs)),
        },
        "curve": _rows(trace_curve(pairs)),
        "tar": _rows(accepts),
        "rank1": asdict(count_first_places(comparisons)),
        "decision": asdict(tally(outcomes, strangers=strangers)),
        "expected_fpir": share,
        "sizes": _rows(sizes),
        "reliability": fitted.reliability,
        "by_size": _rows(split_by(faces.sizes, SIZE_EDGES, outcomes, strangers=strangers)),
        "by_sharpness": _rows(split_by(faces.sharpness, SHARPNESS_EDGES, outcomes, strangers=strangers)),
        "by_event": _rows(split_by_event(faces.events, outcomes, strangers=strangers)),
        "doubtful": fitted.doubtful,
    }  # fmt: skip
    tell(1.0)
    return figures, fitted


def measure_splits(faces: LabeledFaces, info: EmbedderInfo, *, target: float, splits: int) -> Figures | None:
    """The open-set protocol on people that the lines were not fitted to, with the most references that enough people have;
    None where too few people have two faces, or too many faces to draw from them again and again."""
    if not splits or len(faces) > _SPLIT_FACES:
        return None
    _, counts = np.unique(faces.people, return_counts=True)
    for references in _REFERENCES:
        if (counts > references).sum() < SPLIT_PEOPLE:
            continue
        told = open_set_splits(
            vectors=faces.vectors,
            people=faces.people,
            thresholds=info.shipped,
            splits=splits,
            target=target,
            references=references,
            seed=_SEED,
        )
        if told is not None:
            return asdict(told)
    return None


def count_ready(faces: LabeledFaces) -> int:
    """People of whom two faces are named: one can be recognized by the other."""
    _, counts = np.unique(faces.people, return_counts=True)
    return int((counts >= 2).sum())


def _with_face_ids(doubtful: Figures, faces: LabeledFaces) -> Figures:
    """Rows of the arrays become public ids, by which a page finds what is still there."""
    pks = {row["row"]: int(faces.face_pks[row["row"]]) for row in doubtful["faces"]}
    ids = dict(Face.objects.filter(pk__in=pks.values()).order_by().values_list("pk", "face_id"))
    told = [
        {
            **{name: value for name, value in row.items() if name != "row"},
            "face_id": str(ids[pks[row["row"]]]),
        }
        for row in doubtful["faces"]
        if pks[row["row"]] in ids
    ]
    return {**doubtful, "faces": told}


def _read_history(embedder_id: str) -> list[Figures]:
    """The lines over time, oldest first."""
    rows = Calibration.objects.filter(embedder_id=embedder_id).order_by("-pk")
    values = rows.values("created_at", "automatic", "enrolled", "probes")[:_HISTORY]
    return [{**row, "created_at": row["created_at"].isoformat()} for row in reversed(values)]


def _choose_probes(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    if count <= PROBES:
        return np.arange(count)
    return np.sort(rng.choice(count, size=PROBES, replace=False))


def _without_doubtful(faces: LabeledFaces, fitted: Fitted) -> Labeled:
    """A person under two names would be a stranger to the one whenever the other is not drawn."""
    people = [person for pair in fitted.own.doubts.pairs for person in pair.people]
    kept = ~np.isin(faces.people, people)
    kept[[face.row for face in fitted.own.doubts.faces]] = False
    return Labeled(faces.vectors[kept], faces.people[kept], faces.references[kept], faces.poor[kept])


def _rows(parts: Iterable[Any]) -> list[Figures]:
    return [asdict(part) for part in parts]


def _asdict(part: Any) -> Figures | None:
    return None if part is None else asdict(part)


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
