"""Keep clusters true to their faces: judged anew where a person changed them, counted, moved with their photos, gone when empty."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection

from django.db import transaction
from django.db.models import Count, F, Q

from labeling.clusters.faces import judge_cluster
from labeling.clusters.vectors import QueueVectors
from labeling.decisions.writing import clusters_of, recount_clusters
from labeling.models import Cluster, ClusterMember, Look
from recognition.embedders import Thresholds
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Face, Photo
from recognition.parts import in_parts

_PARAMETERS = 1000
_NOTICEABLE = 0.02


def judge_again(
    cluster_pks: Collection[int],
    vectors: QueueVectors,
    thresholds: Thresholds,
    renew: Callable[[], None],
) -> None:
    """Whether these clusters are mixed, and how close their open faces are: of what people left in them."""
    for part in in_parts(sorted(cluster_pks), _PARAMETERS):
        members: defaultdict[int, list[ClusterMember]] = defaultdict(list)
        rows = ClusterMember.objects.filter(cluster__in=part, face__unlabeled__reviewed=False)
        for member in rows.order_by("face_id"):
            members[member.cluster_id].append(member)
        for cluster_pk, some in members.items():
            _judge_one(cluster_pk, some, vectors, thresholds, renew)


def leave_photo(photo: Photo) -> None:
    """The faces of a photo that got another event leave their clusters, and are placed anew. Belongs into its transaction."""
    faces = list(Face.objects.filter(photo=photo).order_by().values_list("pk", flat=True))
    left = clusters_of(faces)
    ClusterMember.objects.filter(face__in=faces).delete()
    Look.objects.filter(face__in=faces).delete()
    recount_clusters(left, decided=False)
    Cluster.objects.filter(pk__in=left, members=None).delete()


def sweep_clusters() -> int:
    """Put right what a deleted photo, an undo after a move, or a kill left behind; returns how many clusters were touched."""
    with transaction.atomic():
        lock_gallery_state()
        elsewhere = ClusterMember.objects.exclude(face__photo__event=F("cluster__event"))
        wrong = dict(elsewhere.order_by().values_list("face_id", "cluster_id"))
        for part in in_parts(sorted(wrong), _PARAMETERS):
            ClusterMember.objects.filter(face__in=part).delete()
            Look.objects.filter(face__in=part).delete()
        counted = Cluster.objects.order_by().annotate(
            still_open=Count("members", filter=Q(members__face__unlabeled__reviewed=False)),
            all_members=Count("members"),
        )
        miscounted = set(counted.exclude(open_count=F("still_open")).values_list("pk", flat=True))
        empty = list(counted.filter(all_members=0).values_list("pk", flat=True))
        for part in in_parts(sorted(miscounted), _PARAMETERS):
            recount_clusters(part, decided=False)
        for part in in_parts(empty, _PARAMETERS):
            Cluster.objects.filter(pk__in=part).delete()
    return len(miscounted | set(empty) | set(wrong.values()))


def _judge_one(
    cluster_pk: int,
    members: list[ClusterMember],
    vectors: QueueVectors,
    thresholds: Thresholds,
    renew: Callable[[], None],
) -> None:
    pks, matrix = vectors.look_up([member.face_id for member in members])
    if not pks:
        return
    closeness, mixed = judge_cluster(vectors=matrix, thresholds=thresholds)
    now = dict(zip(pks, closeness.tolist(), strict=True))
    stale = [
        member
        for member in members
        if member.face_id in now and abs(member.closeness - now[member.face_id]) > _NOTICEABLE
    ]
    for member in stale:
        member.closeness = now[member.face_id]
    if not stale and not Cluster.objects.filter(pk=cluster_pk).exclude(mixed=mixed).exists():
        return
    with transaction.atomic():
        # Like every writer of members and clusters: two that lock the same rows in another order wait for each other.
        lock_gallery_state()
        renew()
        ClusterMember.objects.bulk_update(stale, ["closeness"], batch_size=200)
        Cluster.objects.filter(pk=cluster_pk).update(mixed=mixed)
