"""A page asks the database as often for many rows as for few."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from access.models import EventGrant
from labeling.models import DecidedFace, Decision
from recognition.models import Photo, Sighting, Track, Video
from tests.access.addresses import PAGES, Address
from tests.access.world import Side, make_side
from tests.conftest import make_user
from tests.factories import (
    activate_embedder,
    label_face,
    make_event,
    make_face,
    make_person,
    make_photo,
    make_reference,
    make_unlabeled,
    unit_vectors,
)

pytestmark = pytest.mark.django_db
FEW, MANY = 3, 9


def fill(side: Side, user: User, rows: range) -> None:
    """So many more of everything that a page lists: on the same photo, in the same event, of the same person, elsewhere."""
    for number in rows:
        elsewhere = make_photo(make_event())
        vector = unit_vectors(1, seed=number)[0]
        for photo in (side.photo, make_photo(side.event), elsewhere):
            make_reference(make_person(), vector, photo=photo)
            make_unlabeled(vector, photo=photo)
            label_face(make_face(photo), side.person)
            machine = make_face(photo)
            Sighting.objects.create(
                face=machine,
                person=make_person(),
                decided_by="machine",
                similarity=0.9,
                seen_at=photo.taken_at,
            )
            decision = Decision.objects.create(
                kind="label", actor=user, face=machine, person=side.person, face_count=2
            )
            for face in (machine, side.named):
                DecidedFace.objects.create(decision=decision, face=face)
        for state in ("failed", "queued"):
            make_photo(side.event, state=state)
            make_photo(state=state)
        video = Video.objects.get(event=side.event, name__endswith="-speech.mp4")
        Track.objects.create(video=video, face=make_face(side.photo), first_ms=0, last_ms=number, frames=2)
        Video.objects.create(
            event=side.event,
            sha256=f"{number:064}",
            name="v",
            byte_size=1,
            width=9,
            height=9,
            duration_ms=9,
            interval_ms=9,
        )
        Photo.objects.filter(uploaded_by=None).update(uploaded_by=user)
        EventGrant.objects.create(user=make_user(f"colleague {number}"), event=side.event, role="viewer")


@pytest.fixture
def world(db: None) -> tuple[Client, User, Side]:
    activate_embedder()
    user = User.objects.create_superuser("ada", password="correct horse battery")
    side = make_side("Mine", owner=user, uploader=user)
    client = Client()
    client.force_login(user)
    return client, user, side


def count(client: Client, address: Address, side: Side) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address.path(side))
    return answer.status_code, len(queries)


def test_every_page_asks_as_often_for_many_rows_as_for_few(world: tuple[Client, User, Side]) -> None:
    client, user, side = world
    fill(side, user, range(FEW))
    few = {address.name: count(client, address, side) for address in PAGES}
    few = {
        address.name: count(client, address, side) for address in PAGES
    }  # the first round loads what a process keeps
    fill(side, user, range(FEW, MANY))
    {address.name: count(client, address, side) for address in PAGES}
    many = {address.name: count(client, address, side) for address in PAGES}
    grown = [f"{name}: {few[name]} -> {many[name]}" for name in few if many[name][1] > few[name][1]]
    assert not grown, "\n".join(grown)
    assert not [f"{name}: {status}" for name, (status, _) in many.items() if status not in {200, 302}]
