"""People with references as rows, as many as a report needs."""

from __future__ import annotations

from recognition.models import Event, Face, Person
from tests.factories import (
    EMBEDDER_ID,
    make_event,
    make_person,
    make_photo,
    make_reference,
    unit_vectors,
    vector_near,
)


def make_people(
    count: int,
    *,
    faces: int = 3,
    dimension: int = 512,
    embedder_id: str = EMBEDDER_ID,
    event: Event | None = None,
) -> dict[Person, list[Face]]:
    """So many people with so many references each, 0.7 alike or so, on photos of one event."""
    event = event or make_event()
    made = {}
    for number, center in enumerate(unit_vectors(count, dimension, seed=100)):
        person = make_person()
        made[person] = [
            make_reference(
                person,
                vector_near(center, 0.85, seed=1000 * number + face),
                photo=make_photo(event),
                embedder_id=embedder_id,
            )
            for face in range(faces)
        ]
    return made
