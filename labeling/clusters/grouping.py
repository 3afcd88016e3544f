"""Where the faces of one event belong, by what is known of them now. Reads only; the plan is written by placing.py."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from labeling.clusters.faces import judge_cluster
from labeling.clusters.graph import ALONE, group_faces, lines_of
from labeling.clusters.placing import KNOWN, Group, Plan, find_taken_out
from labeling.clusters.vectors import QueueVectors
from labeling.models import Cluster, ClusterMember
from recognition.embedders import Thresholds
from recognition.models import UnlabeledFace

# Up to so many open faces everything unseen is grouped anew with every arrival: it takes a moment, and order leaves no trace.
ANEW_UP_TO = 3000


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EventFaces:
    """Open faces of an event, and the decided ones that share a cluster with one. All arrays are (n,)."""

    face_pks: NDArray[np.int64]
    photos: NDArray[np.int64]
    clusters: NDArray[np.int64]  # primary key, or ALONE
    still_open: NDArray[np.bool_]
    known: NDArray[np.bool_]  # in a cluster that people know


def read_event_faces(event_pk: int) -> EventFaces:
    """Without those that a person took out of a cluster and that stayed alone: none joins another by itself."""
    entries = UnlabeledFace.objects.open().filter(face__photo__event=event_pk).order_by()
    photo_of: dict[int, int] = dict(entries.values_list("face_id", "face__photo_id"))
    waiting = set(photo_of)
    cluster_of: dict[int, int] = {}
    members = ClusterMember.objects.filter(
        cluster__event=event_pk, cluster__open_count__gt=0, face__photo__event=event_pk
    )
    for face_pk, photo_pk, cluster_pk in members.order_by().values_list(
        "face_id", "face__photo_id", "cluster_id"
    ):
        photo_of[face_pk] = photo_pk
        cluster_of[face_pk] = cluster_pk
    apart = find_taken_out(event_pk) - cluster_of.keys()
    elsewhere = _members_elsewhere(event_pk) - cluster_of.keys()
    face_pks = np.array(sorted(photo_of.keys() - apart - elsewhere), dtype=np.int64)
    known = set(Cluster.objects.filter(KNOWN, event=event_pk).values_list("pk", flat=True))
    clusters = np.array([cluster_of.get(pk, ALONE) for pk in face_pks.tolist()], dtype=np.int64)
    return EventFaces(
        face_pks=face_pks,
        photos=np.array([photo_of[pk] for pk in face_pks.tolist()], dtype=np.int64),
        clusters=clusters,
        still_open=np.isin(face_pks, sorted(waiting)),
        known=np.isin(clusters, sorted(known)),
    )


def group_arrivals(
    event_pk: int, arrivals: Iterable[int], vectors: QueueVectors, thresholds: Thresholds
) -> Plan:
    """Where new faces of the event belong, and the others where that is open: see ANEW_UP_TO."""
    faces = read_event_faces(event_pk)
    vectors.hold_also(faces.face_pks)
    faces, matrix = _with_vectors(faces, vectors)
    lines = lines_of(thresholds, faces=len(faces.face_pks))
    held = faces.clusters != ALONE
    if len(faces.face_pks) <= ANEW_UP_TO:
        return _group(faces, matrix, held=faces.known, thresholds=thresholds)
    new = np.isin(faces.face_pks, list(arrivals)) & ~held
    # Who waits and looks like no arrival goes on waiting.
    waiting = np.flatnonzero(~held & ~new)
    near = _any_near(matrix[waiting], matrix[new], lines.link)
    kept = held | new
    kept[waiting[near]] = True
    return _group(_take(faces, kept), matrix[kept], held=held[kept], thresholds=thresholds)


def group_anew(event_pk: int, vectors: QueueVectors, thresholds: Thresholds) -> Plan:
    """Where every face of the event belongs that is in no cluster that people know."""
    faces = read_event_faces(event_pk)
    vectors.hold_also(faces.face_pks)
    faces, matrix = _with_vectors(faces, vectors)
    return _group(faces, matrix, held=faces.known, thresholds=thresholds)


def _group(
    faces: EventFaces, matrix: NDArray[np.float32], *, held: NDArray[np.bool_], thresholds: Thresholds
) -> Plan:
    # Numbers of clusters begin at 0 for group_faces, so that those it opens begin behind them.
    pks, numbers = np.unique(faces.clusters[held], return_inverse=True)
    labels = np.full(len(faces.face_pks), ALONE, dtype=np.int64)
    labels[held] = numbers
    lines = lines_of(thresholds, faces=len(labels))
    labels = group_faces(vectors=matrix, photos=faces.photos, lines=lines, held=labels)
    target_of: dict[int, int | None] = dict(enumerate(pks.tolist()))
    target_of |= _keep_numbers(faces, labels, first=len(pks), held=held)
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels.tolist()):
        groups[label].append(place)
    leaving = [place for place in groups.pop(ALONE, []) if faces.clusters[place] != ALONE]
    return Plan(
        was=dict(zip(faces.face_pks.tolist(), faces.clusters.tolist(), strict=True)),
        groups=[
            group
            for label, places in sorted(groups.items())
            if (group := _changed_group(faces, matrix, target_of[label], np.array(places), thresholds))
        ],
        leaving=faces.face_pks[leaving].tolist(),
    )


def _changed_group(
    faces: EventFaces,
    matrix: NDArray[np.float32],
    cluster: int | None,
    places: NDArray[np.int64],
    thresholds: Thresholds,
) -> Group | None:
    """None for a cluster that stays as it is."""
    if cluster is not None and (faces.clusters[places] == cluster).all():
        return None
    places = places[faces.still_open[places]]
    if not places.size:
        return None
    closeness, mixed = judge_cluster(vectors=matrix[places], thresholds=thresholds)
    pairs = zip(faces.face_pks[places].tolist(), closeness.tolist(), strict=True)
    return Group(cluster=cluster, closeness=dict(pairs), mixed=mixed)


def _keep_numbers(
    faces: EventFaces, labels: NDArray[np.int64], *, first: int, held: NDArray[np.bool_]
) -> dict[int, int | None]:
    """Each new group goes on as the cluster that most of it was in, if no other group has more of that one."""
    free = ~held & (labels >= first)
    shared = Counter(zip(labels[free].tolist(), faces.clusters[free].tolist(), strict=True))
    target_of: dict[int, int | None] = dict.fromkeys(sorted(set(labels[free].tolist())))
    used: set[int] = set()
    for (label, cluster), _ in sorted(shared.items(), key=lambda item: (-item[1], item[0])):
        if cluster != ALONE and cluster not in used and target_of[label] is None:
            target_of[label] = cluster
            used.add(cluster)
    return target_of


def _any_near(
    waiting: NDArray[np.float32], arrivals: NDArray[np.float32], line: float, *, step: int = 2000
) -> NDArray[np.bool_]:
    parts = [
        (waiting[start : start + step] @ arrivals.T >= line).any(axis=1)
        for start in range(0, len(waiting), step)
    ]
    return np.concatenate([np.empty(0, dtype=bool), *parts])


def _with_vectors(faces: EventFaces, vectors: QueueVectors) -> tuple[EventFaces, NDArray[np.float32]]:
    places = vectors.places_of(faces.face_pks)
    return _take(faces, places >= 0), vectors.matrix[places[places >= 0]]


def _take(faces: EventFaces, kept: NDArray[np.bool_]) -> EventFaces:
    return EventFaces(
        face_pks=faces.face_pks[kept],
        photos=faces.photos[kept],
        clusters=faces.clusters[kept],
        still_open=faces.still_open[kept],
        known=faces.known[kept],
    )


def _members_elsewhere(event_pk: int) -> set[int]:
    """Open faces whose cluster is of another event, or counts no open face: settled by the sweep, not by a guess."""
    members = ClusterMember.objects.filter(face__photo__event=event_pk, face__unlabeled__reviewed=False)
    return set(members.order_by().values_list("face_id", flat=True))
