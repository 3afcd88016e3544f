"""How two embedders differ on this installation's own faces: what a change would make better or worse, and which names it disputes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db import transaction
from numpy.typing import NDArray

from recognition.calibration.comparisons import NOBODY
from recognition.calibration.lines import describe_calibrated
from recognition.embedders import EmbedderInfo
from recognition.gallery_journal import lock_gallery_state
from recognition.models import DisputedFace, Embedding, Face, Person, Reembedding
from recognition.reembedding.hold import Hold
from recognition.reembedding.verdicts import AskedFaces, Verdicts, judge_faces, read_asked, subtract_known

_AT_ONCE = 500
# Fewer labeled faces right by so much of those compared, and by more than chance would have it: look before you switch.
_WORSE_SHARE = 0.005
_WORSE_FACES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    face_pk: int
    named: int
    proposed: int
    similarity: float | None
    proposed_similarity: float

    @property
    def gap(self) -> float:
        return self.proposed_similarity - (self.similarity if self.similarity is not None else 0.0)


def measure_agreement(row: Reembedding) -> tuple[dict[str, Any], list[Dispute]]:
    """The figures of the report, and the named faces that the target would give to somebody else, the clearest first.

    Not inside a transaction; takes the memory of one embedder's vectors at a time.
    """
    rng = np.random.default_rng(row.pk)
    before, after = describe_calibrated(row.source), describe_calibrated(row.target)
    asked = read_asked(rng)
    old, new = judge_faces(asked, before, rng), judge_faces(asked, after, rng)
    disputes = _find_disputes(asked, new, after)
    failed = [int(pk) for pk in row.failures]
    figures = {
        **_compare(asked, old, new, before, after),
        "disputed": len(disputes),
        "failed_photos": len(failed),
        "failed_faces": Face.objects.filter(photo__in=failed).count(),
        "before": _describe(before),
        "after": _describe(after),
        "seconds_per_face": round(row.seconds / max(1, row.faces_done), 4),
    }
    return figures, disputes


def is_worse(figures: dict[str, Any]) -> bool:
    """Whether the target knows clearly fewer of the labeled faces: somebody should look before it is switched to."""
    labeled = figures.get("labeled", {})
    lost = labeled.get("right_before", 0) - labeled.get("right_after", 0)
    return bool(lost > _WORSE_FACES and lost > _WORSE_SHARE * labeled["compared"])


def write_disputes(held: Hold, disputes: Iterable[Dispute], *, figures: dict[str, Any]) -> None:
    """The report on the row, and the queue of disputed faces; what was answered of an earlier list stays answered."""
    with transaction.atomic():
        # No face, person or name goes or comes meanwhile.
        lock_gallery_state()
        listed = list(disputes)
        DisputedFace.objects.filter(reembedding=held.pk, answer=DisputedFace.Answer.NONE).delete()
        answered = set(DisputedFace.objects.filter(reembedding=held.pk).values_list("face_id", flat=True))
        people = set(Person.objects.current().values_list("pk", flat=True))
        names: dict[int, int] = {}
        for start in range(0, len(listed), _AT_ONCE):
            faces = Face.objects.filter(pk__in=[one.face_pk for one in listed[start : start + _AT_ONCE]])
            pairs = faces.exclude(sighting=None).values_list("pk", "sighting__person_id")
            names.update(pairs)
        DisputedFace.objects.bulk_create(
            [
                DisputedFace(
                    reembedding_id=held.pk,
                    face_id=one.face_pk,
                    named_id=one.named,
                    proposed_id=one.proposed,
                    similarity=one.similarity,
                    proposed_similarity=one.proposed_similarity,
                )
                for one in listed
                if one.face_pk not in answered
                and names.get(one.face_pk) == one.named
                and {one.named, one.proposed} <= people
            ],
            batch_size=_AT_ONCE,
        )
        held.renew(agreement=figures)


def _find_disputes(asked: AskedFaces, new: Verdicts, info: EmbedderInfo) -> list[Dispute]:
    lines = info.thresholds
    # Of a person without another reference nothing speaks for the name; then the other has to be sure.
    line = np.where(np.isnan(new.own), lines.automatic, lines.suggest)
    named = asked.people[new.places] != NOBODY
    clear = (
        named
        & (new.score >= line)
        & (subtract_known(new.score, new.own) >= lines.margin)
        & (new.other != NOBODY)
    )
    found = [
        Dispute(
            face_pk=int(asked.face_pks[new.places[at]]),
            named=int(asked.people[new.places[at]]),
            proposed=int(new.other[at]),
            similarity=None if np.isnan(new.own[at]) else round(float(new.own[at]), 4),
            proposed_similarity=round(float(new.score[at]), 4),
        )
        for at in np.flatnonzero(clear)
    ]
    return sorted(found, key=lambda one: (-one.gap, one.face_pk))


def _compare(
    asked: AskedFaces, old: Verdicts, new: Verdicts, before: EmbedderInfo, after: EmbedderInfo
) -> dict[str, Any]:
    both, at_old, at_new = np.intersect1d(old.places, new.places, assume_unique=True, return_indices=True)
    named = asked.people[both] != NOBODY
    known = named & ~np.isnan(old.own[at_old]) & ~np.isnan(new.own[at_new])
    labeled, machine = known & asked.human[both], named & ~asked.human[both]
    was, now = old.right[at_old], new.right[at_new]
    top_was = np.where(was, asked.people[both], old.other[at_old])
    top_now = np.where(now, asked.people[both], new.other[at_new])
    unnamed = ~named
    named_before = _nameable(old, before, asked.poor[old.places])[at_old]
    named_after = _nameable(new, after, asked.poor[new.places])[at_new]
    return {
        "labeled": {
            "compared": _count(labeled),
            "same": _count(labeled & (top_was == top_now)),
            "changed": _count(labeled & (top_was != top_now)),
            "right_before": _count(labeled & was),
            "right_after": _count(labeled & now),
            "gained": _count(labeled & now & ~was),
            "lost": _count(labeled & was & ~now),
        },
        "machine": {
            "compared": _count(machine),
            "agrees": _count(machine & now),
            "differs": _count(machine & ~now),
        },
        "open": {
            "compared": _count(unnamed),
            "of": asked.open_total,
            "named_before": _count(unnamed & named_before),
            "named_after": _count(unnamed & named_after),
        },
    }


def _nameable(verdicts: Verdicts, info: EmbedderInfo, poor: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whom the machine would name, by the lines in force."""
    lines = info.thresholds
    line = np.where(poor, lines.strict, lines.automatic)
    found: NDArray[np.bool_] = (verdicts.best >= line) & (verdicts.lead >= lines.margin)
    return found


def _describe(info: EmbedderInfo) -> dict[str, Any]:
    count = Embedding.objects.filter(embedder_id=info.embedder_id).count()
    return {
        "embedder_id": info.embedder_id,
        "dimension": info.dimension,
        "embeddings": count,
        "bytes": 4 * info.dimension * count,
        "calibrated": info.calibrated is not None,
        "lines": asdict(info.thresholds),
    }


def _count(flags: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(flags))
