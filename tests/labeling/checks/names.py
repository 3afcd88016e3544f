"""Names of the machine, drawn to be checked, with ids that say how early they are asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from labeling.checks import draw_name
from labeling.models import NameCheck
from recognition.models import Event, Face, Person, Sighting, UnlabeledFace
from tests.factories import EMBEDDER_ID, make_event, make_face, make_photo


def name_face(
    person: Person,
    *,
    event: Event | None = None,
    place: int | None = None,
    named_at: datetime | None = None,
    reference: Face | None = None,
) -> Face:
    """A face that the machine has just named; of a smaller `place` it is asked about earlier."""
    face = make_face(make_photo(event or make_event()))
    if place is not None:
        Face.objects.filter(pk=face.pk).update(face_id=UUID(int=(1 << 128) - 1 - (place << 64) - face.pk))
        face.refresh_from_db()
    UnlabeledFace.objects.create(face=face, reviewed=True, verdict="label")
    sighting = Sighting.objects.create(
        face=face,
        person=person,
        similarity=0.9,
        margin=0.3,
        references=[reference.pk] if reference else [],
        embedder_id=EMBEDDER_ID,
        decided_by="machine",
        seen_at=face.photo.taken_at,
        created_at=named_at or timezone.now(),
    )
    draw_name(sighting)
    return face


def check_of(face: Face) -> NameCheck:
    return NameCheck.objects.select_related("face__photo__event", "person").get(face=face)


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)
