"""Which faces the next cards are about, for whoever does not look at them: programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from labeling.models import ClusterMember
from labeling.queue.items import QueueItem
from labeling.queue.people import open_looks
from labeling.queue.scope import Scope

MOST = 60


def faces_of_items(scope: Scope, items: Sequence[QueueItem]) -> dict[str, list[UUID]]:
    """The open faces of each card by its name, the likeliest first, at most `MOST` of each; two queries for all of them."""
    found: defaultdict[str, list[UUID]] = defaultdict(list)
    clusters = [item.pk for item in items if item.kind == "cluster"]
    people = [item.pk for item in items if item.kind == "person"]
    members = ClusterMember.objects.filter(cluster__in=clusters, face__unlabeled__reviewed=False)
    for cluster, face_id in members.values_list("cluster", "face__face_id"):
        found[f"cluster-{cluster}"].append(face_id)
    looks = open_looks(scope).filter(person__in=people).order_by("-similarity", "pk")
    for person, face_id in looks.values_list("person", "face__face_id"):
        found[f"person-{person}"].append(face_id)
    for item in items:
        if item.face_id is not None:
            found[item.card].append(item.face_id)
    return {item.card: found[item.card][:MOST] for item in items}
