"""Whether the pages say that nobody processes photos: after a minute without any sign of a worker, and never before."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_tasks_db.models import DBTaskResult
from pytest_django import DjangoAssertNumQueries

from recognition.events.progress import count_photos
from recognition.models import Photo
from recognition.processing import request_processing, retry_photos
from tests.factories import make_event, make_photo

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(seconds=61)


@pytest.fixture
def waiting() -> Photo:
    """A photo that waits for more than a minute."""
    photo = make_photo(state=Photo.State.QUEUED)
    Photo.objects.filter(pk=photo.pk).update(uploaded_at=timezone.now() - LONG_AGO)
    return photo


def test_a_photo_that_waits_for_long_is_stalled(waiting: Photo, manager: User) -> None:
    assert count_photos(manager).stalled
    assert count_photos(manager, event_pk=waiting.event_id).stalled
    assert not count_photos(manager, event_pk=make_event().pk).stalled


def test_a_photo_that_came_just_now_is_not(manager: User) -> None:
    make_photo(state=Photo.State.QUEUED)
    assert not count_photos(manager).stalled


def process_another() -> None:
    photo = make_photo()
    Photo.objects.filter(pk=photo.pk).update(
        state=Photo.State.PROCESSING, lease=uuid4(), lease_until=timezone.now() + timedelta(seconds=30)
    )


def finish_another() -> None:
    photo = make_photo()
    Photo.objects.filter(pk=photo.pk).update(processed_at=timezone.now() - timedelta(seconds=20))


def back_off() -> None:
    Photo.objects.update(attempts=1, lease_until=timezone.now() + timedelta(seconds=25))


def retry() -> None:
    Photo.objects.update(state=Photo.State.FAILED, failure_code="unreadable")
    assert retry_photos(Photo.objects.all()) == 1


@pytest.mark.parametrize("sign", [process_another, finish_another, back_off, retry])
def test_a_sign_of_work_anywhere_is_enough(waiting: Photo, manager: User, sign: Callable[[], None]) -> None:
    sign()
    assert not count_photos(manager, event_pk=waiting.event_id).stalled


def test_a_photo_in_the_hands_of_a_dead_worker_is_no_sign_of_work(waiting: Photo, manager: User) -> None:
    Photo.objects.update(
        state=Photo.State.PROCESSING, lease=uuid4(), lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert count_photos(manager).stalled


def test_neither_is_a_task_that_nobody_takes(waiting: Photo, manager: User) -> None:
    request_processing()
    DBTaskResult.objects.update(enqueued_at=timezone.now() - LONG_AGO)
    assert count_photos(manager).stalled


def test_nothing_more_is_asked_where_nothing_waits(
    manager: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_photo()
    count_photos(manager)
    with django_assert_num_queries(1):
        assert not count_photos(manager).stalled
