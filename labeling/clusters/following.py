"""Which open faces a change of the gallery can concern: those that a changed reference is near enough to say something else of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.vectors import QueueVectors, read_matrix
from labeling.models import Cluster, DecidedFace, Decision, Look
from recognition.embedders import Thresholds
from recognition.models import Face, GalleryChange, Sighting, UnlabeledFace
from recognition.parts import in_parts

# Changed references compared with every open face at a time.
_BLOCK = 200
_PARAMETERS = 1000
# Rounding between two ways to compute the same similarity.
_EQUAL = 1e-4
_NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What happened to the gallery between two versions."""

    touched: list[int]  # faces that the journal names
    gone: bool  # some of them are deleted
    # A version without faces: people were merged, or an event disappeared.
    silent: bool


def read_change(after: int, until: int) -> Change:
    """From the journal, which must reach back to `after`."""
    entries = GalleryChange.objects.filter(version__gt=after, version__lte=until)
    touched = sorted(set(entries.values_list("face", flat=True)))
    versions = entries.values("version").distinct().count()
    there = sum(Face.objects.filter(pk__in=part).count() for part in in_parts(touched, _PARAMETERS))
    return Change(touched=touched, gone=there < len(touched), silent=versions < until - after)


def find_concerned(change: Change, vectors: QueueVectors, thresholds: Thresholds) -> list[int]:
    """Open faces that were looked at and of whom the gallery may say something else by now."""
    rows = Look.objects.filter(face__unlabeled__reviewed=False).order_by("face_id")
    # Empty ones become NaN.
    looks = np.array(
        list(rows.values_list("face_id", "person_id", "similarity", "margin")), dtype=np.float64
    ).reshape(-1, 4)
    looks[:, 1] = np.nan_to_num(looks[:, 1], nan=_NOBODY)
    pks = looks[:, 0].astype(np.int64)
    concerned = np.isin(pks, change.touched)
    concerned |= _is_beside_change(looks, pks, change.touched)
    if change.gone or change.silent:
        # Who answered for these faces cannot be asked any more.
        concerned |= looks[:, 1] != _NOBODY
    concerned |= _is_near_change(looks, pks, change.touched, vectors, thresholds)
    found: list[int] = pks[concerned].tolist()
    return found


def find_touched_clusters(touched: list[int]) -> set[int]:
    """Clusters of these faces, and those that a split or its undo took them out of."""
    clusters: set[int] = set()
    for part in in_parts(touched, _PARAMETERS):
        clusters.update(Cluster.objects.filter(members__face__in=part).values_list("pk", flat=True))
        splits = DecidedFace.objects.filter(face__in=part, decision__kind=Decision.Kind.SPLIT)
        clusters.update(
            splits.exclude(decision__cluster=None).order_by().values_list("decision__cluster", flat=True)
        )
    return clusters


def _is_near_change(
    looks: NDArray[np.float64],
    pks: NDArray[np.int64],
    touched: list[int],
    vectors: QueueVectors,
    thresholds: Thresholds,
) -> NDArray[np.bool_]:
    """A reference of somebody else matters from the runner-up of a face on, one of its best person only above the best;
    one that went matters where it may have been the best or the runner-up."""
    near = np.zeros(len(looks), dtype=bool)
    places = vectors.places_of(pks)
    known = np.flatnonzero(places >= 0)
    if not known.size:
        return near
    person, best = looks[known, 1], np.nan_to_num(looks[known, 2], nan=-1.0)
    runner_up = np.nan_to_num(best - looks[known, 3], nan=-1.0)
    # Of a face that has a suggestion the next person counts, too.
    least = np.where(best >= thresholds.suggest, thresholds.suggest - thresholds.margin, thresholds.suggest)
    faces = vectors.matrix[places[known]]
    owners = _owners_of(touched)
    changed, matrix = read_matrix(touched, vectors.embedder_id, vectors.dimension)
    people = np.array([owners.get(int(pk), _NOBODY) for pk in changed], dtype=np.float64)
    for start in range(0, len(changed), _BLOCK):
        block = slice(start, start + _BLOCK)
        alike = faces @ matrix[block].T
        of_best = (people[block] == person[:, np.newaxis]) & (person[:, np.newaxis] != _NOBODY)
        line = np.where(of_best, best[:, np.newaxis], runner_up[:, np.newaxis]) - _EQUAL
        # Of a face itself nothing new is learned by its own vector.
        itself = changed[block] == pks[known][:, np.newaxis]
        near[known] |= ((alike >= np.maximum(line, least[:, np.newaxis] - _EQUAL)) & ~itself).any(axis=1)
    return near


def _owners_of(touched: list[int]) -> dict[int, int]:
    """Those that are references now, and of whom."""
    owners: dict[int, int] = {}
    for part in in_parts(touched, _PARAMETERS):
        references = Sighting.objects.filter(face__in=part, is_reference=True).order_by()
        owners.update(references.values_list("face_id", "person_id"))
    return owners


def _is_beside_change(
    looks: NDArray[np.float64], pks: NDArray[np.int64], touched: list[int]
) -> NDArray[np.bool_]:
    """On the photo of a face that got a name, whoever may be that person; of one that may have lost its name, everybody."""
    taken: set[tuple[int, int]] = set()
    freed: set[int] = set()
    beside: dict[int, int] = {}
    for part in in_parts(touched, _PARAMETERS):
        faces = Face.objects.filter(pk__in=part).order_by()
        named = Sighting.objects.filter(face__in=part).order_by()
        taken.update(named.values_list("face__photo_id", "person_id"))
        freed.update(faces.filter(sighting=None).values_list("photo_id", flat=True))
        entries = UnlabeledFace.objects.open().filter(face__photo__in=faces.values("photo")).order_by()
        beside.update(entries.values_list("face_id", "face__photo_id"))
    person_of = dict(zip(pks.tolist(), looks[:, 1].astype(np.int64).tolist(), strict=True))
    found = [
        pk
        for pk, photo in beside.items()
        if photo in freed or (pk in person_of and (photo, person_of[pk]) in taken)
    ]
    return np.isin(pks, found)
