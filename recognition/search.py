"""Who is this: the nearest people of a face, from the nearest faces of the gallery."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from access.roles import SEEING, User, sees_everything
from recognition.calibration.lines import describe_calibrated
from recognition.gallery_index import GalleryIndex, get_gallery_index
from recognition.matching import Match, PersonScore, assign_people
from recognition.models import Event, Sighting
from recognition.parts import in_parts

__all__ = [
    "BatchScores",
    "Match",
    "PersonScore",
    "events_to_search",
    "find_match",
    "find_top_k",
    "find_top_k_batch",
]

_FIRST_HITS = 64
_REFERENCES = 3
# Whoever has hundreds of references hides the others: few rounds, for each of them searches anew.
_GROWTH = 4
_NOBODY = -1
_IDS_AT_ONCE = 10_000  # a database limits the parameters of a statement


@dataclass(frozen=True, slots=True)
class BatchScores:
    """`version` is the gallery's when the search began; per vector its nearest people, best first."""

    version: int
    scores: list[list[PersonScore]]


def find_top_k(
    vector: NDArray[np.floating], k: int = 5, *, embedder_id: str | None = None
) -> list[PersonScore]:
    """The k people nearest to a unit vector (dimension,), best first; fewer where the gallery knows fewer."""
    return find_top_k_batch(np.asarray(vector)[np.newaxis], k, embedder_id=embedder_id).scores[0]


def find_top_k_batch(
    vectors: NDArray[np.floating],
    k: int = 5,
    *,
    embedder_id: str | None = None,
    events: Collection[int] | None = None,
) -> BatchScores:
    """The k people nearest to each unit vector (n, dimension). Not inside a transaction.

    With `events` only references of these events answer and are counted, as if the gallery held no others: what a user
    may not see neither shows nor pushes anybody out of the k. Events that are being deleted answer nobody.
    Vectors of `embedder_id` are compared with that embedder's: the active one, or beside a change of it the other of
    the two. Raises BadVector, SearchInsideTransaction, NoActiveEmbedder, and WrongEmbedder for any other. Exact as long
    as the index is Flat, whatever the number of faces per person.
    """
    if k < 1:
        raise ValueError("k must be at least 1")
    index = get_gallery_index(embedder_id)
    return _search_people(index, np.asarray(vectors), k, _restrict(events))


def find_match(vector: NDArray[np.floating], *, embedder_id: str | None = None) -> Match:
    """The match of one face on its own, by the active embedder's thresholds. Raises what find_top_k_batch raises."""
    index = get_gallery_index(embedder_id)
    scores = _search_people(index, np.asarray(vector)[np.newaxis], 2, _restrict(None)).scores
    return assign_people(scores, describe_calibrated(index.embedder_id).thresholds)[0]


def events_to_search(user: User) -> frozenset[int] | None:
    """The events whose references may answer this user; None where that is all of them."""
    if sees_everything(user):
        return None
    seen = Event.objects.for_role(user, *SEEING).order_by().values_list("pk", flat=True)
    return frozenset(seen)


@dataclass(frozen=True, slots=True)
class _References:
    """The references that may answer, and their events."""

    face_pks: frozenset[int]
    events: frozenset[int]


def _restrict(events: Collection[int] | None) -> _References | None:
    """None where every reference may answer. What is being deleted must name nobody while its rows still go."""
    if events is None:
        if not Event.objects.filter(deleted_at__isnull=False).exists():
            return None
        events = Event.objects.filter(deleted_at=None).order_by().values_list("pk", flat=True)
    wanted = frozenset(events)
    return _References(_references_of(wanted), wanted)


def _references_of(events: Collection[int]) -> frozenset[int]:
    found: set[int] = set()
    for part in in_parts(sorted(events), _IDS_AT_ONCE):
        rows = Sighting.objects.filter(is_reference=True, face__photo__event__in=part)
        found.update(rows.order_by().values_list("face_id", flat=True))
    return frozenset(found)


def _search_people(
    index: GalleryIndex, vectors: NDArray[np.floating], k: int, only: _References | None = None
) -> BatchScores:
    """Ask for more faces until k people are among them: the best of a person may hide behind many faces of another."""
    person_of: dict[int, int] = {}
    found: list[list[_Near]] = [[] for _ in vectors]
    pending, asked, version = list(range(len(vectors))), max(_FIRST_HITS, 4 * k), None
    while version is None or pending:
        result = index.search(vectors[pending], asked, among=only.face_pks if only else None)
        # The first: whoever writes by this answer must look again even if only a later round saw the change.
        version = result.version if version is None else version
        people = _look_up(person_of, result.face_pks)
        for row, place in enumerate(pending):
            found[place] = _nearest(result.similarities[row], result.face_pks[row], people[row], k)
        # Fewer than asked for: the index holds no more.
        full = np.count_nonzero(result.face_pks >= 0, axis=1) == asked
        pending = [place for row, place in enumerate(pending) if full[row] and len(found[place]) < k]
        asked *= _GROWTH
    counts = _count_references({near.person_id for row in found for near in row}, only)
    return BatchScores(
        version,
        [
            [
                PersonScore(
                    person_id=near.person_id,
                    similarity=near.similarity,
                    references=near.references,
                    reference_count=counts.get(near.person_id, len(near.references)),
                )
                for near in row
            ]
            for row in found
        ],
    )


class _Near(NamedTuple):
    """A person among the hits of one query, with their nearest references."""

    person_id: int
    similarity: float
    references: tuple[int, ...]


def _look_up(person_of: dict[int, int], face_pks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Who these faces (n, k) are; nobody for one that is no reference any more, or was undone since the search."""
    found, places = np.unique(face_pks, return_inverse=True)
    asked = found.tolist()
    missing = [pk for pk in asked if pk not in person_of]
    person_of.update(dict.fromkeys(missing, _NOBODY))
    for part in in_parts(missing, _IDS_AT_ONCE):
        references = Sighting.objects.filter(face_id__in=part, is_reference=True).order_by()
        person_of.update(references.values_list("face_id", "person_id"))
    people: NDArray[np.int64] = np.array([person_of[pk] for pk in asked], dtype=np.int64)[places]
    return people.reshape(face_pks.shape)


def _nearest(
    similarities: NDArray[np.float32], face_pks: NDArray[np.int64], people: NDArray[np.int64], k: int
) -> list[_Near]:
    """The k people nearest to one query, from its hits (m,), best first; of two who are equally near the lower number."""
    known, first = np.unique(people, return_index=True)
    best = first[known != _NOBODY]
    best = best[np.lexsort((people[best], -similarities[best]))][:k]
    return [
        _Near(
            int(people[place]),
            float(similarities[place]),
            tuple(face_pks[np.flatnonzero(people == people[place])[:_REFERENCES]].tolist()),
        )
        for place in best
    ]


def _count_references(person_ids: set[int], only: _References | None) -> dict[int, int]:
    counts: Counter[int] = Counter()
    for part in in_parts(sorted(person_ids), _IDS_AT_ONCE):
        references = Sighting.objects.filter(person_id__in=part, is_reference=True).order_by()
        for events in [None] if only is None else in_parts(sorted(only.events), _IDS_AT_ONCE):
            rows = references if events is None else references.filter(face__photo__event__in=events)
            counts.update(dict(rows.values_list("person_id").annotate(count=Count("pk"))))
    return dict(counts)
