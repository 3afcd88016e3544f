"""Seconds of naming, undoing and redoing many faces in one decision, beside as many decisions about one face each.

    python bench/decisions.py [--json] [--references 20000] [--faces 1 50 500 2000]

The faces of a row are one cluster; each looks a little like its person, who is known by references already. The gallery's
index is warm, as in a web process. `times one` is how often one decision about one face fits into it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.vault import new_vault

if TYPE_CHECKING:
    from recognition.models import Event, Person

PEOPLE = 1000
AT_ONCE = 500
GOAL_FACES, GOAL_SECONDS = 500, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    faces: int
    naming: float
    undo: float
    redo: float
    one_by_one: float


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--references", type=int, default=20_000)
    parser.add_argument("--faces", type=int, nargs="+", default=[1, 50, 500, 2000])
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with new_vault():
        rows = measure(references=args.references, sizes=args.faces)
    print(json.dumps([asdict(row) for row in rows]) if args.json else table(rows, args.references))
    return 0 if all(reached(row) for row in rows) else 1


def measure(*, references: int, sizes: list[int]) -> list[Row]:
    from django.contrib.auth.models import User

    from labeling.decisions import label_faces, redo_decision, undo_decision
    from labeling.evidence import weigh_faces
    from labeling.models import Cluster, ClusterMember
    from recognition.models import Event, Face

    actor = User.objects.create_superuser("ada")
    event = Event.objects.create(name="Graduation")
    rng = np.random.default_rng(7)
    people = fill_gallery(event, references, rng)
    rows = []
    for number, size in enumerate(sizes):
        person = people[number]
        center = unit(rng.standard_normal((1, dimension())))[0]
        pks = add_faces(event, unit(center + 0.05 * rng.standard_normal((size, dimension()))), owner=None)
        cluster = Cluster.objects.create(event=event, open_count=size)
        ClusterMember.objects.bulk_create(
            (ClusterMember(cluster=cluster, face_id=pk, closeness=0.9) for pk in pks), batch_size=AT_ONCE
        )
        faces = list(Face.objects.filter(pk__in=pks).select_related("photo"))
        some = faces[:1]
        weigh_faces(some)
        naming, decision = timed(
            partial(label_faces, faces=faces, actor=actor, person=person, cluster=cluster)
        )
        # Each time the index pulls what was committed, as the next page does.
        weigh_faces(some)
        undo, _ = timed(partial(undo_decision, decision=decision, actor=actor))
        weigh_faces(some)
        redo, _ = timed(partial(redo_decision, decision=decision, actor=actor))
        undo_decision(decision=decision, actor=actor)
        weigh_faces(some)
        few = faces[:20]
        seconds = sum(
            timed(partial(label_faces, faces=[face], actor=actor, person=person))[0] for face in few
        )
        rows.append(
            Row(faces=size, naming=naming, undo=undo, redo=redo, one_by_one=seconds / len(few) * size)
        )
    return rows


def fill_gallery(event: Event, references: int, rng: np.random.Generator) -> list[Person]:
    from recognition.models import Person

    people = Person.objects.bulk_create(
        (Person(name=f"Person {number}", search_text=f" person {number}") for number in range(PEOPLE)),
        batch_size=AT_ONCE,
    )
    centers = unit(rng.standard_normal((PEOPLE, dimension())))
    for start in range(0, references, 5000):
        owners = np.arange(start, min(start + 5000, references)) % PEOPLE
        noise = 0.05 * rng.standard_normal((owners.size, dimension()))
        add_faces(event, unit(centers[owners] + noise), owner=[people[owner] for owner in owners])
    return people


def add_faces(event: Event, vectors: NDArray[np.float32], owner: list[Person] | None) -> list[int]:
    """One face per photo, so that everybody may be on each; references of their owner, or waiting in the queue."""
    from django.db import transaction
    from django.utils import timezone

    from recognition.active_embedder import get_active_embedder_id
    from recognition.gallery_journal import touch_gallery
    from recognition.models import Embedding, Face, Photo, Sighting, UnlabeledFace
    from recognition.vectors import encode_vector

    first = Photo.objects.count()
    embedder = get_active_embedder_id()
    common = {
        "event": event,
        "format": "JPEG",
        "byte_size": 1,
        "width": 1600,
        "height": 1200,
        "state": "done",
    }
    box = {
        "left": 10,
        "top": 10,
        "width": 90,
        "height": 90,
        "size": 90,
        "sharpness": 200,
        "detector_score": 0.99,
    }
    with transaction.atomic():
        photos = Photo.objects.bulk_create(
            (
                Photo(sha256=f"{first + number:064}", name=f"{number}.jpg", **common)
                for number in range(len(vectors))
            ),
            batch_size=AT_ONCE,
        )
        faces = Face.objects.bulk_create(
            (
                Face(photo=photo, landmarks=[[0, 0]] * 5, yaw=0, pitch=0, roll=0, crop="0" * 64, **box)
                for photo in photos
            ),
            batch_size=AT_ONCE,
        )
        Embedding.objects.bulk_create(
            (
                Embedding(face=face, embedder_id=embedder, vector=encode_vector(vector))
                for face, vector in zip(faces, vectors, strict=True)
            ),
            batch_size=AT_ONCE,
        )
        if owner is None:
            UnlabeledFace.objects.bulk_create(
                (UnlabeledFace(face=face) for face in faces), batch_size=AT_ONCE
            )
        else:
            now = timezone.now()
            Sighting.objects.bulk_create(
                (
                    Sighting(face=face, person=person, decided_by="human", is_reference=True, seen_at=now)
                    for face, person in zip(faces, owner, strict=True)
                ),
                batch_size=AT_ONCE,
            )
        touch_gallery(face.pk for face in faces)
    return [face.pk for face in faces]


def dimension() -> int:
    from recognition.active_embedder import get_active_embedder_id
    from recognition.embedders import describe_embedder

    return describe_embedder(get_active_embedder_id()).dimension


def unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def reached(row: Row) -> bool:
    return row.faces > GOAL_FACES or max(row.naming, row.undo, row.redo) < GOAL_SECONDS


def table(rows: list[Row], references: int) -> str:
    lines = [
        f"{references:,} references of {PEOPLE:,} people; seconds",
        f"{'faces':>7}{'naming':>9}{'undo':>9}{'redo':>9}{'one by one':>12}{'ratio':>8}",
    ]
    for row in rows:
        line = f"{row.faces:>7,}{row.naming:>9.3f}{row.undo:>9.3f}{row.redo:>9.3f}{row.one_by_one:>12.2f}"
        line += f"{row.one_by_one / row.naming:>7.1f}x"
        lines.append(line + ("" if reached(row) else "  MISSED"))
    lines.append(
        f"goal: each under {GOAL_SECONDS:.0f} s for {GOAL_FACES} faces; ratio: one by one to naming at once"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
