"""The rows of faces that other programs found. Everything here belongs into a transaction that holds the gallery's lock."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.contrib.auth.models import User

from recognition.found_faces import measures_of, record_sighting
from recognition.gallery_journal import touch_gallery
from recognition.ingest import Matched
from recognition.matching import Match
from recognition.models import (
    Embedding,
    Face,
    FaceImport,
    ImportedFace,
    Photo,
    Sighting,
    UnlabeledFace,
)
from recognition.named_regions.matching import match_regions
from recognition.outside_faces.describing import DescribedFace, DescribedPhoto
from recognition.outside_faces.given import RefusedFace, Written
from recognition.outside_faces.matching import Wanted
from recognition.outside_faces.photo_rows import get_photo
from recognition.pairing import pair_boxes
from recognition.parts import in_parts
from recognition.quality import face_priority
from recognition.signals import faces_queued
from recognition.storage import write_crop
from recognition.vectors import encode_vector

_AT_ONCE = 500
_NOT_DONE = (
    "This photo is here and was not processed yet. Let the worker finish (`manage.py run_worker`), then run the same "
    "command again."
)
_TAKEN = "This face is here already, under another import. Remove that one first, or leave this row out."


@dataclass(slots=True, kw_only=True)
class _Batch:
    """What goes into the tables at the end, table by table."""

    faces: list[Face] = field(default_factory=list)
    described: list[tuple[Face, DescribedFace]] = field(default_factory=list)
    matches: list[tuple[Face, Match]] = field(default_factory=list)
    there: set[int] = field(default_factory=set)  # faces that were here before
    named: set[int] = field(default_factory=set)  # and those of them that have a name
    queued: set[int] = field(default_factory=set)  # and those with a queue entry
    photos: list[Photo] = field(default_factory=list)


class RowWriter:
    def __init__(self, face_import: FaceImport, *, user: User | None, active: str) -> None:
        self._import = face_import
        self._user = user
        self._active = active
        self._known: set[str] = set()
        self._refused: list[RefusedFace] = []
        self._counts: dict[str, int] = {"photos": 0, "stand_ins": 0, "known": 0}

    def write(self, photos: Sequence[tuple[DescribedPhoto, Wanted, Matched | None]]) -> Written:
        """Photos, faces, vectors, the other program's ids, names and queue entries."""
        self._known = self._read_known(photos)
        batch = _Batch()
        for described, wanted, matched in photos:
            self._add_photo(batch, described, wanted, matched)
        Face.objects.bulk_create(batch.faces, batch_size=_AT_ONCE)
        match_regions([photo.pk for photo in batch.photos])
        self._write_imported(batch)
        named = self._write_names(batch)
        queued = self._write_queue(batch)
        for photo in batch.photos:
            faces_queued.send(Photo, photo=photo)
        return Written(
            added=len(batch.described), named=named, queued=queued, refused=self._refused, **self._counts
        )

    def _read_known(self, photos: Sequence[tuple[DescribedPhoto, Wanted, Matched | None]]) -> set[str]:
        ids = [face.given.external_id for described, _, _ in photos for face in described.faces]
        found: set[str] = set()
        for part in in_parts(ids, _AT_ONCE):
            rows = ImportedFace.objects.filter(face_import=self._import, external_id__in=part)
            found.update(rows.order_by().values_list("external_id", flat=True))
        return found

    def _add_photo(
        self, batch: _Batch, described: DescribedPhoto, wanted: Wanted, matched: Matched | None
    ) -> None:
        new = [place for place, face in enumerate(described.faces) if not self._is_known(face)]
        if not new:
            return
        photo, created = get_photo(self._import.event_id, described, user=self._user)
        if created:
            self._counts["stand_ins" if photo.origin == Photo.Origin.STAND_IN else "photos"] += 1
        if photo.state != Photo.State.DONE:
            self._refuse([described.faces[place] for place in new], "photo_waiting", _NOT_DONE)
            return
        matches = dict(zip(wanted, matched.matches, strict=True)) if matched is not None else {}
        others = [] if created else list(photo.faces.select_related("sighting", "unlabeled", "imported"))
        pairs = self._pair(others, described, new)
        taken: set[tuple[float, ...]] = {(one.left, one.top, one.width, one.height) for one in others}
        on_photo = {sighting.person_id for one in others if (sighting := _sighting_of(one)) is not None}
        for place in new:
            face = described.faces[place]
            write_crop(face.found.crop_jpeg)
            if place in pairs:
                self._attach(batch, pairs[place], face)
                continue
            row = Face(photo=photo, **_columns(face, taken))
            batch.faces.append(row)
            batch.described.append((row, face))
            match = matches.get(place)
            # Nobody is on a photo twice, and who is on it already was not among those that were matched.
            if match is not None and match.person_id is not None and match.person_id not in on_photo:
                batch.matches.append((row, match))
        batch.photos.append(photo)

    def _is_known(self, face: DescribedFace) -> bool:
        known = face.given.external_id in self._known
        self._counts["known"] += known
        return known

    def _refuse(self, faces: Iterable[DescribedFace], code: str, message: str) -> None:
        self._refused += [
            RefusedFace(external_id=face.given.external_id, code=code, message=message) for face in faces
        ]

    def _pair(self, others: Sequence[Face], described: DescribedPhoto, new: Sequence[int]) -> dict[int, Face]:
        """From places of new faces to faces that are here and are the same ones, found by this installation itself."""
        if not others or described.incoming is None:
            return {}
        pairs = pair_boxes([one.box for one in others], [described.faces[p].found.detected.box for p in new])
        return {new[place]: others[number] for number, place in pairs.items()}

    def _attach(self, batch: _Batch, face: Face, described: DescribedFace) -> None:
        if getattr(face, "imported", None) is not None:
            self._refuse([described], "face_taken", _TAKEN)
            return
        batch.there.add(face.pk)
        if _sighting_of(face) is not None:
            batch.named.add(face.pk)
        if getattr(face, "unlabeled", None) is not None:
            batch.queued.add(face.pk)
        batch.described.append((face, described))

    def _write_imported(self, batch: _Batch) -> None:
        there = {
            (row.face_id, row.embedder_id): bytes(row.vector)
            for row in Embedding.objects.with_vectors().filter(face__in=batch.there)
        }
        embeddings, imported = [], []
        for face, described in batch.described:
            given, details = described.given, dict(described.given.details)
            if described.scale < 1:
                details["scale"] = described.scale
            for embedder_id, vector in _vectors_of(described).items():
                data = encode_vector(vector)
                before = there.get((face.pk, embedder_id))
                if before is None:
                    embeddings.append(Embedding(face=face, embedder_id=embedder_id, vector=data))
                elif before != data and embedder_id in given.vectors:
                    # What this installation made of the same pixels stays; the other's bits go back as they came.
                    details.setdefault("vectors", {})[embedder_id] = base64.b64encode(data).decode()
            imported.append(
                ImportedFace(
                    face_import=self._import,
                    face=face,
                    row=given.row,
                    external_id=given.external_id,
                    details=details,
                )
            )
        Embedding.objects.bulk_create(embeddings, batch_size=_AT_ONCE)
        ImportedFace.objects.bulk_create(imported, batch_size=_AT_ONCE)

    def _write_names(self, batch: _Batch) -> int:
        """By the other program's people, then by the machine; which of them may teach is journaled."""
        sightings = []
        for face, described in batch.described:
            given = described.given
            if given.person_pk is None or face.pk in batch.named:
                continue
            sightings.append(
                Sighting(
                    face=face,
                    person_id=given.person_pk,
                    embedder_id=next(iter(given.vectors), ""),
                    decided_by=Sighting.DecidedBy.HUMAN,
                    decided_by_user=self._user,
                    is_reference=given.is_reference,
                    seen_at=given.seen_at or face.photo.taken_at,
                )
            )
        Sighting.objects.bulk_create(sightings, batch_size=_AT_ONCE)
        batch.named.update(one.face_id for one in sightings)
        entries = UnlabeledFace.objects.filter(face__in=batch.named & batch.queued, reviewed=False)
        entries.update(reviewed=True, verdict=UnlabeledFace.Verdict.LABEL)
        # A face that was here may have been a reference already, and has a vector of another embedder now.
        if touched := {one.face_id for one in sightings if one.is_reference} | (batch.named & batch.there):
            touch_gallery(touched)
        for face, match in batch.matches:
            if match.person_id is not None and face.pk not in batch.named:
                record_sighting(face, match.person_id, match, embedder_id=self._active)
                batch.named.add(face.pk)
        return len(batch.named)

    def _write_queue(self, batch: _Batch) -> int:
        entries = []
        for face, described in batch.described:
            if face.pk in batch.named or face.pk in batch.there or not described.given.waits:
                continue
            entry = UnlabeledFace(face=face, priority=face_priority(face.size, face.detector_score, face.yaw))
            if described.given.queued_at is not None:
                entry.queued_at = described.given.queued_at
            entries.append(entry)
        UnlabeledFace.objects.bulk_create(entries, batch_size=_AT_ONCE)
        open_photos = {entry.face.photo_id for entry in entries}
        batch.photos = [photo for photo in batch.photos if photo.pk in open_photos]
        return len(entries)


def _columns(face: DescribedFace, taken: set[tuple[float, ...]]) -> dict[str, Any]:
    """The columns of the face, at a place of its own: two rows may say the very same box."""
    columns = {**measures_of(face.found), "size": round(face.size, 2)}
    while (key := tuple(columns[name] for name in ("left", "top", "width", "height"))) in taken:
        columns["width"] = round(columns["width"] - 0.01, 2)
    taken.add(key)
    return columns


def _vectors_of(face: DescribedFace) -> dict[str, Any]:
    vectors: dict[str, np.ndarray[Any, np.dtype[np.float32]]] = dict(face.given.vectors)
    if face.embedder_id and face.embedder_id not in vectors:
        vectors[face.embedder_id] = face.found.vector
    return vectors


def _sighting_of(face: Face) -> Sighting | None:
    return getattr(face, "sighting", None)
