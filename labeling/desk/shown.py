"""Which faces stand for a group on its card: the best eight and the three farthest, the same wherever they are asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from labeling.clusters.faces import BEST, FARTHEST, describe_cluster
from labeling.evidence import read_vectors
from labeling.models import ClusterMember
from recognition.active_embedder import find_active_info

# Of a larger group the best and the least close are compared: they are the ones that may be shown.
_BEST_READ, _FAR_READ = 40, 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An open face of a group. `pk` is the membership's: it grows with every face that joins."""

    pk: int
    face_pk: int
    photo_pk: int
    priority: float
    closeness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Primary keys of faces; `best` begins with the best, `farthest` with the farthest. They share none."""

    members: list[Member] = field(default_factory=list)
    best: list[int] = field(default_factory=list)
    farthest: list[int] = field(default_factory=list)
    mixed: bool = False


def choose_shown(cluster_pks: Collection[int]) -> dict[int, Shown]:
    """For each of these groups, by two queries for all of them. A group without open faces shows none."""
    members: defaultdict[int, list[Member]] = defaultdict(list)
    rows = (
        ClusterMember.objects.filter(cluster__in=cluster_pks, face__unlabeled__reviewed=False)
        .order_by("pk")
        .values_list("cluster", "pk", "face__pk", "face__photo", "face__unlabeled__priority", "closeness")
    )
    for cluster, pk, face, photo, priority, closeness in rows:
        members[cluster].append(
            Member(pk=pk, face_pk=face, photo_pk=photo, priority=priority, closeness=closeness)
        )
    compared = {cluster: _compared(of_one) for cluster, of_one in members.items()}
    info = find_active_info()
    pks = [member.face_pk for some in compared.values() for member in some]
    vectors = read_vectors(pks, info) if info is not None else {}
    shown = {pk: Shown() for pk in cluster_pks}
    for cluster, of_one in members.items():
        known = [member for member in compared[cluster] if member.face_pk in vectors]
        if info is None or len(known) < 2:
            ranked = sorted(of_one, key=lambda member: (-member.priority, member.pk))
            shown[cluster] = Shown(members=of_one, best=[member.face_pk for member in ranked[:BEST]])
            continue
        shape = describe_cluster(
            vectors=np.stack([vectors[member.face_pk] for member in known]),
            quality=np.array([member.priority for member in known], dtype=np.float64),
            thresholds=info.shipped,
        )
        shown[cluster] = Shown(
            members=of_one,
            best=[known[place].face_pk for place in shape.best],
            farthest=[known[place].face_pk for place in shape.farthest],
            mixed=shape.mixed,
        )
    return shown


def _compared(members: Sequence[Member]) -> list[Member]:
    if len(members) <= _BEST_READ + _FAR_READ:
        return list(members)
    best = sorted(members, key=lambda member: (-member.priority, member.pk))[:_BEST_READ]
    far = sorted(members, key=lambda member: (member.closeness, member.pk))[:_FAR_READ]
    return list({member.pk: member for member in (*best, *far)}.values())


__all__ = ["BEST", "FARTHEST", "Member", "Shown", "choose_shown"]
