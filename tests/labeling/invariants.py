"""What must be true of the queue whenever no transaction is open, whoever did what at once: sentences, empty if all of it is."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Count, F, Q

from labeling.models import Cluster, ClusterMember, DecidedFace, Decision, Look
from recognition.gallery_index import get_gallery_index
from recognition.index_check import check_gallery_index
from recognition.models import Face, Person, Sighting, UnlabeledFace

_CLOSING = ("stranger", "not_a_face", "poor")
# Kinds that say what a face is. A reference and a group say nothing of that.
_SAYING = ("label", "reject", "reopen", "merge", "take_back", *_CLOSING)


def find_broken() -> list[str]:
    """Of a queue at rest: the worker has tended it to the end."""
    counted = Count("members", filter=Q(members__face__unlabeled__reviewed=False))
    told: dict[str, Iterable[object]] = {
        "a cluster counts wrong": Cluster.objects.order_by()
        .annotate(counted=counted)
        .exclude(open_count=F("counted"))
        .values_list("pk", "open_count", "counted"),
        "a member is of another event": ClusterMember.objects.exclude(face__photo__event=F("cluster__event")),
        "two faces of a photo are in one cluster": ClusterMember.objects.order_by()
        .values("cluster", "face__photo")
        .annotate(count=Count("pk"))
        .filter(count__gt=1),
        "a face is open and has a name": UnlabeledFace.objects.open().filter(face__sighting__isnull=False),
        "a face is neither open, nor named, nor has it a verdict": Face.objects.filter(sighting=None).exclude(
            Q(unlabeled__reviewed=False) | Q(unlabeled__verdict__in=["stranger", "not_a_face", "poor"])
        ),
        "a decided face has a look": Look.objects.filter(face__unlabeled__reviewed=True),
        "an open face has none": UnlabeledFace.objects.open().filter(face__look=None),
        "a merged or hidden person has a face": Sighting.objects.exclude(
            person__in=Person.objects.current().order_by().values("pk")
        ),
        "a look is at somebody who is gone": Look.objects.filter(person__isnull=False).exclude(
            person__in=Person.objects.current().order_by().values("pk")
        ),
        "a machine's name answers searches": Sighting.objects.filter(decided_by="machine", is_reference=True),
        "a face lost its embedding": Face.objects.filter(embeddings=None),
        "a decision lost its faces": _short_decisions(),
    }
    found = {word: list(rows) for word, rows in told.items()}
    broken = [f"{word}: {rows[:5]}" for word, rows in found.items() if rows]
    return broken + _find_index_differences() + _find_forgotten_decisions()


def _short_decisions() -> list[int]:
    """Of every decision as many faces are kept as it says."""
    rows = Decision.objects.annotate(kept=Count("faces", filter=Q(faces__caused=False)))
    return [one.pk for one in rows if one.kept != one.face_count]


def _find_forgotten_decisions() -> list[str]:
    """The last decision in force about a face holds: the name or the verdict that it gave is what the face has."""
    rows = DecidedFace.objects.filter(decision__undone_at=None, caused=False)
    last: dict[int, Decision] = {}
    for row in rows.filter(decision__kind__in=_SAYING).select_related("decision").order_by("decision_id"):
        last[row.face_id] = row.decision
    kept = dict(Person.objects.values_list("pk", "merged_into"))
    humans = dict(Sighting.objects.filter(decided_by="human").values_list("face__pk", "person__pk"))
    verdicts = dict(UnlabeledFace.objects.filter(reviewed=True).values_list("face__pk", "verdict"))
    lost = []
    for face, decision in last.items():
        person = decision.person_id
        while person is not None and kept.get(person) is not None:
            person = kept[person]
        if decision.kind == "label":
            held = humans.get(face) == person
        elif decision.kind in _CLOSING:
            held = verdicts.get(face) == decision.kind and face not in humans
        else:
            held = decision.kind != "reopen" or face not in humans
        if not held:
            has = (humans.get(face), verdicts.get(face))
            lost.append(f"decision {decision.pk}, {decision.kind} {person} of face {face}, is lost: {has}")
    return lost[:5]


def _find_index_differences() -> list[str]:
    """The index of this process, pulled now, holds the references and nothing else."""
    report = check_gallery_index(get_gallery_index())
    return [] if report.ok else [f"the index differs: {report}"]
