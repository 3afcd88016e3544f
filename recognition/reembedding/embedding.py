"""Embed the faces that an embedder has not embedded yet, in batches: the rows say what is left, so a kill costs one batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import F
from numpy.typing import NDArray

from recognition.crash_points import crash_point
from recognition.detection import DetectedFace
from recognition.embedders import Embedder
from recognition.gallery_journal import lock_gallery_state, touch_gallery
from recognition.geometry import Box
from recognition.images import PhotoRefused
from recognition.ingest import decode_original
from recognition.models import Embedding, Face, Photo, Reembedding, Sighting
from recognition.photos.drawn_faces import describe_drawn
from recognition.reembedding.hold import Hold
from recognition.reembedding.missing import count_embedded, missing_faces, photos_with_missing
from recognition.vectors import BadVector, check_vectors, encode_vector

BATCH = 64
_PHOTOS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prepared:
    """A face with the net's input, or with its vector where the detector had to look for it again."""

    face: Face
    input: NDArray[np.uint8] | None = None
    vector: NDArray[np.float32] | None = None


@dataclass(slots=True)
class Work:
    """What one process does about one embedder. `failures` say of photos, by primary key, why their faces have no embedding."""

    hold: Hold
    embedder: Embedder
    batch: int
    # Index entries are pulled by the journal; before anybody may have loaded an index there is nothing to pull.
    journaled: bool
    failures: dict[str, str]
    pause: Callable[[], bool] = lambda: False
    tell: Callable[[int], object] = lambda count: None
    _seconds: float = 0.0  # spent since the last batch was written

    def embed_missing(self) -> bool:
        """Until nothing is missing, or `pause` says so; whether nothing is missing. Not inside a transaction.

        Photos that are uploaded meanwhile are embedded, too. Raises ReembeddingLost.
        """
        while not self.pause():
            done, total = count_embedded(self.embedder.embedder_id)
            self.hold.renew(faces_done=done, faces_total=total)
            if not self._one_round():
                return not self.pause()
        return False

    @property
    def failed(self) -> list[int]:
        return [int(pk) for pk in self.failures]

    def _one_round(self) -> bool:
        """Every photo of this moment that has something missing; whether there was one."""
        after, found = 0, False
        waiting: list[_Prepared] = []
        while not self.pause():
            rows = photos_with_missing(self.embedder.embedder_id, after=after, failed=self.failed)
            photos = list(rows[:_PHOTOS_AT_ONCE])
            if not photos:
                break
            for photo in photos:
                if self.pause():
                    break
                found, after = True, photo.pk
                started = time.monotonic()
                waiting += self._prepare(photo)
                self._seconds += time.monotonic() - started
                while len(waiting) >= self.batch:
                    self._embed(waiting[: self.batch])
                    del waiting[: self.batch]
        if waiting:
            self._embed(waiting)
        return found

    def _prepare(self, photo: Photo) -> list[_Prepared]:
        faces = list(missing_faces(self.embedder.embedder_id).filter(photo=photo).order_by("pk"))
        try:
            rgb = decode_original(photo)
            crash_point("reembed_decoded")
            return [self._cut(rgb, face) for face in faces]
        except PhotoRefused as error:
            self._fail(photo.pk, error.message)
        except FileNotFoundError:
            self._fail(photo.pk, "The file of this photo is gone from the server.")
        except OSError as error:
            self._fail(photo.pk, f"The file of this photo cannot be read ({error.strerror or error}).")
        except (ValueError, ArithmeticError) as error:
            self._fail(photo.pk, f"The embedder cannot take a face of this photo ({error}).")
        return []

    def _cut(self, rgb: NDArray[np.uint8], face: Face) -> _Prepared:
        if face.by_hand:
            # The net sees it by the detector's own box at this place, which is not the one that is stored.
            return _Prepared(face=face, vector=describe_drawn(rgb, face.box, self.embedder).vector)
        marks = np.array(face.landmarks, dtype=np.float32)
        seen = DetectedFace(face.box, marks, face.detector_score)
        return _Prepared(face=face, input=self.embedder.cut_input(rgb, seen))

    def _embed(self, some: Sequence[_Prepared]) -> None:
        started = time.monotonic()
        inputs = [one.input for one in some if one.input is not None]
        made = iter(self.embedder.embed(np.stack(inputs)) if inputs else ())
        vectors = [(one.face, one.vector if one.vector is not None else next(made)) for one in some]
        sound = []
        for face, vector in vectors:
            try:
                check_vectors(vector[np.newaxis], self.embedder.dimension)
            except BadVector as error:
                self._fail(
                    face.photo_id, f"The embedder has no sound answer for a face of this photo ({error})."
                )
            else:
                sound.append((face, vector))
        crash_point("reembed_embedded")
        self._seconds += time.monotonic() - started
        written = self._write(sound)
        self._seconds = 0.0
        crash_point("reembed_committed")
        self.tell(written)

    def _write(self, vectors: Sequence[tuple[Face, NDArray[np.float32]]]) -> int:
        """One short transaction. A face that went, or got another box since it was cut, is left to the next round."""
        with transaction.atomic():
            # Deleting faces, measuring them anew and verifying them as references takes the same lock.
            lock_gallery_state()
            pks = [face.pk for face, _ in vectors]
            now = {face.pk: face for face in Face.objects.filter(pk__in=pks)}
            there = Embedding.objects.filter(embedder_id=self.embedder.embedder_id, face__in=pks)
            done = set(there.values_list("face_id", flat=True))
            new = [
                (face, vector)
                for face, vector in vectors
                if face.pk in now and face.pk not in done and _place_of(face) == _place_of(now[face.pk])
            ]
            self.hold.renew(faces_done=F("faces_done") + len(new), seconds=F("seconds") + self._seconds)
            if self.journaled:
                found = Sighting.objects.filter(is_reference=True, face__in=[face.pk for face, _ in new])
                if references := list(found.values_list("face_id", flat=True)):
                    touch_gallery(references)
            Embedding.objects.bulk_create(
                [
                    Embedding(
                        face_id=face.pk,
                        embedder_id=self.embedder.embedder_id,
                        vector=encode_vector(vector),
                    )
                    for face, vector in new
                ],
                batch_size=500,
            )
            crash_point("before_reembed_commit")
        return len(new)

    def _fail(self, photo_pk: int, reason: str) -> None:
        self.failures[str(photo_pk)] = reason
        self.hold.renew(failures=self.failures)


def begin_work(
    held: Hold,
    row: Reembedding,
    embedder: Embedder,
    *,
    batch: int = BATCH,
    pause: Callable[[], bool] = lambda: False,
    tell: Callable[[int], object] = lambda count: None,
) -> Work:
    """Photos that could not be read are tried again: their files may have come back."""
    held.renew(failures={})
    journaled = row.state != Reembedding.State.RUNNING
    return Work(held, embedder, max(1, batch), journaled, {}, pause, tell)


def _place_of(face: Face) -> tuple[Box, object]:
    return face.box, face.landmarks
