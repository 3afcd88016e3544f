"""What the machine named because of a decision: the faces whose nearest reference it made, and how they go back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db.models import F

from labeling.decisions.snapshots import Snapshot, differs, take_snapshots
from labeling.models import DecidedFace, Decision
from recognition.models import Face, Sighting, UnlabeledFace
from recognition.quality import face_priority

_TEACHING = (Decision.Kind.LABEL, Decision.Kind.REFERENCE, Decision.Kind.MERGE)
_AT_ONCE = 500


def find_caused(decision: Decision) -> list[Sighting]:
    """Names that the machine gave after the decision because of one of its faces; oldest first.

    A sighting records the references that answered, best first, and its similarity is that of the best: without that
    one the machine would have to look again.
    """
    if decision.kind not in _TEACHING or decision.person_id is None:
        return []
    mine = DecidedFace.objects.filter(decision=decision, caused=False).values_list("face_id", flat=True)
    return _named_by({decision.person_id: set(mine)}, since=decision.created_at)


def find_left_behind(decision: Decision) -> list[Sighting]:
    """Names that the machine gave because of references that this decision took away, and that still stand."""
    taught: defaultdict[int, set[int]] = defaultdict(set)
    rows = DecidedFace.objects.filter(decision=decision, caused=False, before__sighting__is_reference=True)
    for face_pk, before in rows.values_list("face_id", "before"):
        taught[before["sighting"]["person_id"]].add(face_pk)
    faces = set[int]().union(*taught.values())
    still = Sighting.objects.filter(is_reference=True, face__in=faces).values_list("person_id", "face_id")
    for person_pk, face_pk in still:
        taught[person_pk].discard(face_pk)
    return _named_by(taught)


def take_back_caused(decision: Decision, sightings: Sequence[Sighting]) -> None:
    """Put these faces back into the queue, and keep on the decision what a redo needs.

    Belongs into the undo's transaction; the caller counts their clusters anew.
    """
    if not sightings:
        return
    faces = {sighting.face_id: sighting.face for sighting in sightings}
    after = take_snapshots(list(faces))
    Sighting.objects.filter(face__in=faces).delete()
    reopen_entries(list(faces.values()))
    Face.objects.filter(pk__in=faces).update(version=F("version") + 1)
    before = take_snapshots(list(faces))
    DecidedFace.objects.bulk_create(
        [
            DecidedFace(decision=decision, face_id=pk, before=before[pk], after=after[pk], caused=True)
            for pk in faces
        ],
        batch_size=_AT_ONCE,
        ignore_conflicts=True,
    )


def is_restorable(row: DecidedFace, now: Snapshot) -> bool:
    """Whether a redo may give this face the machine's name again: nobody decided about it since it was taken back."""
    return row.after is not None and not differs(row.before, now, grouped=False)


def reopen_entries(faces: Sequence[Face]) -> None:
    """Put faces back into the queue; one that never was in it gets its entry."""
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


def _named_by(taught: Mapping[int, Collection[int]], since: datetime | None = None) -> list[Sighting]:
    """The machine's names of these people whose nearest reference is among the person's faces given."""
    named = Sighting.objects.filter(
        person__in=[person for person, faces in taught.items() if faces],
        decided_by=Sighting.DecidedBy.MACHINE,
    )
    if since is not None:
        named = named.filter(created_at__gte=since)
    pks = [
        pk
        for pk, person, references in named.order_by("pk").values_list("pk", "person_id", "references")
        if references and references[0] in taught[person]
    ]
    return [
        sighting
        for start in range(0, len(pks), _AT_ONCE)
        for sighting in Sighting.objects.filter(pk__in=pks[start : start + _AT_ONCE])
        .select_related("face__photo", "person")
        .order_by("pk")
    ]
