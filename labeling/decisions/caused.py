"""What the machine named because of a decision: the names that its references alone had answered for."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from labeling.decisions.snapshots import take_snapshots
from labeling.models import DecidedFace, Decision
from recognition.models import Face, Sighting, UnlabeledFace
from recognition.quality import face_priority

_TEACHING = (Decision.Kind.LABEL, Decision.Kind.REFERENCE)
_AT_ONCE = 500


def find_caused(decision: Decision) -> list[Sighting]:
    """Names that the machine gave after the decision and by one of its faces; newest last.

    A sighting records the references that answered, the best three of the person at most.
    """
    if decision.kind not in _TEACHING or decision.person_id is None:
        return []
    mine = set(DecidedFace.objects.filter(decision=decision, caused=False).values_list("face_id", flat=True))
    named = Sighting.objects.filter(
        person=decision.person_id,
        decided_by=Sighting.DecidedBy.MACHINE,
        created_at__gte=decision.created_at,
    ).select_related("face")
    return [sighting for sighting in named.order_by("pk") if mine.intersection(sighting.references)]


def take_back_caused(decision: Decision, sightings: Sequence[Sighting]) -> None:
    """Put these faces back into the queue, and keep on the decision what a redo needs. Belongs into the undo's transaction."""
    if not sightings:
        return
    faces = {sighting.face_id: sighting.face for sighting in sightings}
    after = take_snapshots(list(faces))
    Sighting.objects.filter(face__in=faces).delete()
    _reopen(list(faces.values()))
    Face.objects.filter(pk__in=faces).update(version=F("version") + 1)
    versions = dict(Face.objects.filter(pk__in=faces).values_list("pk", "version"))
    DecidedFace.objects.bulk_create(
        [
            DecidedFace(
                decision=decision, face_id=pk, after=after[pk], undone_version=versions[pk], caused=True
            )
            for pk in faces
        ],
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )


def _reopen(faces: Sequence[Face]) -> None:
    entries = UnlabeledFace.objects.filter(face__in=[face.pk for face in faces])
    entries.update(reviewed=False, verdict="")
    there = set(entries.values_list("face_id", flat=True))
    UnlabeledFace.objects.bulk_create(
        [
            UnlabeledFace(face=face, priority=face_priority(face.size, face.detector_score, face.yaw))
            for face in faces
            if face.pk not in there
        ],
        batch_size=_AT_ONCE,
    )
