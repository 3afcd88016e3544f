"""Open faces of made-up people in events of their own, and what tending made of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from labeling.models import Cluster, ClusterMember, Look
from recognition.models import Event, Face, Photo, Sighting
from tests.factories import make_event, make_photo, make_unlabeled, unit_vectors, vector_near

ALICE, BOB, CAROL, DORA, SOMEBODY = unit_vectors(5, seed=21)


def queue_faces(
    person: NDArray[np.float32], count: int, *, event: Event, alikeness: float = 0.85, seed: int = 1
) -> list[Face]:
    """Faces of one person, each on a photo of its own; to the person they are that alike, to each other a little less."""
    return [
        queue_face(vector_near(person, alikeness, seed=seed * 1000 + number), event=event)
        for number in range(count)
    ]


def queue_face(
    vector: NDArray[np.float32], *, event: Event | None = None, photo: Photo | None = None
) -> Face:
    return make_unlabeled(vector, photo=photo or make_photo(event or make_event())).face


def cluster_of(face: Face) -> int | None:
    return ClusterMember.objects.filter(face=face).values_list("cluster", flat=True).first()


def fetch_cluster(face: Face) -> Cluster:
    return ClusterMember.objects.select_related("cluster").get(face=face).cluster


def clusters_of(faces: list[Face]) -> list[int | None]:
    return [cluster_of(face) for face in faces]


def look_of(face: Face) -> Look | None:
    return Look.objects.filter(face=face).first()


def name_of(face: Face) -> str | None:
    return Sighting.objects.filter(face=face).values_list("person__name", flat=True).first()
