"""Write where faces belong: in one short transaction, and only of what nobody has changed or seen meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from labeling.clusters.graph import ALONE
from labeling.decisions.writing import recount_clusters
from labeling.models import Cluster, ClusterMember, DecidedFace, Decision
from recognition.crash_points import crash_point
from recognition.gallery_journal import lock_gallery_state
from recognition.models import UnlabeledFace
from recognition.parts import in_parts

# Clusters that people know: they had its card before them, or decided about a member. Faces join, and only people take any out.
KNOWN = Q(seen_at__isnull=False) | Q(version__gt=0)
_PARAMETERS = 1000
# A closeness that moved by less is not worth a write.
_NOTICEABLE = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The open faces of a cluster, each with its closeness to the others; `cluster` is empty for one to be opened."""

    cluster: int | None
    closeness: dict[int, float]
    mixed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Groups that change, faces that are alone from now on, and in which cluster each face was when it was made."""

    was: dict[int, int]
    groups: list[Group]
    leaving: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What a plan came to."""

    joined: int = 0
    opened: int = 0
    left: int = 0


def write_plan(event_pk: int, plan: Plan, renew: Callable[[], None] | None = None) -> Placed:
    """Move faces as planned. One that was decided, moved or taken out since stays where it is now.

    `renew` is called inside the transaction, and its exception takes everything back.
    """
    if not plan.groups and not plan.leaving:
        return Placed()
    with transaction.atomic():
        # Decisions, deletions and moves of photos wait, or were before and are seen below.
        lock_gallery_state()
        if renew is not None:
            renew()
        return _Writer(event_pk, plan).write()


def find_taken_out(event_pk: int) -> set[int]:
    """Faces that a person took out of a cluster: none joins another by itself."""
    splits = DecidedFace.objects.filter(
        face__photo__event=event_pk, decision__kind=Decision.Kind.SPLIT, decision__undone_at=None
    )
    return set(splits.order_by().values_list("face_id", flat=True))


class _Writer:
    """What is true now, inside the lock."""

    def __init__(self, event_pk: int, plan: Plan) -> None:
        self.event_pk, self.plan = event_pk, plan
        clusters = Cluster.objects.select_for_update().filter(event=event_pk).order_by("pk")
        self.there = set(clusters.values_list("pk", flat=True))
        self.known = set(Cluster.objects.filter(KNOWN, event=event_pk).values_list("pk", flat=True))
        self.taken_out = find_taken_out(event_pk)
        faces = [*plan.leaving, *(pk for group in plan.groups for pk in group.closeness)]
        self.member: dict[int, ClusterMember] = {}
        self.photo: dict[int, int] = {}
        for part in in_parts(faces, _PARAMETERS):
            members = ClusterMember.objects.filter(face__in=part)
            self.member.update((member.face_id, member) for member in members)
            entries = UnlabeledFace.objects.open().filter(face__in=part, face__photo__event=event_pk)
            self.photo.update(entries.order_by().values_list("face_id", "face__photo_id"))

    def write(self) -> Placed:
        groups = [
            (group, movers) for group in self.plan.groups if (movers := self._movers(group)) is not None
        ]
        leaving = [pk for pk in self.plan.leaving if self._may_move(pk)]
        moving = [*leaving, *(pk for _, movers in groups for pk in movers)]
        old = {self.member[pk].cluster_id for pk in moving if pk in self.member}
        for part in in_parts([pk for pk in moving if pk in self.member], _PARAMETERS):
            ClusterMember.objects.filter(face__in=part).delete()
        joined, opened, targets = 0, 0, set()
        photos = self._photos_of([group.cluster for group, _ in groups if group.cluster is not None])
        rows: list[ClusterMember] = []
        for group, movers in groups:
            pk = group.cluster
            if pk is None:
                pk, opened = Cluster.objects.create(event_id=self.event_pk).pk, opened + 1
            taken = photos[pk]
            for face_pk in movers:
                if self.photo[face_pk] not in taken:
                    taken.add(self.photo[face_pk])
                    rows.append(
                        ClusterMember(cluster_id=pk, face_id=face_pk, closeness=group.closeness[face_pk])
                    )
            Cluster.objects.filter(pk=pk).exclude(mixed=group.mixed).update(mixed=group.mixed)
            targets.add(pk)
        ClusterMember.objects.bulk_create(rows, batch_size=_PARAMETERS)
        self._write_closeness(set(moving))
        recount_clusters(old | targets, decided=False)
        for part in in_parts(sorted(old - targets), _PARAMETERS):
            Cluster.objects.filter(pk__in=part, members=None).delete()
        joined = len(rows)
        crash_point("before_clusters_commit")
        return Placed(joined=joined, opened=opened, left=len(leaving))

    def _movers(self, group: Group) -> list[int] | None:
        """The faces that change their cluster; None where the group cannot come about."""
        movers = [pk for pk in group.closeness if self.plan.was[pk] != group.cluster and self._may_move(pk)]
        if group.cluster is None:
            return movers if len(movers) > 1 else None
        return movers if group.cluster in self.there else None

    def _may_move(self, face_pk: int) -> bool:
        """Whether it is open and where the plan found it, and no person has a hand in that."""
        member = self.member.get(face_pk)
        now = ALONE if member is None else member.cluster_id
        return (
            face_pk in self.photo
            and now == self.plan.was[face_pk]
            and now not in self.known
            and face_pk not in self.taken_out
        )

    def _photos_of(self, cluster_pks: Sequence[int]) -> defaultdict[int, set[int]]:
        photos: defaultdict[int, set[int]] = defaultdict(set)
        for part in in_parts(cluster_pks, _PARAMETERS):
            members = ClusterMember.objects.filter(cluster__in=part).order_by()
            for cluster_pk, photo_pk in members.values_list("cluster_id", "face__photo_id"):
                photos[cluster_pk].add(photo_pk)
        return photos

    def _write_closeness(self, moved: set[int]) -> None:
        """Of the members that stay: the center has moved."""
        stale = []
        for group in self.plan.groups:
            for face_pk, closeness in group.closeness.items():
                member = self.member.get(face_pk)
                if member is None or face_pk in moved or member.cluster_id != group.cluster:
                    continue
                if abs(member.closeness - closeness) > _NOTICEABLE:
                    member.closeness = closeness
                    stale.append(member)
        ClusterMember.objects.bulk_update(stale, ["closeness"], batch_size=200)
