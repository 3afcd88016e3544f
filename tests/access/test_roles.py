"""Roles for all events and for one, and what they reach."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.grants import grant_role, take_role
from access.roles import (
    LABELER,
    MANAGER,
    ROLES,
    SEEING,
    UPLOADER,
    VIEWER,
    any_roles_of,
    reach_of,
    require_role,
    roles_of,
)
from recognition.models import Event, Face, Person, Photo, Sighting, UnlabeledFace
from tests.conftest import make_user
from tests.factories import label_face, make_event, make_face, make_person, make_photo, make_unlabeled

pytestmark = pytest.mark.django_db


def fresh(user: User) -> User:
    """The user as the next request gets them: roles are read once per request."""
    return User.objects.get(pk=user.pk)


def granted(user: User, event: Event, role: str) -> User:
    grant_role(user=user, event_pk=event.pk, role=role, actor=user)
    return fresh(user)


def test_a_role_in_one_event_reaches_that_event_alone(outsider: User) -> None:
    mine, other = make_event(), make_event()
    user = granted(outsider, mine, LABELER)
    reach = reach_of(user, LABELER)
    assert not reach.everywhere
    assert mine.pk in reach
    assert other.pk not in reach
    assert roles_of(user) == frozenset()
    assert any_roles_of(user) == {LABELER}


def test_a_manager_of_an_event_has_every_role_there(outsider: User) -> None:
    event = make_event()
    user = granted(outsider, event, MANAGER)
    assert all(event.pk in reach_of(user, role) for role in ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_a_group_reaches_all_events(role: str) -> None:
    reach = reach_of(make_user("rita", role), role)
    assert reach.everywhere
    assert make_event().pk in reach


def test_nobody_reaches_anything_by_not_being_there(outsider: User) -> None:
    assert not reach_of(AnonymousUser(), *ROLES)
    assert not reach_of(outsider, *ROLES)
    closed = granted(outsider, make_event(), MANAGER)
    closed.is_active = False
    closed.save()
    assert not reach_of(fresh(closed), *ROLES)


def test_an_unknown_role_is_a_mistake(outsider: User) -> None:
    with pytest.raises(ValueError, match="Roles are"):
        reach_of(outsider, "boss")


def test_a_role_that_was_taken_is_gone_with_the_next_request(outsider: User) -> None:
    event = make_event()
    grant = grant_role(user=outsider, event_pk=event.pk, role=VIEWER, actor=outsider)
    take_role(grant)
    with pytest.raises(PermissionDenied):
        require_role(fresh(outsider), event.pk, *SEEING)


def test_roles_are_read_once_per_request(outsider: User) -> None:
    user = granted(outsider, make_event(), VIEWER)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        reach_of(user, VIEWER)
        reach_of(user, MANAGER)
        any_roles_of(user)
    assert len(queries) == 2


def test_every_read_is_limited_to_the_events_of_the_user(outsider: User) -> None:
    mine, other = make_event(), make_event()
    for event in (mine, other):
        photo = make_photo(event)
        label_face(make_face(photo), make_person(f"Somebody at {event.pk}"))
        make_unlabeled(photo=photo)
    user = granted(outsider, mine, VIEWER)
    assert [row.pk for row in Event.objects.visible_to(user)] == [mine.pk]
    assert {row.event_id for row in Photo.objects.visible_to(user)} == {mine.pk}
    assert {row.photo.event_id for row in Face.objects.visible_to(user)} == {mine.pk}
    assert {row.face.photo.event_id for row in Sighting.objects.visible_to(user)} == {mine.pk}
    assert {row.face.photo.event_id for row in UnlabeledFace.objects.visible_to(user)} == {mine.pk}
    assert [row.name for row in Person.objects.visible_to(user)] == [f"Somebody at {mine.pk}"]
    assert not Face.objects.for_role(user, LABELER, MANAGER)
    assert not UnlabeledFace.objects.for_role(user, LABELER, MANAGER)


def test_an_uploader_of_an_event_sees_what_they_brought_and_no_names(outsider: User) -> None:
    event = make_event()
    theirs, others = make_photo(event), make_photo(event)
    elsewhere = make_photo()
    Photo.objects.filter(pk__in=[theirs.pk, elsewhere.pk]).update(uploaded_by=outsider)
    label_face(make_face(theirs), make_person("Alice"))
    make_face(others)
    user = granted(outsider, event, UPLOADER)
    assert list(Photo.objects.visible_to(user)) == [theirs]
    assert {face.photo_id for face in Face.objects.visible_to(user)} == {theirs.pk}
    assert not Person.objects.visible_to(user)
    assert not Sighting.objects.visible_to(user)


def test_what_a_person_did_elsewhere_is_not_counted(outsider: User) -> None:
    mine, person = make_event(), make_person("Alice")
    label_face(make_face(make_photo(mine)), person)
    for _ in range(3):
        label_face(make_face(make_photo()), person)
    user = granted(outsider, mine, VIEWER)
    columns = ("visit_count", "reference_count", "first_seen", "last_seen")
    [(visits, references, first, last)] = (
        Person.objects.visible_to(user).with_visits(user).values_list(*columns)
    )
    assert (visits, references) == (1, 1)
    assert first == last


def test_people_are_edited_by_those_who_label_wherever_they_were(outsider: User) -> None:
    mine, here, both = make_event(), make_person("Here"), make_person("Both")
    for person in (here, both):
        label_face(make_face(make_photo(mine)), person)
    label_face(make_face(make_photo()), both)
    user = granted(outsider, mine, LABELER)
    assert list(Person.objects.editable_by(user)) == [here]
    assert set(Person.objects.editable_by(make_user("lena", LABELER))) == {here, both}
    assert not Person.objects.editable_by(granted(make_user("vera"), mine, VIEWER))


def test_an_event_that_is_being_deleted_is_gone_for_everybody(manager: User) -> None:
    event = make_event()
    photo = make_photo(event)
    label_face(make_face(photo), make_person("Alice"))
    make_unlabeled(photo=photo)
    Event.objects.filter(pk=event.pk).update(deleted_at=timezone.now())
    user = fresh(manager)
    for rows in (Event, Photo, Face, Sighting, UnlabeledFace):
        assert not rows.objects.visible_to(user), rows
