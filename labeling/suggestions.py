"""Who a face may be: the nearest people of the gallery, with the words and the crops that a page shows of them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from access.roles import SEEING, User, sees_everything
from labeling.models import Rejection
from recognition.active_embedder import NoActiveEmbedder, get_active_embedder_id
from recognition.embedders import EmbedderInfo, Thresholds, describe_embedder
from recognition.matching import PersonScore, Word, words_of
from recognition.models import Embedding, Face, Person, Sighting
from recognition.search import find_top_k_batch
from recognition.vectors import BadVector, check_vectors, decode_vector

# A person further down than this is no evidence for a name.
WEIGHED = 20
REFERENCES_SHOWN = 3
_AT_ONCE = 500
logger = logging.getLogger(__name__)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A person proposed for a face. `beside` is the other face of the photo that has their name already."""

    person: Person
    similarity: float
    word: Word
    lead: str
    reference_count: int
    references: list[Face]
    beside: Sighting | None
    # Nothing of the person is at an event that the user sees: they get the name of a lookalike, and neither crop nor count.
    name_alone: bool

    @property
    def band(self) -> str:
        """The word as a class of the stylesheet."""
        return self.word.split()[0]

    @property
    def acceptable(self) -> bool:
        """Whether one key may accept it without another look."""
        return self.beside is None and self.word in {"strong", "possible"}


def weigh_face(face: Face, k: int = WEIGHED) -> Evidence:
    """Ask the gallery with the face's stored vector. Searches, so call it outside transactions."""
    return weigh_faces([face], k)[face.pk]


def weigh_faces(faces: Sequence[Face], k: int = WEIGHED) -> dict[int, Evidence]:
    """Ask the gallery about several faces at once: an Evidence for each, by primary key. Call it outside transactions."""
    try:
        info = describe_embedder(get_active_embedder_id())
    except NoActiveEmbedder:
        return {face.pk: Evidence() for face in faces}
    nothing = Evidence(embedder_id=info.embedder_id, thresholds=info.thresholds)
    evidence = {face.pk: nothing for face in faces}
    vectors = _vectors_of(list(evidence), info)
    rejected: defaultdict[int, set[int]] = defaultdict(set)
    for face_pk, person_id in Rejection.objects.filter(face__in=vectors).values_list("face_id", "person_id"):
        rejected[face_pk].add(person_id)
    for some in _parts(list(vectors)):
        # One more: a face that is a reference already finds itself, which is no evidence.
        most = k + 1 + max(len(rejected[pk]) for pk in some)
        found = find_top_k_batch(np.stack([vectors[pk] for pk in some]), most, embedder_id=info.embedder_id)
        for pk, scores in zip(some, found.scores, strict=True):
            others = [
                other
                for score in scores
                if score.person_id not in rejected[pk]
                and (other := _without_itself(score, pk, vectors[pk], info)) is not None
            ]
            others.sort(key=lambda score: -score.similarity)
            evidence[pk] = replace(nothing, scores=tuple(others[:k]))
    return evidence


def suggest_people(face: Face, k: int = 5, *, user: User) -> list[Suggestion]:
    """The k nearest people, best first, with what the user may see of them. Searches, so call it outside transactions.

    Somebody whom the user sees nowhere is named only if the face looks like them: else every face told the names of k
    people of other events.
    """
    evidence = weigh_face(face, max(k, 2) if sees_everything(user) else max(k, WEIGHED))
    if evidence.thresholds is None or not evidence.scores:
        return []
    nearest = [score.person_id for score in evidence.scores]
    known = set(Person.objects.visible_to(user).filter(pk__in=nearest).values_list("pk", flat=True))
    ranks = [
        rank
        for rank, score in enumerate(evidence.scores)
        if score.person_id in known or evidence.resembles(score)
    ][:k]
    scores = [evidence.scores[rank] for rank in ranks]
    people = Person.objects.in_bulk([score.person_id for score in scores])
    crops = Face.objects.for_role(user, *SEEING).in_bulk([pk for score in scores for pk in score.references])
    counts = _count_references(face, scores, user)
    beside = named_beside(face)
    return [
        Suggestion(
            person=people[score.person_id],
            similarity=score.similarity,
            word=words_of(evidence.scores, rank, evidence.thresholds),
            lead=_lead(evidence, rank, people, evidence.thresholds),
            reference_count=counts.get(score.person_id, 0),
            references=[crops[pk] for pk in score.references if pk in crops][:REFERENCES_SHOWN],
            beside=beside.get(score.person_id),
            name_alone=score.person_id not in known,
        )
        for rank, score in zip(ranks, scores, strict=True)
        if score.person_id in people
    ]


def _count_references(face: Face, scores: Sequence[PersonScore], user: User) -> dict[int, int]:
    """How many references each has, but for the face itself; of those that the user sees."""
    if sees_everything(user):
        return {score.person_id: score.reference_count for score in scores}
    seen = Sighting.objects.visible_to(user).filter(
        is_reference=True, person__in=[score.person_id for score in scores]
    )
    counted = seen.exclude(face=face.pk).order_by().values_list("person").annotate(count=Count("pk"))
    return dict(counted)


def named_beside(face: Face) -> dict[int, Sighting]:
    """The names on the photo's other faces, by person: nobody is in a photo twice."""
    others = Sighting.objects.filter(face__photo=face.photo_id).exclude(face=face.pk)
    return {sighting.person_id: sighting for sighting in others.select_related("face").order_by("-pk")}


def _vectors_of(face_pks: Sequence[int], info: EmbedderInfo) -> dict[int, NDArray[np.float32]]:
    """The stored vectors (dimension,) of those faces that have a sound one."""
    rows = Embedding.objects.with_vectors().filter(face__in=face_pks, embedder_id=info.embedder_id)
    found = {}
    for face_pk, data in rows.values_list("face_id", "vector"):
        try:
            vector = decode_vector(bytes(data), info.dimension)
            check_vectors(vector[np.newaxis], info.dimension)
        except BadVector as error:
            # The face can still be named by hand.
            logger.error("the stored vector of face %d is broken and suggests nobody: %s", face_pk, error)
        else:
            found[face_pk] = vector
    return found


def _without_itself(
    score: PersonScore, face_pk: int, vector: NDArray[np.float32], info: EmbedderInfo
) -> PersonScore | None:
    """The score by the person's other references; none where there is no other."""
    if face_pk not in score.references:
        return score
    rest = tuple(pk for pk in score.references if pk != face_pk)
    nearest = _vectors_of(rest[:1], info).get(rest[0]) if rest else None
    if nearest is None:
        return None
    return PersonScore(
        person_id=score.person_id,
        similarity=float(nearest @ vector),
        references=rest,
        reference_count=score.reference_count - 1,
    )


def _lead(evidence: Evidence, rank: int, people: dict[int, Person], thresholds: Thresholds) -> str:
    """ "0.27 ahead", or by how little the next one is behind. Told of the first two, if they are worth it."""
    margin = evidence.margin(rank)
    if margin is None or rank > 1 or evidence.scores[rank].similarity < thresholds.suggest:
        return ""
    other = _name_at(evidence.scores, 1 - rank, people)
    if rank == 0:
        close = margin < thresholds.margin
        return f"next is {other}, {margin:.2f} behind" if close and other else f"{margin:.2f} ahead"
    return f"{-margin:.2f} behind {other}" if other and -margin < thresholds.margin else ""


def _name_at(scores: Sequence[PersonScore], rank: int, people: dict[int, Person]) -> str:
    person = people.get(scores[rank].person_id)
    return person.name if person else ""


def _parts(pks: list[int]) -> Iterator[list[int]]:
    return (pks[start : start + _AT_ONCE] for start in range(0, len(pks), _AT_ONCE))
