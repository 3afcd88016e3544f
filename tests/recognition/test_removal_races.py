"""A photo is removed while another connection claims it or skips a face of it. SQLite has one writer at a time anyway."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from labeling.decisions import DecisionConflict, record_verdict
from labeling.models import Decision
from recognition.events.deletion import delete_event, delete_next_batch
from recognition.leases import Claim, claim_row
from recognition.models import Face, Photo
from recognition.photos.edits import PhotoRefusal, delete_photo
from tests.factories import make_face, make_photo

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor == "sqlite", reason="only a database with several writers can do this"
    ),
]


@contextmanager
def meanwhile(sql: str, act: Callable[[], Any]) -> Iterator[list[Any]]:
    """Do it over another connection when this one is about to run a statement with `sql`; what it returns or raises."""
    answers: list[Any] = []
    threads: list[threading.Thread] = []

    def other() -> None:
        try:
            answers.append(act())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            answers.append(error)
        finally:
            connection.close()

    def wrap(execute: Any, statement: str, *rest: Any) -> Any:
        if sql in statement and not threads:
            threads.append(threading.Thread(target=other))
            threads[0].start()
            threads[0].join(1)  # longer, if it waits for what is held here
        return execute(statement, *rest)

    with connection.execute_wrapper(wrap):
        yield answers
    threads[0].join(20)


def test_a_skip_that_comes_while_its_face_goes_fails_itself_and_not_the_removal(
    manager: User, labeler: User, data_folder: Path
) -> None:
    face = make_face()

    def skip() -> Decision:
        return record_verdict(face=face, kind="skip", actor=labeler)

    with meanwhile('DELETE FROM "recognition_face"', skip) as answers:
        delete_photo(photo=face.photo, user=manager)
    assert isinstance(answers[0], DecisionConflict)
    assert not Face.objects.exists()
    assert not Photo.objects.exists()


def claim(photo: Photo) -> Claim[Photo] | None:
    return claim_row(Photo, photo.pk)


def test_a_photo_that_a_worker_claims_just_before_is_left_to_it(manager: User) -> None:
    photo = make_photo(state="queued")
    with meanwhile("FOR UPDATE", lambda: claim(photo)) as answers, pytest.raises(PhotoRefusal):
        delete_photo(photo=photo, user=manager)
    assert answers[0] is not None
    assert Photo.objects.exists()


def test_so_is_one_of_an_event_that_is_being_deleted() -> None:
    photo = make_photo(state="queued")
    delete_event(photo.event)
    with meanwhile("FOR UPDATE", lambda: claim(photo)) as answers:
        assert not delete_next_batch()
    assert answers[0] is not None
    assert Photo.objects.exists()


def test_a_worker_does_not_get_a_photo_that_is_being_deleted(manager: User) -> None:
    photo = make_photo(state="queued")
    with meanwhile('DELETE FROM "recognition_sighting"', lambda: claim(photo)) as answers:
        delete_photo(photo=photo, user=manager)
    assert answers == [None]
    assert not Photo.objects.exists()
