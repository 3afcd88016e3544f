"""Look for the faces of processed photos again, by another detector or setting, and keep what was decided about each.

A face that is found again keeps its row: id, name, verdict, rejections, decisions and cluster stay; only what was
measured of it changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import transaction
from django.db.models import F, QuerySet

from recognition import detection
from recognition.active_embedder import WrongEmbedder, get_active_embedder_id, require_active
from recognition.crash_points import crash_point
from recognition.embedders import Embedder, get_embedder
from recognition.faults import GalleryBusy
from recognition.found_faces import FoundFace, create_face, measures_of, queue_unlabeled, write_face
from recognition.gallery_journal import touch_gallery
from recognition.ingest import decode_original, describe_faces, match_faces
from recognition.matching import Match
from recognition.models import Embedding, Face, Photo, PhotoLook, Sighting, UnlabeledFace
from recognition.named_regions.matching import match_regions
from recognition.pairing import pair_boxes
from recognition.photos.drawn_faces import describe_drawn
from recognition.photos.removal import remove_unused_crops
from recognition.quality import face_priority
from recognition.signals import faces_leaving, faces_queued
from recognition.storage import write_crop
from recognition.vectors import decode_vector, encode_vector

_ROUNDS = 20
# The cosine of a vector to itself, computed twice.
_SAME_VECTOR = 0.9999


@dataclass(frozen=True, slots=True, kw_only=True)
class Redetected:
    """What a second look at photos did, or would do. `matched` are the faces found again, `changed` of them measured otherwise."""

    matched: int = 0
    changed: int = 0
    added: int = 0
    removed: int = 0
    kept: int = 0

    def __add__(self, other: Redetected) -> Redetected:
        return Redetected(
            matched=self.matched + other.matched,
            changed=self.changed + other.changed,
            added=self.added + other.added,
            removed=self.removed + other.removed,
            kept=self.kept + other.kept,
        )


class PhotoGone(Exception):
    """The photo was deleted, or is being processed, since somebody asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What becomes of the faces of one photo."""

    matched: int
    changed: list[tuple[Face, FoundFace]]
    added: list[int]  # places among the found faces
    leaving: list[Face]
    kept: int

    def count(self) -> Redetected:
        return Redetected(
            matched=self.matched,
            changed=len(self.changed),
            added=len(self.added),
            removed=len(self.leaving),
            kept=self.kept,
        )


def photos_to_redetect(photos: QuerySet[Photo], *, everything: bool = False) -> QuerySet[Photo]:
    """The processed ones among them whose faces another detector found; or all of them. A stand-in is no photo."""
    processed = photos.filter(state=Photo.State.DONE, event__deleted_at=None)
    # Of a frame only those faces were kept whose best crop it is.
    processed = processed.exclude(origin__in=[Photo.Origin.STAND_IN, Photo.Origin.FRAME])
    return processed if everything else processed.exclude(detector_id=detection.get_detector().detector_id)


def redetect_photo(photo: Photo, *, dry_run: bool = False) -> Redetected:
    """Find and embed the faces of a photo anew, and write the difference in one transaction.

    Faces that are not found any more stay if a person drew them or decided anything about them. Not inside a
    transaction. Raises PhotoRefused or OSError where the original cannot be read, PhotoGone, GalleryBusy.
    """
    while True:
        try:
            return _redetect(photo, dry_run=dry_run)
        except WrongEmbedder:
            continue  # it was changed in between; the new one sees the photo anew


def _redetect(photo: Photo, *, dry_run: bool) -> Redetected:
    embedder = get_embedder(get_active_embedder_id())
    rgb = decode_original(photo)
    found = describe_faces(rgb, detection.get_detector().detect(rgb), embedder)
    by_hand = Face.objects.filter(photo=photo, by_hand=True)
    drawn = {face.pk: describe_drawn(rgb, face.box, embedder) for face in by_hand}
    crash_point("redetect_described")
    if dry_run:
        return _plan(photo, found, drawn, embedder).count()
    for face in [*found, *drawn.values()]:
        write_crop(face.crop_jpeg)
    for _ in range(_ROUNDS):
        matched = match_faces(found, embedder, photo.event_id)
        with transaction.atomic():
            # Decisions about these faces wait, or came before: then what they taught is asked again.
            if not matched.still_holds(photo.event_id):
                continue
            require_active(embedder.embedder_id)
            here = Photo.objects.filter(pk=photo.pk, state=Photo.State.DONE, event__deleted_at=None)
            if not here.exists():
                raise PhotoGone
            plan = _plan(photo, found, drawn, embedder)
            stale = {face.crop for face, _ in plan.changed} | {face.crop for face in plan.leaving}
            _write(photo, plan, found, matched.matches, embedder)
            here.update(detector_id=detection.get_detector().detector_id)
            crash_point("before_redetect_commit")
        crash_point("after_redetect_commit")
        # After the commit and not before: a kill in between leaves files that nothing needs, never a face without its crop.
        remove_unused_crops(stale)
        return plan.count()
    raise GalleryBusy


def _plan(
    photo: Photo, found: Sequence[FoundFace], drawn: Mapping[int, FoundFace], embedder: Embedder
) -> _Plan:
    faces = list(
        Face.objects.filter(photo=photo).select_related("sighting", "unlabeled", "imported").order_by("pk")
    )
    pairs = pair_boxes([face.box for face in faces], [one.detected.box for one in found])
    again: list[tuple[Face, FoundFace]] = []
    missing: list[Face] = []
    for place, face in enumerate(faces):
        if face.by_hand:
            # The box that a person drew stays, whatever the detector says.
            if face.pk in drawn:
                again.append((face, drawn[face.pk]))
        elif place in pairs:
            again.append((face, found[pairs[place]]))
        else:
            missing.append(face)
    leaving = _leaving(missing)
    return _Plan(
        matched=len(faces) - len(missing),
        changed=_changed(again, embedder),
        added=sorted(set(range(len(found))) - set(pairs.values())),
        leaving=leaving,
        kept=len(missing) - len(leaving),
    )


def _leaving(missing: Sequence[Face]) -> list[Face]:
    """Of the faces that are not found any more those that nobody decided anything about."""
    undecided = [face for face in missing if not _is_decided(face)]
    if not undecided:
        return []
    # Django's stubs take every receiver's answer for text.
    answers: Any = faces_leaving.send(Face, face_pks=[face.pk for face in undecided])
    stay = {pk for _, kept in answers for pk in kept or ()}
    return [face for face in undecided if face.pk not in stay]


def _is_decided(face: Face) -> bool:
    """Whether a person's word is on it. The version moves with every decision, and with its undo."""
    sighting: Sighting | None = getattr(face, "sighting", None)
    entry: UnlabeledFace | None = getattr(face, "unlabeled", None)
    named = sighting is not None and sighting.decided_by == Sighting.DecidedBy.HUMAN
    called = entry is not None and entry.verdict not in {
        UnlabeledFace.Verdict.NONE,
        UnlabeledFace.Verdict.LABEL,
    }
    # Another program found it: it goes back there, whatever this detector says.
    imported = getattr(face, "imported", None) is not None
    return face.version > 0 or named or called or imported


def _changed(again: Sequence[tuple[Face, FoundFace]], embedder: Embedder) -> list[tuple[Face, FoundFace]]:
    """Those that look otherwise now: where nothing changed nothing is written, and no process pulls anything."""
    rows = Embedding.objects.with_vectors().filter(
        face__in=[face.pk for face, _ in again], embedder_id=embedder.embedder_id
    )
    vectors = dict(rows.values_list("face_id", "vector"))
    return [(face, one) for face, one in again if not _is_same(face, one, vectors.get(face.pk))]


def _is_same(face: Face, one: FoundFace, vector: bytes | memoryview[int] | None) -> bool:
    if vector is None or any(getattr(face, name) != value for name, value in measures_of(one).items()):
        return False
    stored = decode_vector(bytes(vector), len(one.vector))
    return float(stored @ np.asarray(one.vector)) > _SAME_VECTOR


def _write(
    photo: Photo, plan: _Plan, found: Sequence[FoundFace], matches: Sequence[Match], embedder: Embedder
) -> None:
    """Everything of the plan. The caller holds the gallery's lock."""
    touched = [face.pk for face, _ in plan.changed] + [face.pk for face in plan.leaving]
    if touched:
        touch_gallery(touched)
    _remove([face.pk for face in plan.leaving])
    _measure_anew(plan.changed, embedder)
    on_photo = set(Sighting.objects.filter(face__photo=photo).values_list("person_id", flat=True))
    for place in plan.added:
        match = matches[place]
        if match.person_id in on_photo or match.settled:
            # Nobody is on a photo twice, and the face that settled a close call may have another name here.
            queue_unlabeled(create_face(photo, found[place], embedder_id=embedder.embedder_id))
        else:
            write_face(photo, found[place], match, embedder_id=embedder.embedder_id)
        crash_point("redetect_face_written")
    match_regions([photo.pk])
    if plan.added:
        faces_queued.send(Photo, photo=photo)


def _measure_anew(changed: Sequence[tuple[Face, FoundFace]], embedder: Embedder) -> None:
    # A face may get the very box that another one of the photo still has.
    Face.objects.filter(pk__in=[face.pk for face, _ in changed]).update(left=-F("pk"))
    for face, one in changed:
        write_crop(one.crop_jpeg)
        measures = measures_of(one)
        Face.objects.filter(pk=face.pk).update(**measures)
        Embedding.objects.update_or_create(
            face=face, embedder_id=embedder.embedder_id, defaults={"vector": encode_vector(one.vector)}
        )
        # What another embedder saw was the old box; a change of the embedder finds it missing and looks again.
        Embedding.objects.made_here().filter(face=face).exclude(embedder_id=embedder.embedder_id).delete()
        # The person around the old box is looked at again.
        PhotoLook.objects.filter(face=face).delete()
        priority = face_priority(measures["size"], measures["detector_score"], measures["yaw"])
        UnlabeledFace.objects.filter(face=face).update(priority=priority)


def _remove(face_pks: Sequence[int]) -> None:
    Sighting.objects.filter(face__in=face_pks).delete()
    UnlabeledFace.objects.filter(face__in=face_pks).delete()
    Embedding.objects.filter(face__in=face_pks).delete()
    Face.objects.filter(pk__in=face_pks).delete()
