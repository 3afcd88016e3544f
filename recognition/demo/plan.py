"""Who is on which photo of a demo vault, and what is known of each face. Numbers only: no rows, no pixels."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, replace
from enum import IntEnum
from heapq import heapify, heapreplace

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
    """`identities`, `roles` and `looks` (n,) are in step, one per face; `photos` holds the indexes of each photo's faces.

    Identities count people from 0, then clusters, then single strangers. A look is what a face looks like: everybody has
    one of their own until `share_looks`.
    """

    people: int
    clusters: int
    identities: NDArray[np.int64]
    roles: NDArray[np.int64]
    looks: NDArray[np.int64]
    photos: list[list[int]]


def plan_vault(size: DemoSize, rng: np.random.Generator) -> Plan:
    """The faces, and photos of three to eight different people; raise BadSize."""
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
    order = rng.permutation(size.faces)
    return Plan(
        people=size.people,
        clusters=size.clusters,
        identities=np.array(identities, dtype=np.int64),
        roles=np.array(roles, dtype=np.int64),
        looks=np.array(identities, dtype=np.int64),
        photos=_group([int(face) for face in order], identities),
    )


def share_looks(plan: Plan, casts: int) -> Plan:
    """The same faces on photos of a few casts who always stand together, so that a few pictures show all of them.

    A cast is three to eight looks. People share looks as evenly as they can: then nearly every photo has a whole cast. An
    even look is for even identities, an odd one for odd ones.
    """
    sizes = [GROUPS[cast % len(GROUPS)] for cast in range(casts)]
    cast_of = np.repeat(np.arange(casts), sizes)
    looks = _even_looks(plan.identities, len(cast_of))
    faces_of: defaultdict[int, list[int]] = defaultdict(list)
    for face in (face for photo in plan.photos for face in photo):
        faces_of[int(looks[face])].append(face)
    # Each cast's photos are spread over the whole vault: an event shows all casts.
    photos: list[tuple[float, int, list[int]]] = []
    for cast in range(casts):
        members = [faces_of[int(look)] for look in np.flatnonzero(cast_of == cast)]
        longest = max(len(faces) for faces in members)
        for turn in range(longest):
            group = [faces[turn] for faces in members if turn < len(faces)]
            photos.append(((turn + 0.5) / longest, cast, group))
    return replace(plan, looks=looks, photos=[group for _, _, group in sorted(photos)])


def _even_looks(identities: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """A look for each face (n,): whoever has most faces first, each takes the look that has fewest."""
    faces = np.bincount(identities)
    look_of = np.zeros(len(faces), dtype=np.int64)
    for parity in (0, 1):
        loads = [(0, look) for look in range(parity, count, 2)]
        heapify(loads)
        mine = np.arange(parity, len(faces), 2)
        for identity in mine[np.argsort(-faces[mine], kind="stable")]:
            load, look = loads[0]
            heapreplace(loads, (load + int(faces[identity]), look))
            look_of[identity] = look
    return look_of[identities]


def _share(total: int, parts: int, least: int, rng: np.random.Generator) -> list[int]:
    """`total` in `parts` of `least` or more: a few people are everywhere, most are seen seldom."""
    if not parts:
        return []
    weights = rng.gamma(1.6, size=parts)
    extra = rng.multinomial(total - least * parts, weights / weights.sum())
    return [least + int(count) for count in extra]


def _group(order: list[int], identities: list[int]) -> list[list[int]]:
    """Faces into photos; nobody is on a photo twice."""
    waiting = deque(order)
    photos: list[list[int]] = []
    while waiting:
        photo: list[int] = []
        seen: set[int] = set()
        passed: list[int] = []
        while waiting and len(photo) < GROUPS[len(photos) % len(GROUPS)] and len(passed) < _LOOK_AHEAD:
            face = waiting.popleft()
            if identities[face] in seen:
                passed.append(face)
            else:
                photo.append(face)
                seen.add(identities[face])
        waiting.extendleft(reversed(passed))
        photos.append(photo)
    return photos
