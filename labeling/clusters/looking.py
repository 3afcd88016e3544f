"""Ask the gallery about open faces: name those that the machine may name, and note of the others who they may be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from labeling.clusters.lease import Tender
from labeling.decisions.writing import clusters_of, recount_clusters
from labeling.evidence import Evidence, weigh_faces
from labeling.models import Look
from recognition.active_embedder import find_active_info
from recognition.crash_points import crash_point
from recognition.events.roster import Roster, read_roster, stamp_roster
from recognition.found_faces import record_sighting
from recognition.gallery_journal import lock_gallery_state, read_gallery_state
from recognition.matching import Match, assign_people, words_of
from recognition.models import Face, Person, Sighting, UnlabeledFace

# Best, next, and a few who are on the photo already.
_PEOPLE = 6
# Faces in one short transaction; a photo's faces stay together.
_AT_ONCE = 250
# Somebody decides between the question and the writing; more often than this in a row it is left to the next time.
_ROUNDS = 20
_VERDICTS = {
    "strong": Look.Verdict.SUGGEST,
    "possible": Look.Verdict.SUGGEST,
    "close call": Look.Verdict.CLOSE,
    "unlikely": Look.Verdict.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class _Named:
    """A face that the machine may name, by what an embedder says of it."""

    face: Face
    match: Match
    person_id: int
    embedder_id: str


def look_at(face_pks: Sequence[int], tender: Tender) -> list[Look]:
    """Name what the machine may name, and return the looks of the others, not written yet.

    The machine names no face that a person has touched: what they took off or undid would come back by itself.
    Not inside a transaction. Raises TendingLost.
    """
    looks = []
    for some in _by_photo(face_pks):
        looks += _look_at_some(some, tender)
    return looks


def write_looks(looks: Sequence[Look], tender: Tender) -> None:
    """Of faces that are still open. What changed since they were made is in the journal, and looked at again."""
    for start in range(0, len(looks), _AT_ONCE):
        some = looks[start : start + _AT_ONCE]
        with transaction.atomic():
            # Neither a face nor a person goes while they are written.
            lock_gallery_state()
            tender.renew()
            entries = UnlabeledFace.objects.open().filter(face__in=[look.face_id for look in some])
            still_open = set(entries.order_by().values_list("face_id", flat=True))
            wanted = {look.person_id for look in some if look.person_id is not None}
            people = set(Person.objects.filter(pk__in=wanted).values_list("pk", flat=True))
            Look.objects.bulk_create(
                [
                    look
                    for look in some
                    if look.face_id in still_open and (look.person_id is None or look.person_id in people)
                ],
                update_conflicts=True,
                unique_fields=["face"],
                update_fields=["person", "similarity", "margin", "verdict"],
            )
            crash_point("before_looks_commit")


def _look_at_some(face_pks: Sequence[int], tender: Tender) -> list[Look]:
    for _ in range(_ROUNDS):
        version = read_gallery_state().version
        entries = UnlabeledFace.objects.open().filter(face__in=face_pks)
        faces = [entry.face for entry in entries.order_by("pk").select_related("face__photo")]
        evidence = weigh_faces(faces, _PEOPLE)
        rosters = _read_rosters(faces, evidence)
        names, looks = _judge(faces, evidence, rosters)
        if names and (others := _open_beside(names, faces)):
            # They may be the very people whom these faces seem.
            evidence |= weigh_faces(others, _PEOPLE)
            names, looks = _judge(faces, evidence, rosters, others=others)
        if not names:
            return looks
        with transaction.atomic():
            if lock_gallery_state().version != version or not _still_hold(names, rosters):
                continue
            tender.renew()
            _write_names(names)
            crash_point("before_names_commit")
        return looks
    return []


def _still_hold(names: Sequence[_Named], rosters: Mapping[int, Roster]) -> bool:
    """Whether the lines and the rosters that they rest on are still those; asked under the gallery's lock."""
    info = find_active_info()
    return (
        info is not None
        and all(name.match.thresholds == info.thresholds for name in names)
        and all(stamp_roster(event_pk) == roster.stamp for event_pk, roster in rosters.items())
    )


def _judge(
    faces: Sequence[Face],
    evidence: Mapping[int, Evidence],
    rosters: Mapping[int, Roster],
    others: Sequence[Face] = (),
) -> tuple[list[_Named], list[Look]]:
    """`others` are open faces of the same photos that are not asked about now: they only stand against a name."""
    beside = _named_on({face.photo_id for face in faces})
    asked = {face.pk for face in faces}
    of_photo: defaultdict[int, list[Face]] = defaultdict(list)
    for face in (*faces, *others):
        of_photo[face.photo_id].append(face)
    names: list[_Named] = []
    looks: list[Look] = []
    for photo_pk, some in of_photo.items():
        thresholds = evidence[some[0].pk].thresholds
        taken = set(beside[photo_pk])
        matches = (
            assign_people(
                [evidence[face.pk].scores for face in some],
                thresholds,
                poor=[face.poor for face in some],
                on_roster=rosters[some[0].photo.event_id].members,
                beside=beside[photo_pk],
                # What a person touched: what they took off or undid would come back by itself.
                closed=[face.pk not in asked or face.version > 0 or face.by_hand for face in some],
            )
            if thresholds
            else []
        )
        sure = [
            _Named(face, match, match.person_id, evidence[face.pk].embedder_id)
            for face, match in zip(some, matches, strict=False)
            if match.person_id is not None
        ]
        names += sure
        taken |= {name.person_id for name in sure}
        closed = {name.face.pk for name in sure}
        looks += [
            _look_of(face, evidence[face.pk], taken)
            for face in some
            if face.pk in asked and face.pk not in closed
        ]
    return names, looks


def _named_on(photo_pks: Collection[int]) -> defaultdict[int, dict[int, bool]]:
    """Who is named on these photos, and whether a person said so."""
    beside: defaultdict[int, dict[int, bool]] = defaultdict(dict)
    there = Sighting.objects.filter(face__photo__in=photo_pks).order_by()
    for photo_pk, person_pk, who in there.values_list("face__photo_id", "person_id", "decided_by"):
        by_human = who == Sighting.DecidedBy.HUMAN
        beside[photo_pk][person_pk] = by_human or beside[photo_pk].get(person_pk, False)
    return beside


def _read_rosters(faces: Sequence[Face], evidence: Mapping[int, Evidence]) -> dict[int, Roster]:
    """Of the events of these faces, as far as people are on them whom the faces seem."""
    near: defaultdict[int, set[int]] = defaultdict(set)
    for face in faces:
        near[face.photo.event_id].update(score.person_id for score in evidence[face.pk].scores)
    return {event_pk: read_roster(event_pk, people) for event_pk, people in near.items()}


def _open_beside(names: Sequence[_Named], faces: Sequence[Face]) -> list[Face]:
    photos = {name.face.photo_id for name in names}
    entries = UnlabeledFace.objects.open().filter(face__photo__in=photos)
    rest = entries.exclude(face__in=[face.pk for face in faces]).order_by("pk")
    return [entry.face for entry in rest.select_related("face__photo")]


def _look_of(face: Face, evidence: Evidence, beside: Collection[int]) -> Look:
    rest = [score for score in evidence.scores if score.person_id not in beside]
    if not rest or evidence.thresholds is None:
        return Look(face=face)
    # Where nobody else is left of those asked for, the last of them bounds the lead.
    behind = rest[1] if len(rest) > 1 else evidence.scores[-1] if len(evidence.scores) >= _PEOPLE else None
    margin = rest[0].similarity - behind.similarity if behind is not None and behind is not rest[0] else None
    verdict = _VERDICTS[words_of(rest, 0, evidence.thresholds)]
    return Look(
        face=face,
        person_id=None if verdict is Look.Verdict.UNKNOWN else rest[0].person_id,
        similarity=rest[0].similarity,
        margin=margin,
        verdict=verdict,
    )


def _write_names(names: Sequence[_Named]) -> None:
    """Those that are still open; inside the gallery's lock."""
    entries = UnlabeledFace.objects.open().filter(face__in=[name.face.pk for name in names])
    still_open = set(entries.order_by().values_list("face_id", flat=True))
    written = [name for name in names if name.face.pk in still_open]
    for name in written:
        record_sighting(name.face, name.person_id, name.match, embedder_id=name.embedder_id)
    pks = [name.face.pk for name in written]
    UnlabeledFace.objects.filter(face__in=pks).update(reviewed=True, verdict=UnlabeledFace.Verdict.LABEL)
    # Nobody is on a photo twice: who was just named is no suggestion for the other faces of the photo.
    taken = {(name.face.photo_id, name.person_id) for name in written}
    beside = Look.objects.filter(face__photo__in={photo for photo, _ in taken}, person__isnull=False)
    stale = [
        pk
        for pk, *place in beside.values_list("pk", "face__photo_id", "person_id")
        if (place[0], place[1]) in taken
    ]
    Look.objects.filter(Q(face__in=pks) | Q(pk__in=stale)).delete()
    recount_clusters(clusters_of(pks), decided=False)


def _by_photo(face_pks: Sequence[int]) -> list[list[int]]:
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(face_pks), 1000):
        rows = Face.objects.filter(pk__in=face_pks[start : start + 1000]).order_by()
        pairs += rows.values_list("photo_id", "pk")
    parts: list[list[int]] = []
    photo = None
    for photo_pk, face_pk in sorted(pairs):
        if not parts or (photo_pk != photo and len(parts[-1]) >= _AT_ONCE):
            parts.append([])
        parts[-1].append(face_pk)
        photo = photo_pk
    return parts
