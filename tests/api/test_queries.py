"""Every list asks the database as often for many rows as for one."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognition.models import Photo
from tests.api.conftest import Api, local_user, make_side
from tests.factories import make_unlabeled

LISTS = [
    "events/",
    "photos/",
    "photos/?unnamed=true",
    "faces/",
    "faces/?state=verified",
    "people/",
    "people/?order=faces",
    "sightings/",
    "decisions/",
    "exports/",
    "search/",
    "queue/next/",
    "stats/",
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("local", [False, True], ids=["everywhere", "one event"])
def test_many_rows_take_as_many_queries_as_one(path: str, local: bool, manager: User) -> None:
    side = make_side("First")
    api = Api(local_user(side.event, "manager") if local else manager)
    _decide(api, side.photo, "Somebody")
    # The first request notes that the token is used, and loads the index.
    api.get(path)
    few = _count(api, path)
    for number in range(5):
        make_side(f"More {number}")
        _decide(api, side.photo, f"Person {number}")
        make_unlabeled(photo=side.photo)
    assert _count(api, path) == few


def _decide(api: Api, photo: Photo, name: str) -> None:
    face = make_unlabeled(photo=photo).face
    assert api.post(f"faces/{face.face_id}/label/", {"name": name, "new": True}).status_code == 200


def _count(api: Api, path: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert api.get(path).status_code == 200
    return len(queries)
