"""Target: which faces a decision is about, read for one card: a face, a group or some of it, a person's list, a photo's rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from access.roles import LABELER, MANAGER
from labeling.decisions import DecisionConflict
from labeling.models import Cluster, Decision
from recognition.models import Face, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The faces with their photos, and the versions that the card showed. `listed` is whose list they are on."""

    faces: Sequence[Face]
    versions: Mapping[int, int]
    cluster: Cluster | None = None
    listed: Person | None = None

    @property
    def alone(self) -> Face | None:
        return self.faces[0] if len(self.faces) == 1 else None


def aim_at_face(face: Face, version: int) -> Target:
    return Target(faces=[face], versions={face.pk: version})


def aim_at_rest(face: Face, version: int) -> Target:
    """This face, and every other of its photo that nothing was decided about."""
    others = Face.objects.filter(photo=face.photo_id, unlabeled__reviewed=False).exclude(pk=face.pk)
    faces = [face, *others.select_related("photo")]
    return Target(faces=faces, versions={other.pk: other.version for other in faces} | {face.pk: version})


def aim_at_group(cluster: Cluster, data: Mapping[str, Any]) -> Target:
    """The open faces that the card knew, or those of them that were chosen. Raises DecisionConflict if it is outdated.

    A decision about any of them moves the group's version, and one that comes between this read and the write moves the
    face's: so nothing is named that the card did not know as it is.
    """
    faces = list(
        Face.objects.filter(
            member__cluster=cluster, member__pk__lte=data["upto"], unlabeled__reviewed=False
        ).select_related("photo")
    )
    if not Cluster.objects.filter(pk=cluster.pk, version=data["version"]).exists():
        raise DecisionConflict(latest_about(cluster))
    chosen: list[UUID] = data["strays"] or data["apart"] or data["face"]
    if chosen:
        known = {face.face_id: face for face in faces}
        if not known.keys() >= set(chosen):
            raise DecisionConflict(latest_about(cluster))
        faces = [known[face_id] for face_id in chosen]
    if not faces:
        raise DecisionConflict(latest_about(cluster))
    return Target(faces=faces, versions={face.pk: face.version for face in faces}, cluster=cluster)


def aim_at_listed(person: Person, seen: Mapping[UUID, int], user: User) -> Target:
    """These faces of a person's list, as many as the user may decide about."""
    faces = list(
        Face.objects.for_role(user, LABELER, MANAGER).filter(face_id__in=seen).select_related("photo")
    )
    order = {face_id: place for place, face_id in enumerate(seen)}
    faces.sort(key=lambda face: order[face.face_id])
    return Target(faces=faces, versions={face.pk: seen[face.face_id] for face in faces}, listed=person)


def latest_about(cluster: Cluster) -> Decision | None:
    """The last decision that changed the group: about one of its faces, or one that took faces out of it."""
    decisions = Decision.objects.filter(undone_at=None).exclude(kind__in=Decision.POSTPONING)
    # Two questions: in one, every decision there is would be looked at.
    made = [
        decisions.filter(cluster=cluster).order_by("-pk").first(),
        decisions.filter(face__member__cluster=cluster).order_by("-pk").first(),
    ]
    found = max((one.pk for one in made if one is not None), default=None)
    return Decision.objects.select_related("actor", "person").get(pk=found) if found is not None else None
