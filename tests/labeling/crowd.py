"""A queue of made-up faces for a running site: some known people, many of one person, some alone. No file is written."""

from __future__ import annotations

import numpy as np
from django.contrib.auth.models import Group, User
from django.db import transaction
from numpy.typing import NDArray

from labeling.clusters.tending import tend_queue
from recognition.active_embedder import get_active_embedder_id
from recognition.embedders import describe_embedder
from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
from recognition.vectors import encode_vector
from tests.factories import make_event, make_face, make_person, make_photo, unit_vectors

_PER_PHOTO = 10
# Of a person's faces to the person's own direction: neighbors, and unlike enough to be told apart.
_ALIKE = 0.87


def write_crowd(*, faces: int, people: int, known: int, seed: int = 1) -> None:
    """`faces` in the queue of about as many photos' worth of `people`; of the first `known` one face has a name already."""
    info = describe_embedder(get_active_embedder_id())
    rng = np.random.default_rng(seed)
    centers = unit_vectors(people, info.dimension, seed)
    with transaction.atomic():
        event = make_event("Crowd")
        for number in range(known):
            face = _write_face(make_photo(event), _near(centers[number], rng), info.embedder_id)
            Sighting.objects.create(
                face=face,
                person=make_person(f"Known {number}"),
                decided_by=Sighting.DecidedBy.HUMAN,
                is_reference=True,
                seen_at=face.created_at,
            )
        photo: Photo | None = None
        for number in range(faces):
            # Nobody twice on one photo: the next ten people in turn.
            if photo is None or number % _PER_PHOTO == 0:
                photo = make_photo(event)
            face = _write_face(photo, _near(centers[number % people], rng), info.embedder_id)
            UnlabeledFace.objects.create(face=face, priority=float(rng.uniform(0.3, 1)))
    tend_queue()


def write_labelers(count: int, password: str) -> None:
    for number in range(count):
        user = User.objects.create_user(f"labeler-{number}", password=password)
        user.groups.add(Group.objects.get(name="labeler"))


def _near(center: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    noise = rng.standard_normal(len(center))
    noise -= (noise @ center) * center
    noise /= np.linalg.norm(noise)
    alike = _ALIKE + rng.uniform(-0.12, 0.05)
    near: NDArray[np.float32] = (alike * center + np.sqrt(1 - alike**2) * noise).astype(np.float32)
    return near


def _write_face(photo: Photo, vector: NDArray[np.float32], embedder_id: str) -> Face:
    face = make_face(photo)
    Embedding.objects.create(face=face, embedder_id=embedder_id, vector=encode_vector(vector))
    return face
