"""Builds a demo vault in an empty database: first photos with faces and vectors, then what was decided about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count, cycle

import numpy as np
from django.conf import settings
from django.db import transaction
from numpy.typing import NDArray

from recognition.active_embedder import ensure_active_embedder
from recognition.demo.cast import Occasion, name_of, occasions
from recognition.demo.history import draw_moments
from recognition.demo.nearest import References
from recognition.demo.plan import DemoSize, Plan, Role, plan_vault
from recognition.demo.rows import (
    human_sighting,
    machine_sighting,
    make_face,
    make_photo,
    named_entry,
    open_entry,
)
from recognition.demo.seats import seat_casts, seat_freely
from recognition.demo.studio import Studio
from recognition.demo.vectors import make_vectors
from recognition.embedders import EmbedderInfo, choose_embedder, describe_embedder
from recognition.gallery_journal import read_gallery_state, touch_gallery
from recognition.models import Calibration, Embedding, Event, Face, Person, Photo, Sighting, UnlabeledFace
from recognition.models.people import search_text
from recognition.parts import in_parts
from recognition.vectors import encode_vector

# Up to here every photo is drawn with its people, in half a second each.
FULLY_DRAWN_PHOTOS = 150
_DRAWN_PER_EVENT = 18
# In a larger one so many groups of people are on all photos.
SHARED_CASTS = 48
_PHOTOS_AT_ONCE = 400
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
    plan = seat_casts(plan, SHARED_CASTS) if shared else seat_freely(plan, photos_per_event=_DRAWN_PER_EVENT)
    vectors = make_vectors(plan, dimension=info.dimension, thresholds=info.shipped, rng=rng)
    people = _write_people(plan.people)
    studio = Studio(seed=size.seed, shared=shared)
    held = occasions(max(plan.events, default=-1) + 1)
    faces = _write_photos(plan, vectors, info, studio=studio, held=held, seed=size.seed, on_faces=on_faces)
    _write_decisions(plan, vectors, info, people=people, faces=faces, rng=rng)
    references = int((plan.roles == Role.REFERENCE).sum())
    # The made-up people were made by these lines, so they hold until enough was labeled beside them.
    Calibration.objects.create(
        embedder_id=info.embedder_id,
        gallery_version=read_gallery_state().version,
        target=settings.FACEVAULT_FPIR,
        enrolled=len(people),
        references=references,
        probes=0,
        **asdict(info.shipped),
    )
    return DemoSummary(
        embedder_id=info.embedder_id,
        events=len(held),
        photos=len(plan.photos),
        faces=len(faces),
        people=len(people),
        references=references,
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
    events = Event.objects.bulk_create(
        [Event(name=one.name, held_on=one.held_on, place=one.place) for one in held],
        batch_size=_ROWS_PER_INSERT,
    )
    scores = 1 - 0.08 * np.random.default_rng([seed, 5]).beta(1.2, 4, len(plan.identities))
    numbers_at = [count() for _ in held]
    written: dict[int, Face] = {}
    for numbers in in_parts(range(len(plan.photos)), _PHOTOS_AT_ONCE):
        photos, faces, indexes = [], [], []
        for number in numbers:
            event, members = plan.events[number], plan.photos[number]
            looks = [int(look) for look in plan.looks[members]]
            picture = studio.take(looks, number=number, event=event, occasion=held[event])
            photo = make_photo(picture, events[event], held[event], number=next(numbers_at[event]))
            photos.append(photo)
            faces += [
                make_face(photo, shot, detector_score=float(scores[index]))
                for shot, index in zip(picture.shots, members, strict=True)
            ]
            indexes += members
            on_faces(len(members))
        embeddings = [
            Embedding(face=face, embedder_id=info.embedder_id, vector=encode_vector(vectors[index]))
            for face, index in zip(faces, indexes, strict=True)
        ]
        with transaction.atomic():
            Photo.objects.bulk_create(photos, batch_size=_ROWS_PER_INSERT)
            Face.objects.bulk_create(faces, batch_size=_ROWS_PER_INSERT)
            Embedding.objects.bulk_create(embeddings, batch_size=_ROWS_PER_INSERT)
        written.update(zip(indexes, faces, strict=True))
    return [written[index] for index in range(len(written))]


def _write_decisions(
    plan: Plan,
    vectors: NDArray[np.float32],
    info: EmbedderInfo,
    *,
    people: list[Person],
    faces: list[Face],
    rng: np.random.Generator,
) -> None:
    known = np.flatnonzero(plan.roles == Role.REFERENCE)
    references = References(vectors[known], plan.identities[known], [faces[index].pk for index in known])
    moments = cycle(draw_moments(rng))
    for batch in in_parts(range(len(faces)), _DECISIONS_AT_ONCE):
        machine = [index for index in batch if plan.roles[index] == Role.MACHINE]
        nearest = references.find(vectors[machine], plan.identities[machine]) if machine else []
        sightings = [
            machine_sighting(faces[index], people[plan.identities[index]], found, info, moment=next(moments))
            for index, found in zip(machine, nearest, strict=True)
        ]
        verified = [index for index in batch if plan.roles[index] == Role.REFERENCE]
        sightings += [
            human_sighting(faces[index], people[plan.identities[index]], info, moment=next(moments))
            for index in verified
        ]
        entries = [named_entry(faces[index]) for index in verified]
        entries += [open_entry(faces[index]) for index in batch if plan.roles[index] >= Role.DOUBTFUL]
        with transaction.atomic():
            touch_gallery([faces[index].pk for index in verified])
            Sighting.objects.bulk_create(sightings, batch_size=_ROWS_PER_INSERT)
            UnlabeledFace.objects.bulk_create(entries, batch_size=_ROWS_PER_INSERT)
