"""Whose faces a demo vault holds, what is known of each, and photos of them. Numbers only: no rows, no pixels."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

# Of the queue: faces of known people that the machine was not sure about.
_KNOWN_SHARE = 0.3
# Of the other faces of the queue: those of strangers who were seen more than once.
_CLUSTER_SHARE = 0.7
_REFERENCES = (3, 4, 5)
# People on one photo; photo after photo takes the next number.
GROUPS = (5, 3, 7, 4, 6, 8)
_LOOK_AHEAD = 64


class BadSize(ValueError):
    """Sizes that contradict each other."""


class Role(IntEnum):
    REFERENCE = 0  # verified by a human
    MACHINE = 1  # named by the machine
    DOUBTFUL = 2  # in the queue: a known person, in the middle band
    CLUSTERED = 3  # in the queue: a stranger who was seen more than once
    SINGLE = 4  # in the queue: a stranger who was seen once


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSize:
    """How many of each: `unlabeled` of the `faces` are in the queue, some of them in `clusters` of one stranger each."""

    faces: int
    people: int
    unlabeled: int
    clusters: int
    seed: int = 0

    def check(self) -> None:
        """Raise BadSize with what to change."""
        if min(self.faces, self.people, self.unlabeled, self.clusters, self.seed) < 0:
            raise BadSize("no size may be negative")
        named = self.faces - self.unlabeled
        if named < self.people:
            raise BadSize(f"{self.people} people need a named face each, but faces - unlabeled is {named}")
        if named and not self.people:
            raise BadSize(f"{named} faces are not in the queue, so there must be people whom they show")
        if self.unlabeled < 2 * self.clusters:
            raise BadSize(
                f"{self.clusters} clusters need two unlabeled faces each: {2 * self.clusters} or more"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`identities`, `roles` and `looks` (n,) are in step, one per face; `photos` holds the indexes of each photo's faces, and
    `events` the number of each photo's event, which never falls.

    Identities count people from 0, then clusters, then single strangers. A look is what a face looks like: everybody has
    one of their own until `seat_casts`.
    """

    people: int
    clusters: int
    identities: NDArray[np.int64]
    roles: NDArray[np.int64]
    looks: NDArray[np.int64]
    photos: list[list[int]]
    events: list[int]


def plan_vault(size: DemoSize, rng: np.random.Generator) -> Plan:
    """The faces, and photos of three to eight different people at one event; raise BadSize."""
    size.check()
    named = _share(size.faces - size.unlabeled, size.people, 1, rng)
    doubtful = (
        min(round(size.unlabeled * _KNOWN_SHARE), size.unlabeled - 2 * size.clusters) if size.people else 0
    )
    strangers = size.unlabeled - doubtful
    clustered = max(2 * size.clusters, round(strangers * _CLUSTER_SHARE)) if size.clusters else 0
    groups = _share(clustered, size.clusters, 2, rng)
    identities: list[int] = []
    roles: list[int] = []
    for person, count in enumerate(named):
        references = min(count, _REFERENCES[person % len(_REFERENCES)])
        identities += [person] * count
        roles += [Role.REFERENCE] * references + [Role.MACHINE] * (count - references)
    identities += [int(person) for person in rng.integers(0, size.people, doubtful)] if doubtful else []
    roles += [Role.DOUBTFUL] * doubtful
    for cluster, count in enumerate(groups):
        identities += [size.people + cluster] * count
    first = size.people + size.clusters
    identities += range(first, first + strangers - clustered)
    roles += [Role.CLUSTERED] * clustered + [Role.SINGLE] * (strangers - clustered)
    whose = np.array(identities, dtype=np.int64)
    photos = group_faces([int(face) for face in rng.permutation(size.faces)], whose)
    return Plan(
        people=size.people,
        clusters=size.clusters,
        identities=whose,
        roles=np.array(roles, dtype=np.int64),
        looks=whose,
        photos=photos,
        events=[0] * len(photos),
    )


def group_faces(order: Sequence[int], identities: NDArray[np.int64]) -> list[list[int]]:
    """Faces in this order into photos; nobody is on a photo twice."""
    whose = identities.tolist()
    waiting = deque(order)
    photos: list[list[int]] = []
    while waiting:
        photo: list[int] = []
        seen: set[int] = set()
        passed: list[int] = []
        while waiting and len(photo) < GROUPS[len(photos) % len(GROUPS)] and len(passed) < _LOOK_AHEAD:
            face = waiting.popleft()
            if whose[face] in seen:
                passed.append(face)
            else:
                photo.append(face)
                seen.add(whose[face])
        waiting.extendleft(reversed(passed))
        photos.append(photo)
    return photos


def _share(total: int, parts: int, least: int, rng: np.random.Generator) -> list[int]:
    """`total` in `parts` of `least` or more: a few people are everywhere, most are seen seldom."""
    if not parts:
        return []
    weights = rng.gamma(1.6, size=parts)
    extra = rng.multinomial(total - least * parts, weights / weights.sum())
    return [least + int(count) for count in extra]
