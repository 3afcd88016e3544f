"""How any decision is written: in one short transaction, about all of its faces or none, once, and with what undoing needs."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, Model, Q

from labeling.decisions.errors import DecisionConflict, NothingToDecide
from labeling.decisions.reading import find_repeated_about, latest_decision
from labeling.decisions.snapshots import Snapshot, take_snapshots
from labeling.models import Cluster, ClusterMember, DecidedFace, Decision, Rejection
from labeling.signals import decided
from recognition.crash_points import crash_point
from recognition.gallery_journal import touch_gallery
from recognition.models import Face, Person

_AT_ONCE = 500
M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What a decision wrote. `left_out` are faces that it did not touch after all; `rejected` are none of the faces, or
    none of those in `refused` where that is given."""

    person: Person | None = None
    created: bool = False
    left_out: Collection[int] = ()
    rejected: Sequence[Person] = ()
    refused: Collection[int] | None = None
    details: dict[str, Any] = field(default_factory=dict)


def decide(
    kind: Decision.Kind,
    *,
    faces: Sequence[Face],
    actor: User,
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
    cluster: Cluster | None = None,
    write: Callable[[], Written],
) -> Decision:
    """Write one decision about these faces; `versions` are those that the caller saw, by primary key of the face.

    A version that moved since is somebody else's decision: then nothing is written. Raises DecisionConflict, and
    NothingToDecide where no face is left.
    """
    if not faces:
        raise NothingToDecide
    key, face_pks = key or uuid4(), [face.pk for face in faces]
    seen = versions if versions is not None else read_versions(face_pks)
    with transaction.atomic():
        # Its row lock orders the writers, so whoever comes second sees below what the first one wrote.
        touch_gallery(face_pks)
        if (repeated := find_repeated_about(key, face_pks, actor)) is not None:
            return repeated
        _check_versions(face_pks, seen)
        cluster = find_still(cluster)
        before = take_snapshots(face_pks)
        written = write()
        left_out = set(written.left_out)
        touched = [pk for pk in face_pks if pk not in left_out]
        if not touched:
            raise NothingToDecide
        Face.objects.filter(pk__in=touched).update(version=F("version") + 1)
        decision = Decision(
            key=key,
            kind=kind,
            actor=actor,
            person=written.person,
            created_person=written.created,
            cluster=cluster,
            details=written.details,
        )
        write_rows(decision, touched, before)
        Rejection.objects.bulk_create(
            [
                Rejection(face_id=pk, person=person, decision=decision)
                for pk in touched
                if written.refused is None or pk in written.refused
                for person in written.rejected
            ],
            batch_size=_AT_ONCE,
            ignore_conflicts=True,
        )
        recount_clusters(clusters_of(touched) | ({cluster.pk} if cluster else set()))
        decided.send(Decision, decision=decision)
        crash_point("decision_written")
    return decision


def write_rows(
    decision: Decision, face_pks: Sequence[int], before: Mapping[int, Snapshot] | None = None
) -> None:
    """The decision and a row for each of its faces, with what the face was `before` where undoing it needs that."""
    decision.face_id, decision.face_count = face_pks[0], len(face_pks)
    decision.save(force_insert=True)
    rows = [
        DecidedFace(decision=decision, face_id=pk, before=before[pk] if before is not None else {})
        for pk in face_pks
    ]
    DecidedFace.objects.bulk_create(rows, batch_size=_AT_ONCE)


def find_still(row: M | None) -> M | None:
    """The cluster or person that a decision names, unless it went since its page was drawn. Within the gallery's lock."""
    there = row is not None and type(row)._default_manager.filter(pk=row.pk).exists()
    return row if there else None


def read_versions(face_pks: Sequence[int]) -> dict[int, int]:
    return dict(Face.objects.filter(pk__in=face_pks).values_list("pk", "version"))


def clusters_of(face_pks: Sequence[int]) -> set[int]:
    return set(ClusterMember.objects.filter(face__in=face_pks).values_list("cluster", flat=True))


def recount_clusters(cluster_pks: Collection[int], *, decided: bool = True) -> None:
    """Count the open members of these clusters anew; `decided` tells the cards that were drawn before apart.

    Within the gallery's lock, so that two writers count one after the other.
    """
    if not cluster_pks:
        return
    counts = dict(
        Cluster.objects.filter(pk__in=cluster_pks)
        .order_by()
        .annotate(still_open=Count("members", filter=Q(members__face__unlabeled__reviewed=False)))
        .values_list("pk", "still_open")
    )
    for pk, count in counts.items():
        Cluster.objects.filter(pk=pk).update(
            open_count=count, version=F("version") + 1 if decided else F("version")
        )


def _check_versions(face_pks: Sequence[int], seen: Mapping[int, int]) -> None:
    now = read_versions(face_pks)
    for pk in face_pks:
        if now.get(pk) is None or now[pk] != seen.get(pk):
            raise DecisionConflict(latest_decision(pk))
