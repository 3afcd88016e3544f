"""A gallery with an active embedder, and clients of everyone who may try."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognition.models import Face
from tests.factories import activate_embedder, make_unlabeled, unit_vectors

# Far from each other: nearly orthogonal.
ALICE, BOB, CAROL, SOMEBODY = unit_vectors(4, seed=11)


@pytest.fixture(autouse=True)
def active(db: None) -> None:
    activate_embedder()


@pytest.fixture
def face() -> Face:
    """A face in the queue that looks like nobody known."""
    return make_unlabeled(SOMEBODY).face


@pytest.fixture
def hx(as_labeler: Client, labeler: User) -> Client:
    """The labeler's browser as htmx asks."""
    client = Client(headers={"HX-Request": "true"})
    client.force_login(labeler)
    return client


def posted(face: Face, **values: object) -> dict[str, object]:
    """What a card of the face posts."""
    return {"version": face.version, "key": uuid4(), **values}


def fresh(face: Face) -> Face:
    return Face.objects.get(pk=face.pk)
