"""Builds a demo vault in an empty database: first photos with faces and vectors, then what was decided about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from math import ceil

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from recognition.active_embedder import ensure_active_embedder
from recognition.demo.cast import Occasion, name_of, occasions
from recognition.demo.history import spread_decisions
from recognition.demo.nearest import Nearest, References
from recognition.demo.plan import DemoSize, Plan, Role, plan_vault, share_looks
from recognition.demo.studio import Picture, Shot, Studio
from recognition.demo.vectors import make_vectors
from recognition.embedders import EmbedderInfo, choose_embedder, describe_embedder
from recognition.gallery_journal import touch_gallery
from recognition.geometry import estimate_pose
from recognition.models import Embedding, Event, Face, Person, Photo, Sighting, UnlabeledFace
from recognition.models.people import search_text
from recognition.quality import face_priority
from recognition.vectors import encode_vector

# Up to here every photo is drawn with its people, in half a second each.
FULLY_DRAWN_PHOTOS = 150
_DRAWN_PER_EVENT = 18
# In a larger one so many groups of people are on all photos; an event has about one photo of each.
SHARED_CASTS = 48
_PHOTOS_AT_ONCE = 48
_DECISIONS_AT_ONCE = 2000
_ROWS_PER_INSERT = 500


class VaultNotEmpty(RuntimeError):
    """There is something in the database already that a demo must not be mixed with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoSummary:
    embedder_id: str
    events: int
    photos: int
    faces: int
    people: int
    references: int
    machine: int
    unlabeled: int
    clusters: int


def build_vault(size: DemoSize, *, on_faces: Callable[[int], None] = lambda count: None) -> DemoSummary:
    """Fill the empty database; `on_faces` hears of every batch how many faces it wrote.

    Raises VaultNotEmpty and BadSize. A build that was interrupted leaves whole photos behind: begin anew with an empty
    database.
    """
    size.check()
    if Photo.objects.exists() or Event.objects.exists() or Person.objects.exists():
        raise VaultNotEmpty
    info = describe_embedder(ensure_active_embedder(choose_embedder).embedder_id)
    rng = np.random.default_rng(size.seed)
    plan = plan_vault(size, rng)
    shared = len(plan.photos) > FULLY_DRAWN_PHOTOS
    if shared:
        plan = share_looks(plan, SHARED_CASTS)
    vectors = make_vectors(plan, dimension=info.dimension, thresholds=info.thresholds, rng=rng)
    people = _write_people(plan.people)
    studio = Studio(seed=size.seed, shared=shared)
    held = occasions(ceil(len(plan.photos) / (SHARED_CASTS if shared else _DRAWN_PER_EVENT)))
    faces = _write_photos(plan, vectors, info, studio=studio, held=held, seed=size.seed, on_faces=on_faces)
    _write_decisions(plan, vectors, info, people=people, faces=faces)
    spread_decisions(rng)
    counts = np.bincount(plan.roles, minlength=len(Role))
    return DemoSummary(
        embedder_id=info.embedder_id,
        events=len(held),
        photos=len(plan.photos),
        faces=len(faces),
        people=len(people),
        references=int(counts[Role.REFERENCE]),
        machine=int(counts[Role.MACHINE]),
        unlabeled=int(counts[Role.DOUBTFUL :].sum()),
        clusters=plan.clusters,
    )


def _write_people(count: int) -> list[Person]:
    names = [name_of(number) for number in range(count)]
    # A bulk insert passes by `Person.save`, which folds the name for the search.
    people = [Person(name=name, search_text=search_text(name, [], None)) for name in names]
    return Person.objects.bulk_create(people, batch_size=_ROWS_PER_INSERT)


def _write_photos(
    plan: Plan,
    vectors: NDArray[np.float32],
    info: EmbedderInfo,
    *,
    studio: Studio,
    held: list[Occasion],
    seed: int,
    on_faces: Callable[[int], None],
) -> list[Face]:
    """All faces in the plan's order."""
    per_event = ceil(len(plan.photos) / max(1, len(held)))
    events = Event.objects.bulk_create(
        [Event(name=one.name, held_on=one.held_on, place=one.place) for one in held],
        batch_size=_ROWS_PER_INSERT,
    )
    written: dict[int, Face] = {}
    for numbers in _batches(range(len(plan.photos)), _PHOTOS_AT_ONCE):
        photos, faces, indexes = [], [], []
        for number in numbers:
            event, members = number // per_event, plan.photos[number]
            looks = [int(look) for look in plan.looks[members]]
            picture = studio.take(looks, number=number, event=event, occasion=held[event])
            photo = _photo(picture, events[event], held[event], number % per_event)
            photos.append(photo)
            faces += [
                _face(photo, shot, rng=np.random.default_rng([seed, 5, index]))
                for shot, index in zip(picture.shots, members, strict=True)
            ]
            indexes += members
        embeddings = [
            Embedding(face=face, embedder_id=info.embedder_id, vector=encode_vector(vectors[index]))
            for face, index in zip(faces, indexes, strict=True)
        ]
        with transaction.atomic():
            Photo.objects.bulk_create(photos, batch_size=_ROWS_PER_INSERT)
            Face.objects.bulk_create(faces, batch_size=_ROWS_PER_INSERT)
            Embedding.objects.bulk_create(embeddings, batch_size=_ROWS_PER_INSERT)
        written.update(zip(indexes, faces, strict=True))
        on_faces(len(faces))
    return [written[index] for index in range(len(written))]


def _photo(picture: Picture, event: Event, occasion: Occasion, number: int) -> Photo:
    start = datetime.combine(occasion.held_on, time(15), tzinfo=timezone.get_current_timezone())
    return Photo(
        event=event,
        sha256=picture.sha256,
        name=f"{occasion.name.lower().replace(' ', '-')}-{number + 1:03}.jpg",
        format="JPEG",
        byte_size=picture.byte_size,
        width=picture.width,
        height=picture.height,
        captured_at=start + timedelta(minutes=4 * number),
        state=Photo.State.DONE,
        attempts=1,
        processed_at=timezone.now(),
    )


def _face(photo: Photo, shot: Shot, *, rng: np.random.Generator) -> Face:
    box, pose = shot.face.box, estimate_pose(shot.face.landmarks)
    return Face(
        photo=photo,
        left=round(box.left, 2),
        top=round(box.top, 2),
        width=round(box.width, 2),
        height=round(box.height, 2),
        landmarks=[[round(float(x), 2), round(float(y), 2)] for x, y in shot.face.landmarks],
        detector_score=round(1 - 0.08 * float(rng.beta(1.2, 4)), 4),
        size=round(min(box.width, box.height), 2),
        sharpness=round(shot.sharpness, 2),
        yaw=round(pose.yaw, 1),
        pitch=round(pose.pitch, 1),
        roll=round(pose.roll, 1),
        crop=shot.crop,
    )


def _write_decisions(
    plan: Plan, vectors: NDArray[np.float32], info: EmbedderInfo, *, people: list[Person], faces: list[Face]
) -> None:
    known = np.flatnonzero(plan.roles == Role.REFERENCE)
    references = References(vectors[known], plan.identities[known], [faces[index].pk for index in known])
    for batch in _batches(range(len(faces)), _DECISIONS_AT_ONCE):
        machine = [index for index in batch if plan.roles[index] == Role.MACHINE]
        nearest = references.find(vectors[machine], plan.identities[machine]) if machine else []
        sightings = [
            _machine_sighting(faces[index], people[plan.identities[index]], found, info)
            for index, found in zip(machine, nearest, strict=True)
        ]
        verified = [index for index in batch if plan.roles[index] == Role.REFERENCE]
        sightings += [
            _human_sighting(faces[index], people[plan.identities[index]], info) for index in verified
        ]
        entries = [_named_entry(faces[index]) for index in verified]
        entries += [_open_entry(faces[index]) for index in batch if plan.roles[index] >= Role.DOUBTFUL]
        with transaction.atomic():
            touch_gallery([faces[index].pk for index in verified])
            Sighting.objects.bulk_create(sightings, batch_size=_ROWS_PER_INSERT)
            UnlabeledFace.objects.bulk_create(entries, batch_size=_ROWS_PER_INSERT)


def _machine_sighting(face: Face, person: Person, found: Nearest, info: EmbedderInfo) -> Sighting:
    return Sighting(
        face=face,
        person=person,
        similarity=found.similarity,
        margin=found.margin,
        references=found.references,
        thresholds=asdict(info.thresholds),
        embedder_id=info.embedder_id,
        decided_by=Sighting.DecidedBy.MACHINE,
        seen_at=face.photo.taken_at,
    )


def _human_sighting(face: Face, person: Person, info: EmbedderInfo) -> Sighting:
    return Sighting(
        face=face,
        person=person,
        embedder_id=info.embedder_id,
        decided_by=Sighting.DecidedBy.HUMAN,
        is_reference=True,
        seen_at=face.photo.taken_at,
    )


def _named_entry(face: Face) -> UnlabeledFace:
    return UnlabeledFace(
        face=face, reviewed=True, verdict=UnlabeledFace.Verdict.LABEL, priority=_priority(face)
    )


def _open_entry(face: Face) -> UnlabeledFace:
    return UnlabeledFace(face=face, priority=_priority(face))


def _priority(face: Face) -> float:
    return face_priority(face.size, face.detector_score, face.yaw)


def _batches(items: Sequence[int], count: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(items), count):
        yield items[start : start + count]
