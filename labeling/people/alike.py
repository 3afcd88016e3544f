"""Pairs of people who may be one, by what their references look like: found by the worker, kept as rows, made anew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from numpy.typing import NDArray

from access.roles import LABELER, MANAGER, User, reach_of
from labeling.models import AlikePeople, AlikeState, DifferentPeople
from recognition.active_embedder import find_active_info
from recognition.embedders import EmbedderInfo, Thresholds
from recognition.gallery_journal import lock_gallery_state, read_gallery_state
from recognition.models import Embedding, Person, Sighting
from recognition.people.merged import read_kept
from recognition.vectors import BadVector, check_vectors, decode_vector

# Every decision moves the gallery, and a comparison reads all references.
_PAUSE = timedelta(minutes=1)
# More than anybody looks through; the likest come first.
PAIRS_KEPT = 500
_ROWS_AT_ONCE = 512
_STATE = 1


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Means:
    """Of each person the mean of their references, not of unit length: the product of two means is how like a reference
    of one is to a reference of the other, on average. `people` (n,), `means` (n, d), `counts` (n,)."""

    people: NDArray[np.int64]
    means: NDArray[np.float32]
    counts: NDArray[np.int64]


def compare_people(*, pause: timedelta = _PAUSE) -> bool:
    """Find the pairs anew if the gallery moved since the last time, a minute after that at the earliest; whether it did.

    Reads every reference, so it is for the worker.
    """
    if (info := find_active_info()) is None:
        return False
    now, then = read_gallery_state(), AlikeState.objects.filter(pk=_STATE).first()
    if then is not None:
        fresh = (then.epoch, then.version, then.embedder_id) == (now.epoch, now.version, info.embedder_id)
        if fresh or (then.compared_at is not None and timezone.now() - then.compared_at < pause):
            return False
    pairs = _apart(find_pairs(_read_means(info), info.shipped))[:PAIRS_KEPT]
    with transaction.atomic():
        # Neither does another worker write its pairs at this moment, nor is anybody of them merged or removed.
        lock_gallery_state()
        AlikePeople.objects.all().delete()
        there = set(
            Person.objects.current()
            .filter(pk__in={pk for *two, _ in pairs for pk in two})
            .values_list("pk", flat=True)
        )
        AlikePeople.objects.bulk_create(
            AlikePeople(first_id=first, second_id=second, similarity=similarity)
            for first, second, similarity in pairs
            if {first, second} <= there
        )
        AlikeState.objects.update_or_create(
            pk=_STATE,
            defaults={
                "epoch": now.epoch,
                "version": now.version,
                "embedder_id": info.embedder_id,
                "compared_at": timezone.now(),
            },
        )
    return True


def find_pairs(found: Means, thresholds: Thresholds) -> list[tuple[int, int, float]]:
    """The lower number, the higher number, and the similarity of those that reach the line, the likest first.

    The fewer references there are, the more alike they have to be: two single faces may be alike by chance.
    """
    pairs: list[tuple[int, int, float]] = []
    sure = np.sqrt(np.maximum(1, found.counts)).astype(np.float64)
    for start in range(0, len(found.people), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        alike = found.means[some] @ found.means.T
        fewer = np.minimum(sure[some, np.newaxis], sure[np.newaxis])
        lines = thresholds.suggest + (thresholds.automatic - thresholds.suggest) / fewer
        for row, other in np.argwhere(alike >= lines):
            mine = start + int(row)
            if mine < other:
                first, second = sorted((int(found.people[mine]), int(found.people[other])))
                pairs.append((first, second, float(alike[row, other])))
    return sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1]))


def pairs_seen_by(user: User) -> QuerySet[AlikePeople]:
    """Pairs of two people whom the user may merge and of whom nobody said that they are two; the likest first."""
    pairs = AlikePeople.objects.filter(
        ~Exists(DifferentPeople.objects.filter(first=OuterRef("first"), second=OuterRef("second")))
    )
    if reach_of(user, LABELER, MANAGER).everywhere:
        return pairs.filter(
            first__merged_into=None, first__hidden_at=None, second__merged_into=None, second__hidden_at=None
        )
    people = Person.objects.editable_by(user).order_by().values("pk")
    return pairs.filter(first__in=people, second__in=people)


def tell_different(*, one: Person, another: Person, actor: User) -> None:
    """They are two: the pair is not offered again."""
    first, second = sorted((one.pk, another.pk))
    DifferentPeople.objects.get_or_create(first_id=first, second_id=second, defaults={"actor_id": actor.pk})


def tell_perhaps_one(*, one: Person, another: Person) -> None:
    """The answer that they are two is taken back: the pair is offered again."""
    first, second = sorted((one.pk, another.pk))
    DifferentPeople.objects.filter(first_id=first, second_id=second).delete()


def _read_means(info: EmbedderInfo) -> Means:
    sums: dict[int, NDArray[np.float64]] = {}
    counts: defaultdict[int, int] = defaultdict(int)
    rows = (
        Embedding.objects.gallery(info.embedder_id).order_by().values_list("face__sighting__person", "vector")
    )
    for person_pk, data in rows.iterator(chunk_size=2000):
        try:
            vector = decode_vector(bytes(data), info.dimension)
            check_vectors(vector[np.newaxis], info.dimension)
        except BadVector:
            continue
        if person_pk not in sums:
            sums[person_pk] = np.zeros(info.dimension)
        sums[person_pk] += vector
        counts[person_pk] += 1
    people = sorted(sums)
    means = [sums[pk] / counts[pk] for pk in people]
    return Means(
        people=np.array(people, dtype=np.int64),
        means=np.stack(means).astype(np.float32) if means else np.empty((0, info.dimension), np.float32),
        counts=np.array([counts[pk] for pk in people], dtype=np.int64),
    )


def _apart(pairs: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    """Without those who were on one photo together, and those of whom somebody said that they are two.

    What was said of somebody who was merged since holds for whom they are now.
    """
    kept = read_kept()
    two = {
        tuple(sorted((kept.get(first, first), kept.get(second, second))))
        for first, second in DifferentPeople.objects.values_list("first", "second")
    }
    together = _together({pk for *both, _ in pairs for pk in both})
    return [pair for pair in pairs if pair[:2] not in two and pair[:2] not in together]


def _together(people: Iterable[int]) -> set[tuple[int, int]]:
    """Pairs of these people who are on one photo."""
    on_photo: defaultdict[int, set[int]] = defaultdict(set)
    asked = sorted(people)
    for start in range(0, len(asked), 10_000):
        rows = Sighting.objects.filter(person__in=asked[start : start + 10_000]).order_by()
        for photo, person in rows.values_list("face__photo", "person"):
            on_photo[photo].add(person)
    return {pair for there in on_photo.values() for pair in combinations(sorted(there), 2)}
