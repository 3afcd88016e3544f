"""Rows for tests, as plain functions; every argument that a test does not care about has a default."""

import hashlib
import itertools

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from recognition.gallery_journal import touch_gallery
from recognition.models import ActiveEmbedder, Embedding, Event, Face, Person, Photo, Sighting, UnlabeledFace
from recognition.vectors import encode_vector

EMBEDDER_ID = "facenet-vggface2"
DIMENSION = 512
_numbers = itertools.count(1)


def unit_vectors(n: int, dim: int = DIMENSION, seed: int = 0) -> NDArray[np.float32]:
    """Random directions (n, dim), float32, unit length; the same for the same seed."""
    rows = np.random.default_rng(seed).standard_normal((n, dim))
    unit: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def vector_near(vector: NDArray[np.float32], similarity: float, seed: int = 0) -> NDArray[np.float32]:
    """A unit vector (d,) whose cosine to `vector` is `similarity`."""
    other = unit_vectors(1, vector.size, seed)[0].astype(np.float64)
    other -= (other @ vector) * vector
    other /= np.linalg.norm(other)
    near: NDArray[np.float32] = (similarity * vector + np.sqrt(1 - similarity**2) * other).astype(np.float32)
    return near


def activate_embedder(embedder_id: str = EMBEDDER_ID) -> ActiveEmbedder:
    row, _ = ActiveEmbedder.objects.update_or_create(
        pk=1, defaults={"embedder_id": embedder_id, "reason": "chosen by a test"}
    )
    return row


def make_event(name: str = "") -> Event:
    return Event.objects.create(name=name or f"Event {next(_numbers)}")


def make_photo(event: Event | None = None, *, state: str = Photo.State.DONE) -> Photo:
    number = next(_numbers)
    return Photo.objects.create(
        event=event or make_event(),
        sha256=fake_sha(f"photo {number}"),
        name=f"photo-{number}.jpg",
        format="JPEG",
        byte_size=1000,
        width=1600,
        height=1200,
        state=state,
        failure_code="unreadable" if state == Photo.State.FAILED else "",
    )


def make_face(photo: Photo | None = None) -> Face:
    """A face of a made-up crop; no file is written."""
    number = next(_numbers)
    left, top = float(number % 1400), float(number // 1400)
    return Face.objects.create(
        photo=photo or make_photo(),
        left=left,
        top=top,
        width=100,
        height=120,
        landmarks=[[left + x, top + y] for x, y in [(30, 40), (70, 40), (50, 65), (35, 90), (65, 90)]],
        detector_score=0.99,
        size=100,
        sharpness=200,
        yaw=0,
        pitch=0,
        roll=0,
        crop=fake_sha(f"crop {number}"),
    )


def make_embedding(face: Face, vector: NDArray[np.float32], embedder_id: str = EMBEDDER_ID) -> Embedding:
    return Embedding.objects.create(face=face, embedder_id=embedder_id, vector=encode_vector(vector))


def make_person(name: str = "") -> Person:
    return Person.objects.create(name=name or f"Person {next(_numbers)}")


def make_unlabeled(vector: NDArray[np.float32] | None = None, *, photo: Photo | None = None) -> UnlabeledFace:
    """A face in the queue, with an embedding if a vector is given."""
    face = make_face(photo)
    if vector is not None:
        make_embedding(face, vector)
    return UnlabeledFace.objects.create(face=face)


def make_reference(
    person: Person, vector: NDArray[np.float32], *, photo: Photo | None = None, embedder_id: str = EMBEDDER_ID
) -> Face:
    """A new face of the person that a human verified: it is in the gallery from here on."""
    with transaction.atomic():
        face = make_face(photo)
        make_embedding(face, vector, embedder_id)
        label_face(face, person)
    return face


def label_face(face: Face, person: Person) -> None:
    """What a human's decision leaves in the tables that the gallery is made of."""
    with transaction.atomic():
        touch_gallery([face.pk])
        Sighting.objects.update_or_create(
            face=face,
            defaults={
                "person": person,
                "decided_by": Sighting.DecidedBy.HUMAN,
                "is_reference": True,
                "seen_at": timezone.now(),
            },
        )


def unlabel_face(face: Face) -> None:
    with transaction.atomic():
        touch_gallery([face.pk])
        Sighting.objects.filter(face=face).delete()


def delete_face(face: Face) -> None:
    """The face and everything that hangs on it."""
    with transaction.atomic():
        touch_gallery([face.pk])
        Sighting.objects.filter(face=face).delete()
        UnlabeledFace.objects.filter(face=face).delete()
        face.delete()


def fake_sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
