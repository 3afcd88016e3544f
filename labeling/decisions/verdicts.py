"""Decisions that name nobody: stranger, not a face, too poor, put back, taken out of a group, skipped, asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction

from labeling.decisions.caused import reopen_entries
from labeling.decisions.errors import DecisionConflict, NothingToDecide
from labeling.decisions.reading import find_repeated_about
from labeling.decisions.writing import Written, decide, find_still, write_rows
from labeling.models import Cluster, ClusterMember, Decision
from recognition.gallery_journal import lock_gallery_state
from recognition.models import Face, Person, Sighting, UnlabeledFace

CLOSING = {
    Decision.Kind.STRANGER: UnlabeledFace.Verdict.STRANGER,
    Decision.Kind.NOT_A_FACE: UnlabeledFace.Verdict.NOT_A_FACE,
    Decision.Kind.POOR: UnlabeledFace.Verdict.POOR,
}
_AT_ONCE = 500


def record_verdict(
    *, face: Face, kind: str, actor: User, version: int | None = None, key: UUID | None = None
) -> Decision:
    """The verdict on one face: see `record_verdicts`."""
    versions = None if version is None else {face.pk: version}
    return record_verdicts(faces=[face], kind=kind, actor=actor, versions=versions, key=key)


def record_verdicts(
    *,
    faces: Sequence[Face],
    kind: str,
    actor: User,
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
    cluster: Cluster | None = None,
    person: Person | None = None,
) -> Decision:
    """Close faces as `stranger`, `not_a_face` or `poor`; `skip` them for this user, or `ask` a colleague; `reopen` them.

    A closing verdict and `reopen` take off a name that a face had. A `skip` and an `ask` change nothing that others
    see of a face, so they move no version and meet no conflict; `person` is whose list of suggestions was put off.
    Raises DecisionConflict, NothingToDecide.
    """
    decided = Decision.Kind(kind)
    if decided in Decision.POSTPONING:
        return _postpone(decided, faces, actor, key or uuid4(), cluster, person)
    if decided is not Decision.Kind.REOPEN and decided not in CLOSING:
        raise ValueError(f"{kind} is no verdict")

    def write() -> Written:
        Sighting.objects.filter(face__in=[face.pk for face in faces]).delete()
        reopen_entries(faces)
        if decided in CLOSING:
            entries = UnlabeledFace.objects.filter(face__in=[face.pk for face in faces])
            entries.update(reviewed=True, verdict=CLOSING[decided])
        return Written()

    return decide(decided, faces=faces, actor=actor, versions=versions, key=key, cluster=cluster, write=write)


def split_cluster(
    *,
    cluster: Cluster,
    faces: Sequence[Face],
    actor: User,
    versions: Mapping[int, int] | None = None,
    key: UUID | None = None,
    together: bool = True,
) -> Decision:
    """Take faces out of a cluster: several become a cluster of their own, one stays alone; none comes back by itself.

    Not `together`, each of them stays alone. Raises DecisionConflict, NothingToDecide if none of them is in the cluster any more.
    """

    def write() -> Written:
        members = ClusterMember.objects.filter(cluster=cluster, face__in=[face.pk for face in faces])
        there = set(members.values_list("face_id", flat=True))
        left_out = {face.pk for face in faces} - there
        if together and len(there) > 1:
            apart = Cluster.objects.create(event=cluster.event, seen_at=cluster.seen_at)
            members.update(cluster=apart)
            return Written(left_out=left_out, details={"cluster": apart.pk})
        members.delete()
        return Written(left_out=left_out)

    return decide(
        Decision.Kind.SPLIT,
        faces=faces,
        actor=actor,
        versions=versions,
        key=key,
        cluster=cluster,
        write=write,
    )


def _postpone(
    kind: Decision.Kind,
    faces: Sequence[Face],
    actor: User,
    key: UUID,
    cluster: Cluster | None,
    person: Person | None,
) -> Decision:
    if not faces:
        raise NothingToDecide
    face_pks = [face.pk for face in faces]
    with transaction.atomic():
        # Nothing that it points at goes in between; the version stays.
        lock_gallery_state()
        if (repeated := find_repeated_about(key, face_pks, actor)) is not None:
            return repeated
        if Face.objects.filter(pk__in=face_pks).count() < len(faces):
            raise DecisionConflict(None)
        decision = Decision(
            key=key, kind=kind, actor=actor, cluster=find_still(cluster), person=find_still(person)
        )
        write_rows(decision, face_pks)
    return decision
