"""How long the worker takes to tend the queue: a first time with everything, and after one decision.

    python bench/tending.py [--json] [--faces 20000] [--open 5000] [--people 500] [--events 12]

Vectors of made-up people (bench/clusters.py) as rows of a database of its own; no pictures. The people of the open faces
are unknown but for a fifth of them.

    first      every open face: asked about, named where the gallery is sure, grouped
    decision   one cluster named: until the queue was looked at again; the median and the worst of ten
    arrivals   a photo of twelve faces
    regroup    one event grouped anew
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.clusters import DIRECTIONS, PER_PHOTO
from bench.vault import new_vault

# At 100,000 faces, 25,000 of them open.
GOALS = {"first_seconds": 120.0, "decision_seconds": 1.0}
DECISIONS = 10


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--open", type=int, default=5_000)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--events", type=int, default=12)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with new_vault():
        fill(faces=args.faces, still_open=args.open, people=args.people, events=args.events)
        figures = measure()
    if args.json:
        print(json.dumps(figures, indent=2))
    else:
        print("\n".join(f"{name:18} {value:10.2f}" for name, value in figures.items()))
        print("goals: " + ", ".join(f"{name} <= {goal:g}" for name, goal in GOALS.items()))
    return 0 if all(figures[name] <= goal for name, goal in GOALS.items()) else 1


def measure() -> dict[str, float]:
    from django.contrib.auth.models import User

    from labeling.clusters.tending import regroup_event, tend_queue
    from labeling.decisions import label_faces
    from labeling.models import Cluster
    from recognition.models import Event, Face, Sighting, UnlabeledFace

    staff = User.objects.create_user("staff")
    figures = {"open_faces": float(UnlabeledFace.objects.open().count())}
    figures["first_seconds"] = timed(tend_queue)
    figures["clusters"] = float(Cluster.objects.count())
    figures["named"] = float(Sighting.objects.filter(decided_by="machine").count())
    seconds = []
    for number in range(DECISIONS):
        cluster = Cluster.objects.filter(open_count__gte=2).order_by("-open_count", "pk")[number]
        members = Face.objects.filter(member__cluster=cluster, unlabeled__reviewed=False)
        faces = list(members.select_related("photo"))
        label_faces(faces=faces, actor=staff, name=f"Named {number}", cluster=cluster)
        seconds.append(timed(tend_queue))
    figures["decision_seconds"] = median(seconds)
    figures["decision_worst"] = max(seconds)
    event = Event.objects.order_by("pk")[0]
    add_faces(event_pk=event.pk, vectors=_some_vectors(PER_PHOTO), owners=None)
    figures["arrivals_seconds"] = timed(tend_queue)
    figures["regroup_seconds"] = timed(lambda: regroup_event(event.pk))
    return figures


def fill(*, faces: int, still_open: int, people: int, events: int) -> None:
    """People with references, and in each event open faces of its own people, a fifth of whom are known."""
    from recognition.models import Event, Person

    rng = np.random.default_rng(7)
    known = [Person.objects.create(name=f"Person {number}").pk for number in range(people)]
    centers = rng.standard_normal((people + still_open, DIRECTIONS))
    rows = [Event.objects.create(name=f"Event {number}") for number in range(events)]
    named, waiting = (faces - still_open) // events, still_open // events
    strangers = people
    for event in rows:
        owners = rng.integers(0, people, named)
        add_faces(
            event_pk=event.pk,
            vectors=_around(centers[owners], rng),
            owners=[known[owner] for owner in owners.tolist()],
        )
        here = np.concatenate(
            [
                rng.integers(0, people, waiting // 5),
                strangers + rng.integers(0, max(1, waiting // 10), waiting - waiting // 5),
            ]
        )
        strangers += max(1, waiting // 10)
        add_faces(event_pk=event.pk, vectors=_around(centers[here], rng), owners=None)


def add_faces(*, event_pk: int, vectors: np.ndarray, owners: list[int] | None) -> None:
    """Twelve to a photo; references of these people, or open faces."""
    from django.db import transaction
    from django.utils import timezone

    from recognition.active_embedder import get_active_embedder_id
    from recognition.gallery_journal import touch_gallery
    from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
    from recognition.vectors import encode_vector

    embedder_id, now = get_active_embedder_id(), timezone.now()
    marks = np.random.default_rng(len(vectors) + Photo.objects.count())
    with transaction.atomic():
        photos = Photo.objects.bulk_create(
            Photo(
                event_id=event_pk,
                sha256=marks.bytes(32).hex(),
                name="photo.jpg",
                format="JPEG",
                byte_size=1,
                width=3000,
                height=2000,
                state=Photo.State.DONE,
            )
            for _ in range(-(-len(vectors) // PER_PHOTO))
        )
        rows = Face.objects.bulk_create(
            [
                Face(
                    photo=photos[number // PER_PHOTO],
                    left=100.0 * (number % PER_PHOTO),
                    top=0,
                    width=90,
                    height=110,
                    landmarks=[],
                    detector_score=0.99,
                    size=90,
                    sharpness=200,
                    yaw=0,
                    pitch=0,
                    roll=0,
                    crop=f"{number:064x}",
                )
                for number in range(len(vectors))
            ],
            batch_size=500,
        )
        Embedding.objects.bulk_create(
            [
                Embedding(face=face, embedder_id=embedder_id, vector=encode_vector(vector))
                for face, vector in zip(rows, vectors, strict=True)
            ],
            batch_size=500,
        )
        if owners is None:
            UnlabeledFace.objects.bulk_create([UnlabeledFace(face=face) for face in rows], batch_size=500)
            return
        touch_gallery([face.pk for face in rows])
        Sighting.objects.bulk_create(
            [
                Sighting(face=face, person_id=owner, decided_by="human", is_reference=True, seen_at=now)
                for face, owner in zip(rows, owners, strict=True)
            ],
            batch_size=500,
        )


def _around(centers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors in the embedder's dimension; two of one person are between 0.6 and 0.95 alike, mostly."""
    from recognition.embedders.dlib_resnet import DIMENSION

    directions, _ = np.linalg.qr(np.random.default_rng(1).standard_normal((DIMENSION, DIRECTIONS)))
    quality = rng.uniform(0.75, 0.97, (len(centers), 1))
    flat = quality * _unit(centers) + np.sqrt(1 - quality**2) * _unit(rng.standard_normal(centers.shape))
    return _unit(flat @ directions.T).astype(np.float32)


def _some_vectors(count: int) -> np.ndarray:
    rng = np.random.default_rng(99)
    return _around(rng.standard_normal((count, DIRECTIONS)), rng)


def _unit(rows: np.ndarray) -> np.ndarray:
    unit: np.ndarray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
