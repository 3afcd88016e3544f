"""Deleting and moving a photo while somebody else moves it, a worker claims it, or its event is deleted."""

import pytest
from django.contrib.auth.models import User

from access.models import EventGrant
from access.roles import MANAGER
from recognition.events.deletion import delete_event
from recognition.leases import claim_row
from recognition.models import Photo
from recognition.photos.edits import PhotoRefusal, delete_photo, move_photo
from tests.conftest import make_user
from tests.factories import make_event, make_photo

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager_here() -> tuple[User, Photo]:
    """Somebody who manages one event, and a photo of it."""
    user, photo = make_user("heidi"), make_photo()
    EventGrant.objects.create(user=user, event=photo.event, role=MANAGER)
    return user, photo


def test_a_photo_that_was_moved_away_meanwhile_is_not_deleted(
    manager_here: tuple[User, Photo], manager: User
) -> None:
    user, photo = manager_here
    move_photo(photo=Photo.objects.get(), to=make_event(), user=manager)
    with pytest.raises(PhotoRefusal, match=r"moved or deleted meanwhile"):
        delete_photo(photo=photo, user=user)
    assert Photo.objects.exists()


def test_a_photo_that_a_worker_claimed_meanwhile_is_not_deleted(manager: User) -> None:
    photo = make_photo(state="queued")
    assert claim_row(Photo, photo.pk)
    with pytest.raises(PhotoRefusal, match=r"being processed"):
        delete_photo(photo=photo, user=manager)
    assert Photo.objects.exists()


def test_a_photo_of_an_event_that_was_deleted_meanwhile_cannot_be_moved_out_of_it(manager: User) -> None:
    photo, to = make_photo(), make_event()
    delete_event(photo.event)
    with pytest.raises(PhotoRefusal, match=r"moved or deleted meanwhile"):
        move_photo(photo=photo, to=to, user=manager)
    assert not Photo.objects.filter(event=to).exists()
