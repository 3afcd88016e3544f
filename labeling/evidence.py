"""What the gallery says of faces: the nearest people by their vectors, alone or of several faces together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.vectors import read_matrix
from labeling.models import Rejection
from recognition.active_embedder import find_active_info
from recognition.embedders import EmbedderInfo, Thresholds
from recognition.matching import PersonScore
from recognition.models import Face
from recognition.parts import in_parts
from recognition.search import find_top_k_batch

# A person further down than this is no evidence for a name.
WEIGHED = 20
_REFERENCES = 3
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the gallery says about a face, best person first; empty where the face has no vector to ask with."""

    embedder_id: str = ""
    thresholds: Thresholds | None = None
    scores: tuple[PersonScore, ...] = ()

    def about(self, person_pk: int) -> dict[str, Any]:
        """What a sighting of that person keeps of it."""
        rank = next((rank for rank, score in enumerate(self.scores) if score.person_id == person_pk), None)
        score = self.scores[rank] if rank is not None else None
        return {
            "similarity": score.similarity if score else None,
            "margin": self.margin(rank) if rank is not None else None,
            "references": list(score.references) if score else [],
            "thresholds": asdict(self.thresholds) if self.thresholds else {},
            "embedder_id": self.embedder_id,
        }

    def resembles(self, score: PersonScore) -> bool:
        """Whether the face looks like that person at all: above the line of suggestions."""
        return self.thresholds is not None and score.similarity >= self.thresholds.suggest

    def margin(self, rank: int) -> float | None:
        """The lead over the best other person, negative for anyone but the first; none where there is nobody else."""
        others = [score.similarity for other, score in enumerate(self.scores) if other != rank]
        return self.scores[rank].similarity - max(others) if others else None


def weigh_face(face: Face, k: int = WEIGHED) -> Evidence:
    """Ask the gallery with the face's stored vector. Searches, so call it outside transactions."""
    return weigh_faces([face], k)[face.pk]


def weigh_faces(faces: Sequence[Face], k: int = WEIGHED) -> dict[int, Evidence]:
    """Ask the gallery about several faces at once: an Evidence for each, by primary key. Call it outside transactions."""
    info = find_active_info()
    if info is None:
        return {face.pk: Evidence() for face in faces}
    nothing = Evidence(embedder_id=info.embedder_id, thresholds=info.thresholds)
    evidence = {face.pk: nothing for face in faces}
    vectors = read_vectors(list(evidence), info)
    rejected: defaultdict[int, set[int]] = defaultdict(set)
    for face_pk, person_id in Rejection.objects.filter(face__in=vectors).values_list("face_id", "person_id"):
        rejected[face_pk].add(person_id)
    for some in in_parts(list(vectors), _AT_ONCE):
        # One more: a face that is a reference already finds itself, which is no evidence.
        most = k + 1 + max(len(rejected[pk]) for pk in some)
        found = find_top_k_batch(np.stack([vectors[pk] for pk in some]), most, embedder_id=info.embedder_id)
        mine = {
            pk: [score for score in scores if score.person_id not in rejected[pk]]
            for pk, scores in zip(some, found.scores, strict=True)
        }
        for pk, scores in _without_themselves(mine, vectors, info).items():
            scores.sort(key=lambda score: -score.similarity)
            evidence[pk] = replace(nothing, scores=tuple(scores[:k]))
    return evidence


def combine_evidence(several: Sequence[Evidence], *, without: Collection[int] = ()) -> Evidence:
    """What several faces of one person say together: of each person the mean of the faces' similarities.

    Who is not among the nearest of a face is at most as near as the last of them. `without` are people to leave out.
    """
    heard = [evidence for evidence in several if evidence.scores]
    if not heard:
        return several[0] if several else Evidence()
    floors = [evidence.scores[-1].similarity for evidence in heard]
    near: defaultdict[int, list[float]] = defaultdict(lambda: list(floors))
    told: defaultdict[int, list[PersonScore]] = defaultdict(list)
    for place, evidence in enumerate(heard):
        for score in evidence.scores:
            if score.person_id not in without:
                near[score.person_id][place] = score.similarity
                told[score.person_id].append(score)
    scores = [
        PersonScore(
            person_id=person,
            similarity=sum(near[person]) / len(heard),
            references=_best_references(told[person]),
            reference_count=max(score.reference_count for score in told[person]),
        )
        for person in told
    ]
    scores.sort(key=lambda score: (-score.similarity, score.person_id))
    return replace(heard[0], scores=tuple(scores))


def _best_references(scores: Sequence[PersonScore]) -> tuple[int, ...]:
    ranked = sorted(scores, key=lambda score: -score.similarity)
    every = [
        pk for place in range(_REFERENCES) for score in ranked for pk in score.references[place : place + 1]
    ]
    return tuple(dict.fromkeys(every))[:_REFERENCES]


def read_vectors(face_pks: Sequence[int], info: EmbedderInfo) -> dict[int, NDArray[np.float32]]:
    """The stored vectors (dimension,) of those faces that have a sound one; the others can still be named by hand."""
    pks, matrix = read_matrix(list(face_pks), info.embedder_id, info.dimension)
    return dict(zip(pks.tolist(), matrix, strict=True))


def _without_themselves(
    found: Mapping[int, Sequence[PersonScore]],
    vectors: Mapping[int, NDArray[np.float32]],
    info: EmbedderInfo,
) -> dict[int, list[PersonScore]]:
    """The scores of each face by the people's other references; without those who have no other."""
    rests = {
        (face_pk, score.person_id): tuple(pk for pk in score.references if pk != face_pk)
        for face_pk, scores in found.items()
        for score in scores
        if face_pk in score.references
    }
    next_ones = {rest[0] for rest in rests.values() if rest}
    known = {**vectors, **read_vectors(sorted(next_ones - vectors.keys()), info)}
    told: dict[int, list[PersonScore]] = {face_pk: [] for face_pk in found}
    for face_pk, scores in found.items():
        for score in scores:
            rest = rests.get((face_pk, score.person_id))
            if rest is None:
                told[face_pk].append(score)
            elif rest and rest[0] in known:
                other = PersonScore(
                    person_id=score.person_id,
                    similarity=float(known[rest[0]] @ vectors[face_pk]),
                    references=rest,
                    reference_count=score.reference_count - 1,
                )
                told[face_pk].append(other)
    return told
